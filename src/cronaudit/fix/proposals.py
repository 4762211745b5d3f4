"""Which fixes there are for an audit: one for each place that can be edited, each with the verdicts that it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.fix.edits import Edit, NotFixableError
from cronaudit.fix.numbers import Number, comment_of, matching, raised, seconds_of
from cronaudit.fix.options import Option
from cronaudit.fix.recipe import Place, Recipe, Wanted
from cronaudit.fix.values import Values
from cronaudit.model.facts import Unresolved
from cronaudit.model.job import Job
from cronaudit.model.placement import Placement
from cronaudit.model.verdict import CheckResult, Status

_OPEN = frozenset((Status.FAIL, Status.PARTIAL))


class Editor(Protocol):
    """One parsed file."""

    def set_options(
        self, placement: Placement, options: Mapping[int | str, tuple[Option, ...]]
    ) -> tuple[Edit, ...]:
        """Edits that set options of a call, by argument."""

    def numbers(self, line: int) -> Iterator[Number]:
        """The numbers on a line."""

    def replace(self, number: Number, text: str) -> tuple[Edit, ...]:
        """The edit that writes another number there."""


@runtime_checkable
class Assigner(Editor, Protocol):
    """One of a language in which settings are assigned."""

    def assign_beside(
        self, placement: Placement, names: Mapping[str, str], value: Wanted
    ) -> tuple[Edit, ...]:
        """An assignment to another setting in front of the one that is there."""


class Target(Struct, frozen=True):
    """A verdict that a fix is for."""

    job: int
    """Position of the job in the result: names and ids may change by a fix, the order does not."""
    check: str


class Fix(Struct, frozen=True):
    """One fix: edits that belong together."""

    recipe: Recipe
    targets: tuple[Target, ...]
    jobs: tuple[str, ...]
    """The names of the jobs."""
    path: str
    line: int
    safe: bool
    caution: str
    """What it may change; empty where it is safe."""
    edits: tuple[Edit, ...]
    size: float = 0.0
    """Of a number that is raised what it becomes, in seconds: of two jobs that share it the larger one counts."""

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks that it is for."""
        return tuple(dict.fromkeys(target.check for target in self.targets))


class Unfixed(Struct, frozen=True):
    """A verdict for which there is a recipe, and why it is of no use here."""

    target: Target
    recipe: str
    reason: str


class Bench(Struct, frozen=True):
    """What proposing needs from the outside."""

    editor: Callable[[str], Editor]
    """The editor of a file. Raises NotFixableError."""
    holds: Callable[[str, Job], bool]
    """Whether a condition over the facts certainly holds for a job."""
    period: Callable[[Job], float | None]
    """The shortest time between two runs, in seconds."""
    has_version: Callable[[str, str, str], bool | None]
    """Whether a package is used in a version of a range by a file: package, range, path; None where nothing says it."""


class Audited(Struct, frozen=True):
    """One audit, as far as fixes need it."""

    jobs: tuple[Job, ...]
    checks: tuple[CheckResult, ...]
    placements: Mapping[str, tuple[Placement, ...]]


def propose(
    audited: Audited, recipes: Sequence[Recipe], wanted: Callable[[Target], bool], bench: Bench
) -> tuple[list[Fix], list[Unfixed]]:
    """The fixes of an audit, those of the same edits as one, and what has a recipe and cannot be fixed."""
    statuses = open_verdicts(audited)
    fixes: dict[tuple[object, ...], Fix] = {}
    names = {name for job in audited.jobs for name in (job.name, job.id) if name}
    unfixed: list[Unfixed] = []
    for recipe in recipes:
        for number, job in enumerate(audited.jobs):
            targets = tuple(
                target
                for check in recipe.checks
                if (target := Target(number, check)) in statuses and wanted(target)
                if _rank(statuses[target]) < _rank(recipe.reaches)
            )
            if not targets or (recipe.when is not None and not bench.holds(recipe.when, job)):
                continue
            try:
                fix = _fix(recipe, targets, Values(job, audited.jobs, bench.period, names), audited, bench)
            except NotFixableError as reason:
                unfixed += [Unfixed(target, recipe.id, str(reason)) for target in targets]
                continue
            known = fixes.get(key := _key(fix))
            fixes[key] = fix if known is None else _joined(known, fix)
    return sorted(fixes.values(), key=lambda f: (f.path, f.line, f.recipe.id)), unfixed


def open_verdicts(audited: Audited) -> dict[Target, Status]:
    """The verdicts of jobs that a fix could be for."""
    numbers = {job.id: number for number, job in enumerate(audited.jobs)}
    return {
        Target(numbers[verdict.job], check.id): verdict.verdict.status
        for check in audited.checks
        for verdict in check.jobs
        if verdict.verdict.status in _OPEN
    }


