"""Schedulers that no library file describes: a call that is handed a cron expression and a function to run.

``jobs.plan('0 3 * * *', sweep)``: a function of the tree counts where it arms a timer (a copy of a scheduler, an engine
of the project's own), one of a package where its name speaks of schedules. Its other calls are jobs as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from cronaudit.knowledge.folds import CRON_UNIT
from cronaudit.knowledge.matcher import Matcher
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Const, Function, Module, Scalar
from cronaudit.model.knowledge import SchedulePart, Scheduler, Selector
from cronaudit.model.linker import Linker
from cronaudit.model.schedule import Dialect, ScheduleError
from cronaudit.model.source import Location
from cronaudit.model.trace import Trace
from cronaudit.model.value import Closure, External, Known, Scope, Value
from cronaudit.recognition import catalogues
from cronaudit.schedule.build import read_schedule

TOKENS: Final = (b" * *'", b' * *"', b" * *`", b" * * ")
"""What most expressions hold, as they stand in code."""

_FIELDS: Final = lazy_regex(r"\s*[\d*?,/A-Za-z#-]+(?:\s+[\d*?,/A-Za-z#-]+){4,5}\s*$")
_SPEAKING: Final = lazy_regex(r"cron|sched|job|task|timer|recur|repeat|every|interval|period", re.IGNORECASE)
_TIMERS: Final = (
    ":setTimeout",
    ":setInterval",
    "threading.Timer",
    ".call_later",
    "time.sleep",
    "asyncio.sleep",
)
_FEW: Final = 2


class Undescribed:
    """Finds such schedulers, each once."""

    def __init__(self, linker: Linker, matcher: Matcher) -> None:
        self._linker = linker
        self._matcher = matcher
        self.engines: set[Location] = set()
        """The functions of the tree that belong to one: the timers in them are no jobs."""
        self._walked: dict[int, Trace] = {}
        self._known: set[int] = set()

    def scheduler(self, call: Call, callee: Value, scope: Scope) -> Scheduler | None:
        """What a call of an undescribed function arms; None where it is no scheduler."""
        if not may_state_cron(call):
            return None
        if isinstance(callee, External) and (
            not _is_speaking(callee.path) or self._matcher.effects(callee.path)
        ):
            return None
        if not isinstance(callee, External | Closure):
            return None
        when = next(
            n for n, a in enumerate(call.args) if isinstance(a.value, Const) and _looks(a.value.value)
        )
        for position, argument in enumerate(call.args):
            if position == when or argument.name or argument.spread:
                continue
            if not isinstance(self._linker.fold(argument.value, scope), Closure):
                continue
            if isinstance(callee, Closure) and not self._arms(callee):
                if not catalogues.packs(self._linker, callee, call, scope, when, position):
                    return None
                return catalogues.entry(when, position, catalogues.naming(callee.function))
            return _described(when, position, is_own=isinstance(callee, Closure))
        return None

    def sites(self, callee: Value) -> tuple[tuple[Call, Function | Module], ...]:
        """All calls of a function of the tree, the first time that it is asked for."""
        if not isinstance(callee, Closure) or id(callee.function) in self._known:
            return ()
        self._known.add(id(callee.function))
        return self._linker.call_sites(callee.function)

    def _arms(self, callee: Closure) -> bool:
        """Whether a function ends in a timer, and in no scheduler that a library file describes."""
        found = self._walked.get(id(callee.function))
        if found is None:
            found = self._walked[id(callee.function)] = self._linker.walk(callee)
        reached = [e.external for e in found.events if e.external is not None]
        if any(self._matcher.scheduler(path, "call") for path in reached if not path.endswith(_TIMERS)):
            return False
        if not any(path.endswith(_TIMERS) for path in reached):
            return False
        self.engines.update(found.functions)
        return True


def may_state_cron(call: Call) -> bool:
    """Whether an argument is written as a cron expression, beside another one."""
    return len(call.args) >= _FEW and any(
        isinstance(a.value, Const) and _looks(a.value.value) for a in call.args
    )


def _looks(value: Scalar) -> bool:
    if not isinstance(value, str) or "*" not in value or _FIELDS.match(value) is None:
        return False
    return not isinstance(read_schedule(value, Dialect.SECONDS6), ScheduleError)


def _is_speaking(path: str) -> bool:
    return not path.startswith(("global:", "builtins.")) and _SPEAKING.search(path) is not None


def _described(when: int, work: int, *, is_own: bool) -> Scheduler:
    """A callback keeps its schedule in the memory of the process, whatever the package."""
    expression = Selector("args", when, (), None, f"args.{when}")
    return Scheduler(
        call="",
        kind="custom",
        how="call",
        schedule=(SchedulePart("cron", expression, "seconds6"),),
        handler=(Selector("args", work, (), None, f"args.{work}"),),
        traits=(("runner.library", "own" if is_own else "in-process"), ("runner.persistence", "none")),
    )


# ---- decorators --------------------------------------------------------------------------------------------------


def is_trigger(value: Value) -> bool:
    """Whether a value is a crontab that a library's call makes: ``CronTrigger(hour=3)``, ``crontab(minute=0)``."""
    return isinstance(value, Known) and value.unit is not None and value.unit.startswith(CRON_UNIT)


def is_handed_a_trigger(scheduler: Scheduler) -> bool:
    """Whether a description is that of a decorator that is handed a trigger."""
    return scheduler.how == "decorator" and not scheduler.library


def is_naming(keyword: str) -> bool:
    """Whether an argument of that name names a job."""
    return keyword.rsplit("_", 1)[-1] in ("name", "id")


def decorator_with(trigger: str, names: Iterable[str]) -> Scheduler:
    """The description of a decorator whose argument `trigger` is the schedule of what stands under it."""
    when = Selector("kwargs", trigger, (), None, f"kwargs.{trigger}")
    return Scheduler(
        call="",
        kind="custom",
        how="decorator",
        schedule=(SchedulePart("object", when, Dialect.APSCHEDULER),),
        name=tuple(Selector("kwargs", name, (), None, f"kwargs.{name}") for name in names),
        handler=(Selector("decorated", None, (), None, "decorated"),),
        traits=(("runner.library", "in-process"), ("runner.persistence", "none")),
    )
