"""``service.tests`` and what they try: a second run, a crash midway, two runs at once.

A test that is wrongly taken for one of these would hide that nobody has tried. So the run must be that of a job's own
function, not of something that it calls, the same twice, and followed by an assertion.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from msgspec import Struct

from cronaudit.model.facts import Fact
from cronaudit.model.source import Location
from cronaudit.model.value import Closure
from cronaudit.recognition.context import Service
from cronaudit.recognition.facts import lock
from cronaudit.recognition.service.acts import Act, Trial
from cronaudit.recognition.service.shutdown import graceful_handler
from cronaudit.recognition.service.subjects import subjects
from cronaudit.recognition.service.trials import test_files, trials

_LOCKED = frozenset(("lease", "session", "row", "slot", "queue", "message", "platform"))
_SUFFIXES = ("", ".ts", ".js", ".mjs", ".py")


class TestFacts(Struct, frozen=True):
    """What the tests of a service try."""

    tests: Fact[bool]
    double_run: Fact[bool]
    crash: Fact[bool]
    concurrent: Fact[bool]


def test_facts(service: Service) -> TestFacts:
    """All four, from one reading of the tests."""
    files = test_files(service)
    has_any = (
        Fact(value=True, detail=f"{len(files)} test files", locations=(Location(files[0], 1),))
        if files
        else Fact(value=False, detail="No tests in the tree")
    )
    found = list(trials(service, subjects(service)))
    double = next((t for t in found if _is_double(t)), None)
    crash = next((t for t in found if _is_crash(service, t)), None)
    at_once = next((t for t in found if _is_concurrent(t)), None)
    held = next((t for t in found if _finds_lock_held(t)), None)
    return TestFacts(
        has_any,
        _fact(
            double,
            "Test runs the job twice and asserts",
            "Tests exist, none runs a job twice" if files else "",
        ),
        _crash_fact(service, crash),
        _concurrent_fact(service, at_once, held, has_tests=bool(files)),
    )


def _fact(trial: Trial | None, words: str, otherwise: str) -> Fact[bool]:
    if trial is not None:
        return Fact(value=True, detail=words, locations=(trial.location,))
    return Fact(value=False, detail=otherwise)


def _crash_fact(service: Service, trial: Trial | None) -> Fact[bool]:
    if trial is not None:
        return Fact(value=True, detail="Test kills a run midway and resumes it", locations=(trial.location,))
    handler = graceful_handler(service)
    if handler is not None:
        return Fact(value=False, detail=f"{handler[0]} only", locations=(handler[1],))
    return Fact(value=False)


def _concurrent_fact(
    service: Service, at_once: Trial | None, held: Trial | None, *, has_tests: bool
) -> Fact[bool]:
    if at_once is not None:
        words = "Test runs the job concurrently and asserts"
        return Fact(value=True, detail=words, locations=(at_once.location,))
    if held is not None:
        return Fact(
            value=True, detail="Test finds the lock held and asserts the skip", locations=(held.location,)
        )
    for context in service.jobs:
        guard = lock.build(context)
        if guard.kind.value in _LOCKED and guard.acquire_failure.value != "ignored":
            places = guard.coverage.locations or guard.kind.locations
            words = "Lock prevents, no such test" if has_tests else "Lock prevents, no tests"
            return Fact(value=False, detail=words, locations=places[:1])
    return Fact(value=False, detail="Neither lock nor test")


def _runs(trial: Trial) -> list[tuple[int, Act]]:
    return [(n, a) for n, a in enumerate(trial.acts) if a.kind == "run"]


def _asserts_after(trial: Trial, position: int) -> bool:
    return any(a.kind == "assert" for a in trial.acts[position + 1 :])


def _is_double(trial: Trial) -> bool:
    """The same run twice, one after the other, and an assertion behind the second.

    Not the same: a run on a name that stands for something else by then, and one that a mock of its own watches after
    the test has changed something (paused, nothing is sent; resumed, it is).
    """
    counts: dict[tuple[int, str], int] = {}
    changed = False
    for position, act in enumerate(trial.acts):
        if act.kind == "assign":
            counts = {k: n for k, n in counts.items() if not re.search(rf"\b{act.texts[0]}\b", k[1])}
        elif act.kind == "change":
            changed = True
        elif act.kind == "scene" and changed:
            counts.clear()
        if act.kind != "run" or act.fails or act.group:
            continue
        changed = False
        key = (act.subject, act.args)
        counts[key] = counts.get(key, 0) + act.times
        if counts[key] >= 2 and _asserts_after(trial, position):
            return True
    return False


def _is_concurrent(trial: Trial) -> bool:
    """Two runs of one job in one group, and an assertion behind them."""
    counts: dict[tuple[int, int], int] = {}
    for position, act in _runs(trial):
        if not act.group:
            continue
        key = (act.subject, act.group)
        counts[key] = counts.get(key, 0) + act.times
        if counts[key] >= 2 and _asserts_after(trial, position):
            return True
    return False


def _is_crash(service: Service, trial: Trial) -> bool:
    """A run in a child process that is killed, or one that is made to fail, and then a run that is not."""
    kills = [n for n, a in enumerate(trial.acts) if a.kind == "kill"]
    spawned = [n for n, a in enumerate(trial.acts) if a.kind == "spawn"]
    for position, act in _runs(trial):
        if act.fails or act.group or not _asserts_after(trial, position):
            continue
        earlier = trial.acts[:position]
        if any(
            a.kind == "run" and a.fails and a.subject == act.subject and a.args == act.args for a in earlier
        ):
            return True
        killed = any(s < k < position for s in spawned for k in kills)
        if killed and _child_runs_job(service, trial):
            return True
    return False


def _child_runs_job(service: Service, trial: Trial) -> bool:
    """Whether a script that the test names calls a job."""
    targets = subjects(service)
    folder = posixpath.dirname(trial.location.path)
    for text in trial.texts:
        if not re.search(r"[\w-]+\.(?:[cm]?[jt]s|py)$", text):
            continue
        for base in (folder, ""):
            stem = posixpath.normpath(posixpath.join(base, text))
            for suffix in _SUFFIXES:
                if _calls_job(service, f"{stem}{suffix}", targets):
                    return True
    return False


def _calls_job(service: Service, path: str, targets: Mapping[int, object]) -> bool:
    if service.tree.get(path) is None:
        return False
    module = service.linker.module(path)
    if module is None:
        return False
    for found in service.linker.calls(module).values():
        for call, node in found:
            callee = service.linker.fold(call.callee, service.linker.scope_of(node))
            if isinstance(callee, Closure) and id(callee.function) in targets:
                return True
    return False


def _finds_lock_held(trial: Trial) -> bool:
    """The test takes the lock itself, runs the job, and asserts that nothing was done."""
    held = next((n for n, a in enumerate(trial.acts) if a.kind == "held"), None)
    if held is None:
        return False
    return any(
        position > held and any(a.kind == "assert" and a.is_negative for a in trial.acts[position + 1 :])
        for position, act in _runs(trial)
        if not act.fails
    )
