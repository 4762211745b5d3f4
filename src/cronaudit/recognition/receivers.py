"""Jobs that receive a signal of the project's own, which a scheduled job or a periodic command sends round.

The sender is the engine, and each receiver is a job: it is written, named and fails on its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import Deployment
from cronaudit.model.ir import Assign, Call, Const, Function, Loop, Member, Module, Name, Return
from cronaudit.model.linker import Bound, Linker
from cronaudit.model.source import Language, Location, Role, SourceTree
from cronaudit.model.trace import Event
from cronaudit.model.value import Arguments, Closure, External, Instance, Known, Sequence, Unknown, Value
from cronaudit.model.walking import contains, expressions, statements
from cronaudit.recognition.commands import command_of, scheduled_by
from cronaudit.recognition.found import Registration
from cronaudit.recognition.timing import read_expression

_SIGNALS = lazy_regex(
    r"(django\.dispatch(\.dispatcher)?\.Signal|blinker(\.base)?\.(Signal|NamedSignal|signal))(\(\))?$",
)
_DECORATORS = lazy_regex(r"django\.dispatch(\.dispatcher)?\.receiver$")
_SENDS = frozenset(
    ("send", "send_robust", "asend", "asend_robust", "send_async", "_live_receivers", "receivers_for")
)
_SENT = lazy_regex(rb"\.(a?send(_robust|_async)?|_live_receivers|receivers_for)\(")
_COMMANDS = lazy_regex(r"(^|/)management/commands/[^/_][^/]*\.py$")
_PERIODIC = lazy_regex(
    r"periodic|cron|schedul|hourly|daily|nightly|weekly|monthly|minutely|every_|_tick|^tick|heartbeat|recurring",
)
"""What the name of a command, or of the signal that it sends, says of one that is run again and again."""


class _Sent(Struct, frozen=True, eq=False):
    """A signal that an engine sends."""

    engine: Registration
    signal: Location
    """Where the signal is made."""
    name: str
    """Of the variable that holds it."""
    run_by: Call
    """The call that runs the receivers."""


class Receivers:
    """Finds the receivers of periodic signals."""

    def __init__(self, linker: Linker, tree: SourceTree, deployment: Deployment) -> None:
        self._linker = linker
        self._tree = tree
        self._deployment = deployment

    def registrations(self, known: list[Registration]) -> tuple[list[Registration], list[Registration]]:
        """The jobs of all periodic signals, and those of the `known` ones that only send such a signal."""
        found: list[Registration] = []
        engines: list[Registration] = []
        for engine in known:
            jobs = [job for sent in self._sent_by(engine) for job in self._jobs(sent)]
            if jobs:
                engines.append(engine)
                found += jobs
        for engine in self._commands():
            found += [job for sent in self._sent_by(engine) for job in self._jobs(sent)]
        return found, engines

    # ---- senders ---------------------------------------------------------------------------------------------

    def _commands(self) -> Iterator[Registration]:
        """The management commands that send something, each as what runs periodically."""
        for file in self._tree.files:
            path = file.path
            if not _COMMANDS.search(path) or self._tree.role_of(path) is not Role.SERVER:
                continue
            module = self._linker.module(path) if _SENT.search(self._linker.source(path)) else None
            for cls in self._linker.classes(module) if module is not None else ():
                handle = cls.method("handle")
                name = command_of(handle, self._linker) if handle is not None else None
                if module is not None and handle is not None and name is not None:
                    yield self._command(name, handle, module)

    def _command(self, name: str, handle: Function, module: Module) -> Registration:
        scope = self._linker.scope_of(handle.parent)
        owner = handle.owner
        this = Instance(self._linker.class_value(owner), None) if owner is not None else None
        at = handle.location
        stated = scheduled_by(name, self._deployment)
        value: Value = Unknown(f"nothing in the tree says when the command {name} is run", at)
        if stated is not None and stated.value is not None:
            value = Known(stated.value, stated.location)
        timing = read_expression(value, "unix5", self._linker)
        assert timing is not None  # noqa: S101 - a cron form always gives one
        return Registration(
            kind="custom",
            call=External("", Arguments((), {}), at),
            node=module,
            bound=Bound(scope, ()),
            site=at,
            timing=timing,
            name=name,
            handler=Closure(handle, scope, this),
            traits={"runner.library": "in-process", "runner.persistence": "one"},
        )

    def _sent_by(self, engine: Registration) -> Iterator[_Sent]:
        handler = engine.handler
        if not isinstance(handler, Closure) or handler.function.module.language is not Language.PYTHON:
            return
        if not _SENT.search(self._linker.source(handler.function.module.path)):
            return
        for event in self._linker.walk(handler).events:
            call = event.call
            if call is None or not isinstance(call.callee, Member) or call.callee.name not in _SENDS:
                continue
            made = self._signal(self._linker.fold(call.callee.object, event.scope))
            name = self._variable(made) if made is not None else None
            if made is None or name is None:
                continue
            if _PERIODIC.search(name) or (engine.scheduler is None and _PERIODIC.search(engine.name or "")):
                yield _Sent(engine, made, name, _running(event, call))

    def _signal(self, value: Value) -> Location | None:
        """Where a signal is made; None where the value is none."""
        if isinstance(value, External) and _SIGNALS.match(value.path):
            return value.at
        if isinstance(value, Instance):
            for base in self._linker.lineage(value.of):
                if isinstance(base, External) and _SIGNALS.match(base.path):
                    return value.at
        return None

    def _variable(self, made: Location) -> str | None:
        module = self._linker.module(made.path)
        for statement in module.body if module is not None else ():
            if isinstance(statement, Assign) and statement.line <= made.line <= statement.end_line:
                return statement.target.name if isinstance(statement.target, Name) else None
        return None

    # ---- receivers -------------------------------------------------------------------------------------------

    def _jobs(self, sent: _Sent) -> Iterator[Registration]:
        """The receivers that work: where only the command is called periodic, one that gives something back is none."""
        for job in self._received(sent):
            work = job.handler
            asked = isinstance(work, Closure) and _gives(work.function) and not _PERIODIC.search(sent.name)
            if not asked:
                yield job

    def _received(self, sent: _Sent) -> Iterator[Registration]:
        made = sent.signal.path
        for path in dict.fromkeys((made, *self._linker.importing(made))):
            if (
                sent.name.encode() not in self._linker.source(path)
                or self._tree.role_of(path) is not Role.SERVER
            ):
                continue
            module = self._linker.module(path)
            if module is None:
                continue
            for function in self._linker.decorated(module):
                line = self._decorated(function, sent.signal)
                if line is not None:
                    yield self._job(sent, function, Location(path, line, function.end_line))
            for call, node in self._linker.calls(module, ("connect",)).get("connect", ()):
                work = self._connected(call, node, sent.signal)
                if work is not None:
                    yield self._job(sent, work, Location(path, call.line, call.end_line))

    def _decorated(self, function: Function, signal: Location) -> int | None:
        """The line of the decorator that makes a function a receiver of the signal."""
        scope = self._linker.scope_of(function.parent)
        for decorator in function.decorators:
            call = decorator if isinstance(decorator, Call) else None
            callee = call.callee if call is not None else decorator
            if isinstance(callee, Member) and callee.name in ("connect", "connect_via"):
                if self._signal(self._linker.fold(callee.object, scope)) == signal:
                    return callee.line
            elif call is not None:
                named = self._linker.fold(callee, scope)
                if isinstance(named, External) and _DECORATORS.match(named.path):
                    args = self._linker.arguments(call, scope)
                    listed = args.positional[0] if args.positional else args.named.get("signal")
                    value = self._linker.force(listed) if listed is not None else None
                    items = (
                        value.items if isinstance(value, Sequence) else (value,) if value is not None else ()
                    )
                    if any(self._signal(self._linker.force(item)) == signal for item in items):
                        return call.line
        return None

    def _connected(self, call: Call, node: Function | Module, signal: Location) -> Function | None:
        """The function that ``signal.connect(f)`` makes a receiver."""
        if not isinstance(call.callee, Member) or not call.args:
            return None
        scope = self._linker.scope_of(node)
        if self._signal(self._linker.fold(call.callee.object, scope)) != signal:
            return None
        work = self._linker.fold(call.args[0].value, scope)
        return work.function if isinstance(work, Closure) else None

    def _job(self, sent: _Sent, function: Function, at: Location) -> Registration:
        engine = sent.engine
        scope = self._linker.scope_of(function.parent)
        return Registration(
            kind="custom" if engine.scheduler is None else engine.kind,
            scheduler=engine.scheduler,
            call=engine.call,
            node=function.module,
            bound=Bound(scope, (at,)),
            site=at,
            timing=engine.timing,
            timezone=engine.timezone,
            handler=Closure(function, scope),
            options=dict(engine.options),
            traits=dict(engine.traits),
            item=at,
            engine=engine,
            run_by=sent.run_by,
        )


def _gives(function: Function) -> bool:
    """Whether a function gives something back."""
    returned = (s.value for s in statements(function.body) if isinstance(s, Return))
    return any(value is not None and not isinstance(value, Const) for value in returned)


def _running(event: Event, call: Call) -> Call:
    """The call that runs the receivers: the sending one, or that of each item of the list that it gives."""
    node = event.scope.node
    for statement in statements(node.body):
        if (
            not isinstance(statement, Loop)
            or statement.iterable is None
            or not isinstance(statement.target, Name)
        ):
            continue
        if contains(statement.iterable, call):
            wanted = statement.target.name
            for expr in expressions(statement.body):
                if isinstance(expr, Call) and isinstance(expr.callee, Name) and expr.callee.name == wanted:
                    return expr
    return call
