"""Jobs that are only listed: a function of the project packs a cron expression and the work into an object.

``export const purge = createJob('purge', '0 3 * * *', async () => {…})`` arms nothing. What reads the list does: a
route that an outside scheduler asks, a runner in another process. So each call is a job, unless a scheduler of the tree
is seen to arm it as well.
"""

from __future__ import annotations

import re
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Assign, Call, Function, Module, Name
from cronaudit.model.knowledge import SchedulePart, Scheduler, Selector
from cronaudit.model.linker import Linker
from cronaudit.model.value import Closure, Known, Record, Scope, Value
from cronaudit.model.walking import calls_in, definitions_in, inside
from cronaudit.recognition.found import Registration
from cronaudit.recognition.naming import NAMES

_SCHEDULE: Final = lazy_regex(r"cron|schedul|^rule$|^pattern$", re.IGNORECASE)
"""Under such a name an object keeps when its job runs."""


def packs(linker: Linker, callee: Closure, call: Call, scope: Scope, when: int, work: int) -> bool:
    """Whether a call gives an object that keeps its argument `when` as a schedule, and `work` or what calls it."""
    params = callee.function.params
    if max(when, work) >= len(params):
        return False
    made = linker.apply(callee, linker.arguments(call, scope))
    if not isinstance(made, Record):
        return False
    stated, run = linker.fold(call.args[when].value, scope), linker.fold(call.args[work].value, scope)
    keeps = any(
        _SCHEDULE.search(key) and _is_same(linker.force(entry), stated) for key, entry in made.entries.items()
    )
    return keeps and any(
        _runs(linker.force(entry), run, callee.function, params[work].name) for entry in made.entries.values()
    )


def entry(when: int, work: int, name: int | None) -> Scheduler:
    """The description of a function whose calls list jobs."""
    expression = Selector("args", when, (), None, f"args.{when}")
    return Scheduler(
        call="",
        kind="custom",
        how="call",
        schedule=(SchedulePart("cron", expression, "seconds6"),),
        name=() if name is None else (Selector("args", name, (), None, f"args.{name}"),),
        handler=(Selector("args", work, (), None, f"args.{work}"),),
        traits=(("runner.library", "own"), ("runner.persistence", "one")),
        starts="",
    )


def naming(maker: Function) -> int | None:
    """The place of the parameter that names the job."""
    return next((n for n, p in enumerate(maker.params) if p.name in NAMES), None)


def is_listed(registration: Registration) -> bool:
    """Whether a job is only listed, and no call is seen to arm it."""
    scheduler = registration.scheduler
    return scheduler is not None and scheduler.how == "call" and not scheduler.call and not scheduler.starts


def variable_of(registration: Registration) -> tuple[str, Module] | None:
    """The variable of its file in which a listed job is kept; None where it is handed on at once."""
    node, call = registration.node, registration.call.call
    if not isinstance(node, Module) or call is None:
        return None
    for statement in node.body:
        if isinstance(statement, Assign) and isinstance(statement.target, Name) and statement.value is call:
            return statement.target.name, node
    return None


def _is_same(kept: Value, stated: Value) -> bool:
    if not isinstance(kept, Known) or not isinstance(stated, Known):
        return False
    return kept.value == stated.value


def _runs(value: Value, work: Value, maker: Function, parameter: str | None) -> bool:
    """Whether an entry of the object is the work, or a function of the maker that calls it."""
    if not isinstance(value, Closure):
        return False
    if isinstance(work, Closure) and value.function is work.function:
        return True
    return value.function.parent is maker and _speaks_of(value.function, parameter)


def _speaks_of(function: Function, parameter: str | None) -> bool:
    for call in calls_in(function):
        if any(isinstance(e, Name) and e.name == parameter for e in inside(call)):
            return True
    return any(_speaks_of(f, parameter) for f in definitions_in(function) if isinstance(f, Function))
