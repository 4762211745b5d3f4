"""The locks on a job's walk: calls that a library declares, texts that take or release one, blocks that hold one."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.model.ir import Assign, Call, Do, Expr, If, Member, Name, Return, With
from cronaudit.model.source import Location
from cronaudit.model.trace import Event
from cronaudit.model.value import Closure, External, Instance
from cronaudit.model.walking import inside, statement_expressions, statements
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.lock_backend import is_in_process
from cronaudit.recognition.facts.lock_runs import Guarded
from cronaudit.recognition.facts.lock_texts import SKIPPING, Transaction, lock_sightings, transaction_of
from cronaudit.recognition.facts.spans import Spans
from cronaudit.recognition.sightings import Sighting, text_of

_TAKING = ("lock.acquire", "lock.with", "leader.elect")
_ENTERING = ("__enter__", "__aenter__")
_LEAVING = ("__exit__", "__aexit__")


class Lock(Struct, frozen=True):
    """One lock that the walk comes to."""

    sighting: Sighting
    """The call that takes it, or makes what is held in a block."""
    guarded: Guarded
    releases: tuple[Sighting, ...]
    extends: tuple[Sighting, ...]
    inner: tuple[Sighting, ...] = ()
    """What the project's own context manager does when it is left."""
    holder: Event | None = None
    """The function of the project that takes it on behalf of the job, where that lies in another file or class."""
    caller: Event | None = None
    """The call of that function."""
    label: str = ""
    """How the block is written that holds it: ``with backup_lock``."""

    @property
    def skips(self) -> bool:
        """Whether rows that another holds are left out."""
        args = self.sighting.view.args
        values = (self.sighting.linker.force(a) for a in args.positional) if args is not None else ()
        return any(SKIPPING.search(t) for v in values if (t := text_of(v)) is not None)

    @property
    def kind(self) -> str:
        """What keeps it."""
        word = self.sighting.description.word("kind")
        return str(word) if word is not None else "lease"


def find_locks(context: JobContext, spans: Spans) -> tuple[Lock, ...]:
    """The locks shared between processes, in the order of the walk."""
    sightings = lock_sightings(context)
    blocks = _blocks(spans)
    releases = tuple(s for s in sightings if s.effect in ("lock.release", "key.delete"))
    extends = tuple(s for s in sightings if s.effect in ("lock.extend", "key.expire"))
    found: list[Lock] = []
    for sighting in sightings:
        if sighting.effect in _TAKING and not is_in_process(sighting, context.service):
            of_statement = _is_of_statement(sighting)
            held = transaction_of(sighting, sightings, context, spans) if of_statement else None
            if of_statement and held is None:
                continue
            lock = _lock(sighting, blocks, releases, extends, spans, held)
            if lock is not None:
                found.append(lock)
    found.extend(_own_managers(context, spans, extends))
    return tuple(found)


def _is_of_statement(sighting: Sighting) -> bool:
    """Whether a lock lives no longer than the transaction of its statement."""
    word = sighting.description.word("kind")
    return (
        word == "transaction"
        or (word == "row" and sighting.text("sql") is not None)
        or (word == "row" and not sighting.description.param("key") and not sighting.description.param("ttl"))
    )


def _lock(
    sighting: Sighting,
    blocks: dict[int, tuple[With, frozenset[int]]],
    releases: tuple[Sighting, ...],
    extends: tuple[Sighting, ...],
    spans: Spans,
    held: Transaction | None,
) -> Lock | None:
    event = sighting.event
    block = blocks.get(id(event.call))
    is_wrapper = sighting.effect == "lock.with" and block is None
    if is_wrapper and not spans.callbacks(event) and not _passes_function(event):
        return None
    mine = tuple(r for r in releases if _belongs(r, sighting) and r.event.order != event.order)
    given_back = frozenset(r.event.order for r in mine) if block is None and not is_wrapper else frozenset()
    if held is not None:
        mine, given_back = (), held.releases
    guarded = Guarded(
        event=event,
        block=block[0] if block is not None else None,
        is_wrapper=is_wrapper,
        failure=_failure(sighting, holds_block=block is not None or is_wrapper),
        releases=given_back,
        ends=held.ends if held is not None else frozenset(),
        marks=frozenset({event.order}) if block is None else block[1] | {event.order},
    )
    longer = tuple(e for e in extends if _belongs(e, sighting) and e.event.order > event.order)
    return Lock(sighting, guarded, mine, longer)


