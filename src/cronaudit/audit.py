"""The pipeline: one call a stage, in the order in which they depend on each other."""

from __future__ import annotations

import gc
import posixpath
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from cronaudit import __version__
from cronaudit.assets import cache_dir, rules_dir
from cronaudit.knowledge.folds import LibraryFolds
from cronaudit.knowledge.loader import KnowledgeError, load
from cronaudit.knowledge.matcher import Matcher
from cronaudit.linking.index import Index
from cronaudit.model.job import Job, JobState
from cronaudit.model.options import AuditOptions, AuditOutcome, ConfigurationError, Waiver
from cronaudit.model.result import AuditResult, BaselineComparison, Target
from cronaudit.model.rule import Catalogue
from cronaudit.model.source import NOT_RUN, Diagnostic, Language, Role
from cronaudit.model.verdict import CheckResult
from cronaudit.parsing import LANGUAGES, parse
from cronaudit.recognition.finding import Inputs, may_define, recognise
from cronaudit.recognition.found import Rejection
from cronaudit.recognition.own_decorators import TOKENS as DECORATOR_TOKENS
from cronaudit.recognition.undescribed import TOKENS as CRON_TOKENS
from cronaudit.ruleset.baseline import BaselineError, compare, read_baseline, render_baseline
from cronaudit.ruleset.catalogue import CatalogueError
from cronaudit.ruleset.catalogue import load_catalogue as load_rules
from cronaudit.ruleset.evaluate import evaluate
from cronaudit.ruleset.summary import summarise
from cronaudit.ruleset.suppress import Comment, ConfiguredWaiver, mentions_waiver
from cronaudit.ruleset.suppress import suppress as waive
from cronaudit.schedule.durations import duration_words
from cronaudit.seen import Seen
from cronaudit.survey import Survey
from cronaudit.target import ImportTable, Mentions, Tree, imports, search, service_name

_LOOPS = (
    b"setTimeout",
    b"while (true)",
    b"while(true)",
    b"for (;;)",
    b"for(;;)",
    b"while (!",
    b"while (this.",
    b"while(!",
    b"while True",
    b"while not ",
    b"while 1:",
    b"while self.",
    b"time.sleep(",
    b"asyncio.sleep(",
    b"import sleep",
    b"time, sleep",
    b"while (running",
    b"itertools.count(",
)
"""How own timers and endless loops begin; no library file declares them, their shape does."""
_RECURSION = 20_000
_FILTERS: dict[str, Callable[[Any], object]] = {
    "duration": lambda seconds: duration_words(float(seconds)),
    "ms": lambda seconds: int(float(seconds) * 1000),
}


def audit(path: Path, options: AuditOptions, survey: Survey | None = None) -> AuditOutcome:
    """Audit a file or folder, of which a survey may have begun already. Nothing of it is executed.

    Raises:
        ConfigurationError: the catalogue, a library file or the baseline is wrong.
        OSError: the target cannot be read.

    """
    with _deep_recursion():
        return _audit(path, options, survey or Survey(path, options.rules))


