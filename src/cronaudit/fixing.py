"""Fixes, found and proved: each is made in memory, the tree is audited again, and only what helps is kept."""

from __future__ import annotations

import codecs
import json
import os
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from difflib import SequenceMatcher
from functools import partial
from itertools import pairwise
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.assets import rules_dir
from cronaudit.audit import audit, load_catalogue
from cronaudit.fix.edits import Edit, NotFixableError, apply
from cronaudit.fix.javascript import JavaScript
from cronaudit.fix.judging import compatible, harmed, missed
from cronaudit.fix.loading import load_recipes
from cronaudit.fix.proposals import Audited, Bench, Editor, Fix, Target, Unfixed, open_verdicts, propose
from cronaudit.fix.recipe import Recipe
from cronaudit.knowledge.versions import holds_for
from cronaudit.model.facts import ServiceFacts
from cronaudit.model.job import Job
from cronaudit.model.options import AuditOptions, ConfigurationError
from cronaudit.model.rule import Scope
from cronaudit.model.source import Language, SourceTree
from cronaudit.parsing import LANGUAGES, parse
from cronaudit.parsing.grammars import parser
from cronaudit.problems import FilesError
from cronaudit.ruleset.expression import ExpressionError, compile_condition
from cronaudit.ruleset.kleene import Reading
from cronaudit.schedule.occurrences import next_runs

_ROUNDS = 8
"""Fixes of one call are made one after the other; more rounds than options of a call are never needed."""
_LOOKED_AT = 60
"""Runs ahead of which the shortest time between two is taken."""


class FixOptions(Struct, frozen=True):
    """Which fixes are wanted."""

    audit: AuditOptions
    select: tuple[str, ...] = ()
    """Checks, or the beginnings of their ids; empty: all."""
    unsafe: bool = False


class Change(Struct, frozen=True):
    """One file with its fixes made."""

    path: str
    before: bytes
    """As it was read from the disk, byte order mark included."""
    after: bytes


class Fixing(Struct, frozen=True):
    """What was found."""

    changes: tuple[Change, ...]
    fixes: tuple[Fix, ...]
    """Those in `changes`."""
    hidden: tuple[Fix, ...]
    """Those that hold, but that only --unsafe makes."""
    unfixed: tuple[Unfixed, ...]
    without: int
    """Open verdicts that no recipe is for."""
    jobs: int


def fix(path: Path, options: FixOptions) -> Fixing:
    """Find the fixes of a file or folder. Nothing is written.

    Raises:
        ConfigurationError: the catalogue, a library file, a recipe or a name of a check is wrong.
        OSError: the target cannot be read.

    """
    wanted = _wanted(options)
    recipes = read_recipes(options.audit)
    work = _Work(path, options.audit, recipes, wanted)
    if not options.unsafe:
        work.settle(lambda fix: fix.safe)
    kept, contents = len(work.kept), work.overlay
    work.settle(lambda _fix: True)
    if options.unsafe:
        kept, contents = len(work.kept), work.overlay
    now = work.now
    tried = {one.target for one in work.unfixed} | {target for one in work.kept for target in one.targets}
    return Fixing(
        tuple(work.change(name, content) for name, content in sorted(contents.items())),
        tuple(work.kept[:kept]),
        tuple(work.kept[kept:]),
        work.unfixed,
        sum(wanted(now, target) and target not in tried for target in open_verdicts(now)),
        len(now.jobs),
    )


class _State(Struct, frozen=True):
    """One audit."""

    seen: Audited
    service: ServiceFacts
    tree: SourceTree