def _passes_function(event: Event) -> bool:
    from cronaudit.model.ir import Function

    return event.call is not None and any(isinstance(a.value, Function) for a in event.call.args)


def _failure(sighting: Sighting, *, holds_block: bool) -> str:
    word = sighting.description.word("failure")
    if word is not None:
        return str(word)
    if sighting.description.word("kind") == "row" and _is_of_statement(sighting):
        return "waits"
    return "throws" if holds_block else "falsy"


def _belongs(release: Sighting, taken: Sighting) -> bool:
    """Whether a release gives back what was taken: the same key where both are known, and the same kind."""
    mine, other = taken.text("key"), release.text("key")
    if release.effect.startswith("key."):
        return mine is not None and mine == other
    if mine is not None and other is not None and "${" not in mine + other and mine != other:
        return False
    kinds = (taken.description.word("kind") or "lease", release.description.word("kind") or "lease")
    return kinds[0] == kinds[1] or release.description.word("kind") is None


# ---- blocks ----------------------------------------------------------------------------------------------------


def _blocks(spans: Spans) -> dict[int, tuple[With, frozenset[int]]]:
    """The call that makes what a ``with`` block holds, with the block and the orders inside it."""
    found: dict[int, tuple[With, frozenset[int]]] = {}
    for block in spans.blocks():
        for value, _target in block.node.items:
            for made in inside(value):
                if isinstance(made, Call):
                    found[id(made)] = (block.node, block.orders)
            folded = spans.context.linker.fold(value, block.first.scope)
            if isinstance(folded, External) and folded.call is not None:
                found.setdefault(id(folded.call), (block.node, block.orders))
    return found


def _own_managers(
    context: JobContext,
    spans: Spans,
    extends: tuple[Sighting, ...],
) -> list[Lock]:
    """``with lock:``: a class of the project takes it in ``__enter__``, or a generator before it yields."""
    found: list[Lock] = []
    for block in spans.blocks():
        node, event = block.node, block.first
        for value, _target in node.items:
            folded = context.linker.fold(value, event.scope)
            if isinstance(folded, Instance):
                taken = _entered(context, folded, _ENTERING, _TAKING)
                left = _entered(context, folded, _LEAVING, ("lock.release", "log"))
                shared = [t for t in taken if not is_in_process(t, context.service)]
                if shared:
                    guarded = _held_by_block(event, node, shared[0], block.orders | {event.order})
                    released = tuple(s for s in left if s.effect == "lock.release")
                    label = f"with {_written(value)}"
                    found.append(Lock(shared[0], guarded, released, extends, left, label=label))
            else:
                found.extend(_generator(spans, node, block.orders, block.region.info, extends, context))
    return found


def _written(expr: Expr) -> str:
    """The name of what a block holds."""
    made = expr.callee if isinstance(expr, Call) else expr
    return str(getattr(made, "name", "lock"))


def _held_by_block(event: Event, node: With, taken: Sighting, marks: frozenset[int]) -> Guarded:
    return Guarded(
        event=event,
        block=node,
        is_wrapper=False,
        failure=_failure(taken, holds_block=True),
        releases=frozenset(),
        ends=frozenset(),
        marks=marks,
    )