def _audit(path: Path, options: AuditOptions, survey: Survey) -> AuditOutcome:
    progress = options.on_progress or _ignore
    catalogue = load_catalogue(options.rules)
    matcher = _matcher(options.rules)
    progress("Walking", 0, 0)
    tree = survey.tree().with_contents(options.overlay)
    inputs = _inputs(tree, matcher, options, survey, progress)
    findings, notes = recognise(
        inputs,
        lambda done, total: progress("Finding jobs", done, total),
        lambda: _Note(tuple(_comments(inputs)), (*tree.diagnostics, *survey.unread, *_broken(inputs))),
        options.processes,
    )
    jobs = _selected(findings.jobs, options.job_globs)
    progress("Checking", 0, 0)
    rows = evaluate(catalogue, jobs, findings.service, _FILTERS)
    comments = sorted({c for note in notes for c in note.comments}, key=attrgetter("path", "line"))
    waived = waive(rows, catalogue, jobs, comments, [_configured(w) for w in options.waivers])
    runtimes = _runtimes(jobs, tree)
    result = AuditResult(
        version=__version__,
        date=options.date.isoformat(),
        target=Target(path.as_posix(), service_name(tree, path), runtimes),
        catalogue=catalogue,
        summary=summarise(waived.results, catalogue, jobs, findings.service, runtimes, _FILTERS),
        jobs=jobs,
        checks=waived.results,
        service=findings.service,
        baseline=_baseline(options.baseline, waived.results),
        suppressions=waived.suppressions,
        diagnostics=tuple(
            sorted(
                {
                    *waived.diagnostics,
                    *_cut(jobs),
                    *_left_out(findings.rejections),
                    *(d for note in notes for d in note.diagnostics),
                }
            )
        ),
    )
    return AuditOutcome(result, Seen(jobs, findings, inputs))


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Room for chains of two thousand ``else if``, and no collector: the trees of a scan are all kept to its end.

    The collector would look at every node again and again; without it a scan takes two thirds of the time.
    """
    limit, collecting = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(limit, _RECURSION))
    gc.disable()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if collecting:
            gc.enable()


def load_catalogue(rules: tuple[Path, ...]) -> Catalogue:
    """The checks, issues and sections in force. Raises ConfigurationError."""
    try:
        return load_rules([rules_dir(), *rules], cache_dir())
    except CatalogueError as error:
        raise ConfigurationError(str(error)) from error


def baseline_text(result: AuditResult) -> str:
    """The findings of a result as a baseline."""
    return render_baseline(result.checks)


# ---- the stages before recognition ------------------------------------------------------------------------------


def _matcher(rules: tuple[Path, ...]) -> Matcher:
    try:
        return Matcher(load([rules_dir(), *rules], cache_dir()))
    except KnowledgeError as error:
        raise ConfigurationError(str(error)) from error


class _Files(Struct):
    """The files of the target as linking asks for them."""

    tree: Tree

    def language(self, path: str) -> Language | None:
        """The language of a file that may be parsed."""
        file = self.tree.get(path)
        return file.language if file is not None and file.language in LANGUAGES else None

    def read(self, path: str) -> bytes:
        """The content."""
        return self.tree.read(path)

    def runs(self, path: str) -> bool:
        """Whether a file is part of what runs in production."""
        # By its path alone: the content is only asked where a job may stand, and most files are asked about here.
        file = self.tree.get(path)
        return file is not None and file.role not in NOT_RUN


class _Imports(Struct):
    """The import index as linking asks for it."""

    table: ImportTable

    def files_importing(self, last_segment: str) -> list[tuple[str, str]]:
        return [(site.path, site.specifier) for site in self.table.files_importing(last_segment)]

    def imports_of(self, path: str) -> list[str]:
        return [site.specifier for site in self.table.imports_of(path)]

    def names_of(self, path: str) -> tuple[tuple[str, str], ...]:
        return self.table.names_of(path)


def _inputs(
    tree: Tree,
    matcher: Matcher,
    options: AuditOptions,
    survey: Survey,
    progress: Callable[[str, int, int], None],
) -> Inputs:
    progress("Searching", 0, 0)
    mentions = Mentions(tree)
    arming = (*matcher.tokens(), *_LOOPS, *CRON_TOKENS, *DECORATOR_TOKENS)
    hits = search(tree, (*arming, *matcher.service_tokens()))
    table = imports(tree)
    index = Index(_Files(tree), _importable(tree), parse, _Imports(table), LibraryFolds(matcher))
    packages = {p for library in matcher.libraries if library.consumers for p in library.packages}
    consumers = sorted(
        {
            site.path
            for package in packages
            for site in table.files_importing(package.rsplit("/", 1)[-1])
            # ``from acme.celery import AcmeCelery``: a package's own kind of it is one, too.
            if site.specifier in (package, site.specifier.rpartition(".")[0] + "." + package)
            and tree.role_of(site.path) is Role.SERVER
        }
    )
    return Inputs(
        linker=index,
        matcher=matcher,
        tree=tree,
        hits=hits,
        candidates=may_define(tree, sorted({*hits.files_with(*arming), *_named(tree, matcher.tokens())})),
        consumers=tuple(consumers),
        deployment=survey.deployment(tree),
        date=options.date,
        mentioned=mentions.elsewhere,
        is_hook=mentions.is_hook,
    )


def _importable(tree: Tree) -> frozenset[str]:
    """What imports may lead to: a copied Python package is a library, and none of this project's code."""
    return frozenset(
        f.path for f in tree.files if f.role is not Role.VENDORED or f.language is not Language.PYTHON
    )


def _named(tree: Tree, tokens: Iterable[bytes]) -> Iterable[str]:
    """Code whose own path holds a token: what a framework loads by its place need not say so inside."""
    words = tuple(token.decode() for token in tokens)
    return (f.path for f in tree.files if f.language in LANGUAGES and any(word in f.path for word in words))


# ---- the result -------------------------------------------------------------------------------------------------


def _selected(jobs: tuple[Job, ...], globs: tuple[str, ...]) -> tuple[Job, ...]:
    if not globs:
        return jobs
    return tuple(
        j for j in jobs if any(fnmatchcase(n, g) for g in globs for n in (j.id, j.name or "", j.display_name))
    )


def _runtimes(jobs: Iterable[Job], tree: Tree) -> tuple[str, ...]:
    live = [j for j in jobs if j.state is JobState.LIVE] or list(jobs)
    suffixes = {posixpath.splitext(j.location.path)[1] for j in live}
    if not suffixes:
        suffixes = {posixpath.splitext(f.path)[1] for f in tree.files if f.role is Role.SERVER}
    found = []
    if suffixes & {".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"}:
        found.append("node")
    if ".py" in suffixes:
        found.append("python")
    return tuple(found)


def _baseline(path: Path | None, rows: tuple[CheckResult, ...]) -> BaselineComparison | None:
    if path is None:
        return None
    try:
        return compare(rows, read_baseline(path.read_text(encoding="utf-8")))
    except (BaselineError, OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


class _Note(NamedTuple):
    """What a process has come across in the files that it read."""

    comments: tuple[Comment, ...]
    diagnostics: tuple[Diagnostic, ...]


def _comments(inputs: Inputs) -> list[Comment]:
    found: list[Comment] = []
    for module in inputs.linker.parsed():
        if any(mentions_waiver(c.text) for c in module.comments):
            found += [Comment(module.path, c.line, c.text) for c in module.comments]
    return found


def _configured(waiver: Waiver) -> ConfiguredWaiver:
    return ConfiguredWaiver(waiver.job, waiver.checks, waiver.reason, waiver.path, waiver.line)


def _cut(jobs: Iterable[Job]) -> list[Diagnostic]:
    return [
        Diagnostic(j.location.path, f"{j.display_name}: {j.walk.reason}")
        for j in jobs
        if not j.walk.complete and j.handler is not None
    ]


def _left_out(rejections: Iterable[Rejection]) -> list[Diagnostic]:
    return [
        Diagnostic(r.location.path, f"line {r.location.line}: {r.reason}")
        for r in rejections
        if r.is_scheduled
    ]


def _broken(inputs: Inputs) -> list[Diagnostic]:
    return [
        Diagnostic(
            m.path, f"line {m.errors[0]}: the grammar could not read it; what it could read was audited"
        )
        for m in inputs.linker.parsed()
        if m.errors
    ]


def _ignore(_what: str, _done: int, _total: int) -> None:
    return