def _rank(status: Status) -> int:
    return (Status.FAIL, Status.PARTIAL, Status.PASS).index(status)


def _key(fix: Fix) -> tuple[object, ...]:
    """What tells two fixes apart: their edits, or the number that both raise."""
    first = min(fix.edits)
    return (first.path, fix.line, first.start) if fix.recipe.raises is not None else fix.edits


def _joined(known: Fix, other: Fix) -> Fix:
    return replace(
        known if known.size >= other.size else other,
        targets=(*known.targets, *other.targets),
        jobs=tuple(dict.fromkeys((*known.jobs, *other.jobs))),
        safe=known.safe and other.safe,
        caution=known.caution or other.caution,
    )


def _fix(recipe: Recipe, targets: tuple[Target, ...], values: Values, audited: Audited, bench: Bench) -> Fix:
    job = values.job
    if recipe.raises is not None:
        edits, line, size = _raised(recipe, values, bench)
        note = ""
    else:
        edits, line, note = _placed(recipe, values, audited, bench)
        size = 0.0
    if not edits:
        raise NotFixableError("everything is set already")
    safe = recipe.safe if isinstance(recipe.safe, bool) else bench.holds(recipe.safe, job)
    safe = safe and not note
    return Fix(
        recipe,
        targets,
        (job.display_name,),
        edits[0].path,
        line,
        safe,
        "" if safe else note or recipe.caution,
        edits,
        size,
    )


# ---- an option that is set -------------------------------------------------------------------------------------


def _placed(
    recipe: Recipe, values: Values, audited: Audited, bench: Bench
) -> tuple[tuple[Edit, ...], int, str]:
    reasons: dict[str, None] = {}
    for placement in audited.placements.get(values.job.id, ()):
        for place in recipe.places:
            if placement.description not in place.calls:
                continue
            try:
                edits, line = _at(place, placement, values, bench)
            except NotFixableError as reason:
                reasons[str(reason)] = None
                continue
            if edits:
                return edits, line, place.note
            reasons["everything is set already"] = None
    raise NotFixableError("; ".join(reasons) or f"{values.job.kind} has no option for it that is known")


def _at(place: Place, placement: Placement, values: Values, bench: Bench) -> tuple[tuple[Edit, ...], int]:
    for package, versions in place.needs:
        if not bench.has_version(package, versions, placement.at.path):
            raise NotFixableError(f"it takes {package} {versions}, which no manifest states")
    if place.beside:
        editor = bench.editor(placement.at.path)
        if not isinstance(editor, Assigner):
            raise NotFixableError("settings are assigned in Python only")
        return editor.assign_beside(
            placement, dict(place.beside), values.resolve(place.value)
        ), placement.at.line
    over = dict(place.over)
    by_place: dict[Placement, dict[int | str, list[Option]]] = {}
    for slot, wanted in place.options:
        target: Placement | None = placement
        for _ in range(slot.receivers):
            target = target.receiver if target is not None else None
        if target is None:
            raise NotFixableError("what makes the object is not found")
        option = Option(slot.members, values.resolve(wanted), over.get(slot, ()), slot in place.keeps)
        by_place.setdefault(target, {}).setdefault(slot.argument, []).append(option)
    edits: list[Edit] = []
    for target, arguments in by_place.items():
        options = {argument: tuple(inner) for argument, inner in arguments.items()}
        edits += bench.editor(target.at.path).set_options(target, options)
    return tuple(edits), next(iter(by_place)).at.line


# ---- a number that is raised -----------------------------------------------------------------------------------


def _raised(recipe: Recipe, values: Values, bench: Bench) -> tuple[tuple[Edit, ...], int, float]:
    group, _, name = (recipe.raises or "").partition(".")
    facts = getattr(values.job.facts, group)
    fact = getattr(facts, name)
    if fact.value is None or isinstance(fact.value, Unresolved) or not fact.locations:
        raise NotFixableError("the number is not known")
    stem = name.removesuffix("_seconds")
    unit, option = getattr(facts, f"{stem}_unit").value, getattr(facts, f"{stem}_option").value
    wanted = values.seconds(str(recipe.to).removeprefix("$"))
    at = fact.locations[0]
    editor = bench.editor(at.path)
    number, factor = matching(list(editor.numbers(at.line)), fact.value, str(unit), option)
    text = raised(number, factor, wanted)
    edits = editor.replace(number, text)
    size = seconds_of(text, factor)
    return (*edits, *_comment(at.path, number, fact.value, size)), at.line, size


def _comment(path: str, number: Number, old: float, new: float) -> Iterator[Edit]:
    """The amount in the comment behind the number, which would no longer be true."""
    found = comment_of(number.rest, old, new)
    if found is not None:
        start = number.end + len(number.rest[: found[0]].encode())
        yield Edit(path, start, start + len(number.rest[found[0] : found[1]].encode()), found[2].encode())