def _entered(
    context: JobContext, instance: Instance, names: tuple[str, ...], effects: tuple[str, ...]
) -> tuple[Sighting, ...]:
    for name in names:
        method = context.linker.member(instance, name)
        if isinstance(method, Closure):
            trace = context.linker.walk(method)
            return tuple(s for s in context.service.reader.read(trace) if s.effect in effects)
    return ()


def _generator(
    spans: Spans,
    node: With,
    orders: frozenset[int],
    made: object,
    extends: tuple[Sighting, ...],
    context: JobContext,
) -> list[Lock]:
    if (
        not isinstance(made, Event)
        or not isinstance(made.callee, Closure)
        or not made.callee.function.is_generator
    ):
        return []
    reached = spans.brings_about(made)
    sightings = [s for s in lock_sightings(context) if s.event.order in reached]
    # What a call takes is followed to the yield and behind it; a block of the generator's own holds as a whole.
    taken = next((s for s in sightings if s.effect == "lock.with"), None)
    if taken is None or is_in_process(taken, context.service):
        return []
    released = tuple(s for s in sightings if s.effect == "lock.release")
    inner = tuple(s for s in sightings if s.effect in ("lock.release", "log"))
    guarded = _held_by_block(made, node, taken, orders | {made.order})
    return [Lock(taken, guarded, released, extends, inner, spans.entered(made), made)]


# ---- who takes it ----------------------------------------------------------------------------------------------


def with_holder(lock: Lock, covered: frozenset[int], spans: Spans) -> Lock:
    """The lock with the function of the project that takes it: a wrapper around the work, or one called before it."""
    if lock.holder is not None or lock.guarded.block is not None:
        return lock
    chain: list[Event] = []
    enter = spans.enter_of(lock.guarded.event)
    while enter is not None and enter not in chain:
        chain.append(enter)
        call = _call_of(enter, spans)
        enter = spans.enter_of(call) if call is not None else None
    around = next((i for i, e in enumerate(chain) if covered <= {o.order for o in spans.span(e)}), None)
    if around is None:
        return lock
    call = _call_of(chain[around], spans)
    if call is not None and _is_given_function(call, lock):
        return replace(lock, holder=chain[around], caller=call)
    if around > 0:
        return replace(lock, holder=chain[around - 1], caller=_call_of(chain[around - 1], spans))
    return lock


def _is_given_function(call: Event, lock: Lock) -> bool:
    args = call.call.args if call.call is not None else ()
    return any(isinstance(lock.sighting.linker.fold(a.value, call.scope), Closure) for a in args)


def _call_of(enter: Event, spans: Spans) -> Event | None:
    calls = spans.callers(enter)
    first = next((c for c in calls if c.order < enter.order), None)
    if first is not None:
        return first
    region = enter.region
    return region.info if region is not None and isinstance(region.info, Event) else None


def is_wrapper(lock: Lock) -> bool:
    """Whether the function that takes it is given the work as a function."""
    return lock.caller is not None and _is_given_function(lock.caller, lock)


# ---- places ----------------------------------------------------------------------------------------------------


def is_result_used(event: Event) -> bool:
    """Whether anything looks at what a call gives."""
    statement = event.statement
    if isinstance(statement, Assign):
        leaves = {e.name for e in inside(statement.target) if isinstance(e, Name | Member)}
        return any(
            isinstance(e, Name | Member) and e.name in leaves
            for s in statements(event.scope.node.body)
            if s is not statement
            for root in statement_expressions(s)
            for e in inside(root)
        )
    if isinstance(statement, Do):
        return statement.value is not event.call and not _is_awaited_only(statement, event)
    return isinstance(statement, If | Return)


def _is_awaited_only(statement: Do, event: Event) -> bool:
    return getattr(statement.value, "value", None) is event.call


def block_location(lock: Lock) -> Location | None:
    """Where the block stands that holds the lock."""
    block = lock.guarded.block
    if block is None:
        return None
    return Location(lock.guarded.event.location.path, block.line, block.end_line)
