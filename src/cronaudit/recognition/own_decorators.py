"""Decorators of the project's own that put what stands under them into a registry, with how often it runs.

``@every(interval=60) class Cleanup``: the decorator fills ``JOBS``, and a loop elsewhere plans what is in it. The loop
need not be a timer: it may hand each entry to a queue. Both have to be in the tree.
"""

from __future__ import annotations

import re
from typing import Final

from cronaudit.model.ir import Assign, Call, Const, Expr, Function, Index, Member, Module, Name
from cronaudit.model.knowledge import SchedulePart, Scheduler, Selector
from cronaudit.model.linker import Linker
from cronaudit.model.value import Closure
from cronaudit.model.walking import expressions, functions_in, inside, statements

TOKENS: Final = (b"(interval):", b"(interval: ", b"(every):", b"(every: ", b"(run_every):", b"(period):")
"""How a function begins whose first parameter says how often."""

_OFTEN: Final = ("interval", "every", "run_every", "period")
_FILLERS: Final = ("append", "add", "register", "insert")
_UNITS: Final = {"seconds": "s", "minutes": "min", "hours": "h", "days": "d", "milliseconds": "ms"}


class OwnDecorators:
    """Finds such decorators, and tells the description of what they arm."""

    def __init__(self, linker: Linker) -> None:
        self._linker = linker
        self._known: dict[int, Scheduler | None] = {}

    def defined_in(self, module: Module) -> bool:
        """Whether a module defines one."""
        source = self._linker.source(module.path)
        if not any(token in source for token in TOKENS):
            return False
        scope = self._linker.scope_of(module)
        functions = (
            f for f in self._linker.functions(module, *_OFTEN) if f.parent is module and f.owner is None
        )
        return any(self.scheduler(Closure(f, scope)) is not None for f in functions)

    def scheduler(self, decorator: Closure) -> Scheduler | None:
        """What a decorator arms; None where it registers nothing that runs again and again."""
        function = decorator.function
        if id(function) not in self._known:
            self._known[id(function)] = self._described(function)
        return self._known[id(function)]

    def _described(self, function: Function) -> Scheduler | None:
        position = next((n for n, p in enumerate(function.params) if p.name in _OFTEN), None)
        registry = _filled_by(function)
        if position is None or registry is None or not self._is_planned(registry, function.module):
            return None
        name = str(function.params[position].name)
        unit = self._unit(name, function.module)
        selectors = (
            Selector("kwargs", name, (), unit, f"kwargs.{name}"),
            Selector("args", position, (), unit, f"args.{position}"),
        )
        # Without a unit a number says nothing; a length of time has its own, and an expression needs none.
        form = "every" if unit is not None else "cron"
        return Scheduler(
            call="",
            kind="custom",
            how="decorator",
            schedule=tuple(SchedulePart(form, selector) for selector in selectors),
            name=tuple(
                Selector("decorated", None, members, None, "decorated")
                for members in (("name",), ("Meta", "name"))
            ),
            handler=(Selector("decorated", None, (), None, "decorated"),),
            traits=(("runner.library", "own"), ("runner.persistence", "none")),
        )

    def _is_planned(self, registry: str, module: Module) -> bool:
        """Whether a loop goes over the registry and does something with each entry."""
        loops = re.compile(
            rb"\bfor\b[^\n]+\bin\b[^\n]*\b" + re.escape(registry.encode()) + rb"\b[^\n]*:\s*\n"
        )
        near = {module.path, *self._linker.imported_files(module.path)}
        files = near | {user for path in near for user in self._linker.importing(path)}
        return any(loops.search(self._linker.source(path)) for path in sorted(files))

    def _unit(self, name: str, module: Module) -> str | None:
        """The unit of a number: that of the lengths of time which the module makes of a member of that name."""
        found = {
            unit
            for call, _node in self._linker.calls(module, ("timedelta",)).get("timedelta", ())
            for argument in call.args
            if (unit := _UNITS.get(argument.name or "")) is not None
            and any(isinstance(e, Name | Member) and e.name == name for e in inside(argument.value))
        }
        return found.pop() if len(found) == 1 else None


def _filled_by(function: Function) -> str | None:
    """The registry that the inner function of a decorator puts its argument into: by its key, else by its name."""
    for inner in functions_in(function):
        names = {p.name for p in inner.params}
        for statement in statements(inner.body):
            target = statement.target if isinstance(statement, Assign) else None
            if isinstance(target, Index) and isinstance(target.index, Name) and target.index.name in names:
                return _named(target.object)
        for expr in expressions(inner.body):
            callee = expr.callee if isinstance(expr, Call) else None
            if not isinstance(expr, Call) or not isinstance(callee, Member) or callee.name not in _FILLERS:
                continue
            given = (e for a in expr.args for e in inside(a.value))
            if any(isinstance(e, Name) and e.name in names for e in given):
                return _named(callee.object)
    return None


def _named(registry: Expr) -> str | None:
    if (
        isinstance(registry, Index)
        and isinstance(registry.index, Const)
        and isinstance(registry.index.value, str)
    ):
        return registry.index.value
    return registry.name if isinstance(registry, Name | Member) else None