@dataclass(slots=True)
class _Work:
    """The state between rounds: what is edited so far, and its audit."""

    path: Path
    options: AuditOptions
    recipes: tuple[Recipe, ...]
    wanted: Callable[[Audited, Target], bool]
    overlay: dict[str, bytes] = field(default_factory=dict)
    kept: list[Fix] = field(default_factory=list)
    dropped: dict[tuple[str, Target], str] = field(default_factory=dict)
    unfixed: tuple[Unfixed, ...] = ()
    _now: _State = field(init=False)
    _raw: dict[str, bytes] = field(default_factory=dict)
    _editors: dict[str, tuple[bytes, Editor]] = field(default_factory=dict)
    """By path, each with the content that it has parsed: many jobs may be stated in one file."""

    def __post_init__(self) -> None:
        self._now = self._audit(self.overlay)

    @property
    def now(self) -> Audited:
        """The audit of what is edited so far."""
        return self._now.seen

    def settle(self, allowed: Callable[[Fix], bool]) -> None:
        """Make fixes until none is left that helps."""
        for _ in range(_ROUNDS):
            bench = Bench(self._editor, self._holds, self._period, self._has_version)
            now = self._now.seen
            found, unfixed = propose(now, self.recipes, partial(self.wanted, now), bench)
            tried = (Unfixed(target, recipe, reason) for (recipe, target), reason in self.dropped.items())
            self.unfixed = (*unfixed, *tried)
            found = [f for f in found if allowed(f) and not self._was_dropped(f)]
            if not found:
                break
            self._made(compatible(found))

    def _made(self, fixes: list[Fix]) -> None:
        """Make fixes at once and keep those that help; where one does harm, the halves are judged apart."""
        while fixes:
            overlay = self._with(fixes)
            harm = self._unparsable(overlay)
            if not harm:
                after = self._audit(overlay)
                helpful = [held for one in fixes if (held := self._held(one, after.seen)) is not None]
                if len(helpful) < len(fixes):
                    fixes = helpful
                    continue
                fixes = helpful
                harm = harmed(self._now.seen, after.seen)
                if not harm:
                    self.kept += [replace(one, line=self._line_before(one)) for one in fixes]
                    self.overlay, self._now = overlay, after
                    return
            if len(fixes) == 1:
                self._drop(fixes[0], harm[0])
                return
            # What the first half changes moves the lines of the second: that one is proposed again.
            fixes = fixes[: len(fixes) // 2]

    def _held(self, one: Fix, after: Audited) -> Fix | None:
        """The fix with the verdicts that it mends; None, and it is not tried again, where it mends none."""
        if len(after.jobs) != len(self._now.seen.jobs):
            return one  # with other jobs than before no verdict can be compared: that is harm enough
        failed = missed(one, after)
        if len(failed) < len(one.targets):
            return replace(one, targets=tuple(target for target in one.targets if target not in failed))
        checks = ", ".join(dict.fromkeys(target.check for target in failed))
        self._drop(one, f"{checks} would still not be {one.recipe.reaches}")
        return None

    def _line_before(self, one: Fix) -> int:
        """The line of a fix in the file as it stands on the disk."""
        if one.path not in self.overlay:
            return one.line
        now = self.overlay[one.path].splitlines()
        before = self._raw[one.path].removeprefix(codecs.BOM_UTF8).splitlines()
        blocks = SequenceMatcher(None, before, now, autojunk=False).get_opcodes()
        for _, start, end, begin, finish in blocks:
            if begin < one.line <= finish:
                return min(start + one.line - begin, max(end, 1))
        return one.line

    def _drop(self, one: Fix, reason: str) -> None:
        self.dropped.update({(one.recipe.id, target): reason for target in one.targets})

    def _was_dropped(self, one: Fix) -> bool:
        return all((one.recipe.id, target) in self.dropped for target in one.targets)

    def _audit(self, overlay: Mapping[str, bytes]) -> _State:
        options = replace(self.options, overlay=overlay, job_globs=(), baseline=None)
        outcome = audit(self.path, options)
        result = outcome.result
        seen = Audited(result.jobs, result.checks, outcome.trace.placements())
        return _State(seen, result.service, outcome.trace.tree)

    def _with(self, fixes: Iterable[Fix]) -> dict[str, bytes]:
        edits: dict[str, list[Edit]] = {}
        for one in fixes:
            for edit in one.edits:
                edits.setdefault(edit.path, []).append(edit)
        changed = {path: apply(self._now.tree.read(path), found) for path, found in edits.items()}
        return self.overlay | changed

    def _unparsable(self, overlay: Mapping[str, bytes]) -> tuple[str, ...]:
        """What is wrong with files that had fewer errors before."""
        return tuple(
            f"{path} could not be read any more"
            for path, content in overlay.items()
            if len(self._errors(path, content)) > len(self._errors(path, self._now.tree.read(path)))
        )

    def _errors(self, path: str, content: bytes) -> tuple[int, ...]:
        file = self._now.tree.get(path)
        assert file is not None  # noqa: S101 - its jobs were found
        return tuple(parse(path, content, file.language).errors)

    # ---- what proposing needs

    def _editor(self, path: str) -> Editor:
        file = self._now.tree.get(path)
        if file is None or file.language not in LANGUAGES:
            raise NotFixableError(f"{path} is neither Python nor JavaScript")
        content = self._now.tree.read(file.path)
        if file.path not in self._raw:
            self._raw[file.path] = (self._root() / file.path).read_bytes()
            if self._raw[file.path].removeprefix(codecs.BOM_UTF8) != content:
                raise NotFixableError(f"{path} is not UTF-8, or changed meanwhile")
        known = self._editors.get(file.path)
        if known is None or known[0] != content:
            known = self._editors[file.path] = (content, _read(path, content, file.language))
        return known[1]

    def _holds(self, condition: str, job: Job) -> bool:
        reading = Reading(job.facts, self._now.service)
        return compile_condition(condition, Scope.JOB).evaluate(reading) is True

    def _period(self, job: Job) -> float | None:
        schedule = job.schedule
        if schedule.interval_seconds is not None:
            return schedule.interval_seconds
        if schedule.expression is None:
            return None
        start = datetime.combine(self.options.date, time())
        runs = next_runs(schedule, "UTC", start, _LOOKED_AT)
        gaps = [later - earlier for earlier, later in pairwise(runs)]
        return min(gaps, default=timedelta()).total_seconds() or None

    def _has_version(self, package: str, versions: str, path: str) -> bool | None:
        """By the nearest package.json that names the package."""
        folder = path
        while folder:
            folder = posixpath.dirname(folder)
            manifest = posixpath.join(folder, "package.json")
            if self._now.tree.get(manifest) is not None:
                stated = _dependency(self._now.tree.read(manifest), package)
                if stated is not None:
                    return holds_for(versions, stated)
        return None

    def _root(self) -> Path:
        real = Path(os.path.realpath(self.path))
        return real if real.is_dir() else real.parent

    def change(self, path: str, content: bytes) -> Change:
        """A file with its new content, its byte order mark kept."""
        before = self._raw[path]
        mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
        return Change(path, before, mark + content)


def _read(path: str, content: bytes, language: Language) -> Editor:
    if language is Language.PYTHON:
        from cronaudit.fix.python import read_python

        return read_python(path, content)
    return JavaScript(path, content, parser(language).parse(content).root_node)


def _dependency(manifest: bytes, package: str) -> str | None:
    try:
        document = json.loads(manifest)
    except ValueError:
        return None
    for key in ("dependencies", "devDependencies", "peerDependencies"):
        listed = document.get(key) if isinstance(document, dict) else None
        if isinstance(listed, dict) and isinstance(listed.get(package), str):
            return str(listed[package])
    return None


def read_recipes(options: AuditOptions) -> tuple[Recipe, ...]:
    """The fixes in force. Raises ConfigurationError."""
    checks = frozenset(check.id for check in load_catalogue(options.rules).checks)
    try:
        return load_recipes([rules_dir(), *options.rules], _wrong_with, checks)
    except FilesError as error:
        raise ConfigurationError(str(error)) from error


def _wrong_with(condition: str) -> str:
    try:
        compile_condition(condition, Scope.JOB)
    except ExpressionError as error:
        return str(error)
    return ""


def _wanted(options: FixOptions) -> Callable[[Audited, Target], bool]:
    from fnmatch import fnmatchcase

    from cronaudit.problems import did_you_mean

    known = [check.id for check in load_catalogue(options.audit.rules).checks]
    selected = {s.strip().upper() for text in options.select for s in text.split(",") if s.strip()}
    for name in sorted(selected):
        if not any(check == name or check.startswith(f"{name}-") for check in known):
            raise ConfigurationError(f"there is no check '{name}'{did_you_mean(name, known)}")
    chosen = {c for c in known if not selected or any(c == s or c.startswith(f"{s}-") for s in selected)}

    def wanted(audited: Audited, target: Target) -> bool:
        job, globs = audited.jobs[target.job], options.audit.job_globs
        return target.check in chosen and (
            not globs
            or any(fnmatchcase(n, g) for g in globs for n in (job.id, job.name or "", job.display_name))
        )

    return wanted
