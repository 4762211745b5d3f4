"""What one armed place states, made into a registration: its schedule, name, handler, options and consumer."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cronaudit.knowledge.conditions import holds
from cronaudit.knowledge.selectors import Called, Site, parse_selector, select
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Function, Member, Module, Name
from cronaudit.model.knowledge import Scheduler, Selector
from cronaudit.model.linker import Bound, Item, Linker
from cronaudit.model.source import Location
from cronaudit.model.value import (
    Choice,
    ClassValue,
    Closure,
    External,
    Known,
    Lazy,
    Record,
    Symbol,
    Unknown,
    Value,
)
from cronaudit.recognition import crontabs
from cronaudit.recognition.consumers import Consumers
from cronaudit.recognition.found import Registration, Rejection, Timing
from cronaudit.recognition.handlers import resolve_handler
from cronaudit.recognition.naming import as_name, named_beside, named_by, named_by_wrappers
from cronaudit.recognition.rows import held_by, rows_of, rows_within
from cronaudit.recognition.timing import timing_of


class Registrar:
    """Reads the places that a scheduler's description speaks of."""

    def __init__(self, linker: Linker, consumers: Consumers) -> None:
        self._linker = linker
        self._consumers = consumers
        self.rejections: list[Rejection] = []

    def entries(
        self, scheduler: Scheduler, view: Called, node: Function | Module, bound: Bound, site: Location
    ) -> Iterator[Registration]:
        """One registration for each entry of a list or object of jobs."""
        selectors, nested = held_by(scheduler.entries)
        container = self._first(selectors, view)
        rows = rows_within(container, self._linker) if nested else rows_of(container, self._linker)
        if isinstance(container, Known) and isinstance(container.value, str):
            rows = ((key, entry, None) for key, entry in crontabs.entries_of(container, site, self._linker))
        for key, entry, filled in rows:
            value = self._linker.force(entry)
            at = getattr(value, "at", None)
            places: dict[str, Value | Lazy] = {"key": _named_at(key, container, at), "entry": value}
            inner = Site(view.path, view.args, view.receiver, places)
            if isinstance(view, Site):
                inner = Site(
                    view.path, view.args, view.receiver, {**view.places, **places}, view.exports, view.file
                )
            stated = filled.items if filled is not None else ()
            item = stated[-1].location if stated else at if isinstance(at, Location) else site
            items = (*bound.items, *(stated or (Item(item, value),)))
            within = Bound(bound.scope, (*bound.chain, item), items)
            registration = self.register(scheduler, inner, node, within, site, item)
            if registration is not None:
                yield registration

    def register(
        self,
        scheduler: Scheduler,
        view: Called,
        node: Function | Module,
        bound: Bound,
        site: Location,
        item: Location | None = None,
    ) -> Registration | None:
        """What one armed place states; None where it arms no periodic job."""
        if holds(scheduler.when, view, self._linker.force, self._linker.member) is not True:
            return None
        timing = timing_of(scheduler.schedule, view, self._linker)
        if timing is None:
            self.rejections.append(Rejection(site, scheduler.kind, "it states no recurring schedule"))
            return None
        open_ = timing.open.reason if timing.open is not None else ""
        if any(open_ == f"{i.location.path} exports no {open_.rpartition(' ')[2]}" for i in bound.items):
            # A folder is read as it stands: what else lies in it (base classes, shared code) states no job.
            self.rejections.append(Rejection(site, scheduler.kind, open_))
            return None
        against = _one_shot(scheduler, view, timing, self._first(scheduler.handler, view))
        if against:
            self.rejections.append(Rejection(site, scheduler.kind, against))
            return None
        name, name_at = self._first_text(scheduler.name, view)
        if name is None:
            name, name_at = named_by(bound, self._linker)
        written = getattr(view, "call", None)
        if name is None and isinstance(written, Call):
            name, name_at = named_beside(written, node, bound.scope, self._linker)
        options = {
            key: value
            for key, selectors in scheduler.options
            if (value := self._first(selectors, view)) is not None and not is_none(value)
        }
        timezone = self._timezone(scheduler, timing, view)
        handler, why = resolve_handler(self._first(scheduler.handler, view), self._linker)
        if name is None and isinstance(handler, Closure):
            name, name_at = named_by_wrappers(handler, self._linker)
        registration = Registration(
            kind=scheduler.kind,
            scheduler=scheduler,
            call=_as_call(view, site),
            node=node,
            bound=bound,
            site=site,
            timing=timing,
            timezone=timezone,
            name=name,
            name_at=name_at,
            handler=handler,
            handler_open=why,
            options=options,
            traits=dict(scheduler.traits),
            passed=self._passed(scheduler, view, handler),
            item=item or _item(bound, site),
        )
        if scheduler.family is not None and handler is None:
            self._consumers.attach(registration, view)
        return registration

    def _passed(
        self, scheduler: Scheduler, view: Called, handler: Closure | Module | None
    ) -> tuple[Value, ...]:
        """The arguments of the call that are the handler's: ``LoopingCall(f, a, b)``, ``do(pool.submit, f, a, b)``."""
        given: list[Value] = []
        for path in scheduler.passes:
            if not path.startswith(("args.", "receiver.")):
                return ()
            value = select(parse_selector(path), view, self._linker.force, self._linker.member)
            if value is None:
                break
            given.append(value)
        first = given[0] if given else None
        if isinstance(handler, Closure) and isinstance(first, Closure) and first.function is handler.function:
            del given[0]
        return tuple(given)

    def _timezone(self, scheduler: Scheduler, timing: Timing, view: Called) -> Value | None:
        """The zone that is set; a choice with None where the code names none and only an open object could hold it."""
        zone = self._first(scheduler.timezone, view)
        if zone is None or is_none(zone) or isinstance(zone, Known):
            return None if zone is None or is_none(zone) else zone
        for selector in scheduler.timezone:
            if not selector.members:
                continue
            whole = select(replace(selector, members=()), view, self._linker.force, self._linker.member)
            if isinstance(whole, Record) and selector.members[0] in whole.entries:
                return zone
            if isinstance(whole, Record | Choice | External | Symbol | Unknown):
                same = any(
                    (p.select.root, p.select.index, p.select.members) == (selector.root, selector.index, ())
                    for p in scheduler.schedule
                )
                # ``scheduleJob(spec, f)``: a spec that is an expression holds no zone.
                return None if same and timing.open is None else Choice((Known(None), zone))
        return zone

    def _first(self, selectors: tuple[Selector, ...], view: Called) -> Value | None:
        fallback: Value | None = None
        for selector in selectors:
            if fallback is not None and selector.root == "const":
                break  # what holds where nothing is stated
            value = select(selector, view, self._linker.force, self._linker.member)
            if value is None or is_none(value):
                continue
            if isinstance(value, Known | Closure | ClassValue):
                return value
            fallback = fallback or value
        return fallback

    def name_of(self, scheduler: Scheduler, view: Called) -> str | None:
        """The name that a place states."""
        return self._first_text(scheduler.name, view)[0]

    def _first_text(
        self, selectors: tuple[Selector, ...], view: Called
    ) -> tuple[str | None, Location | None]:
        for selector in selectors:
            value = select(selector, view, self._linker.force, self._linker.member)
            text = as_name(value)
            if text is not None:
                return text, getattr(value, "at", None)
        return None, None


_DATE_NAME = lazy_regex(
    r"(^|_)(date|datetime|at|when|until|deadline)$|(Date|DateTime|At|When|Deadline)$|^(run|start|end)_?at$"
)


_RECURRING = lazy_regex(r"(?i)every|hourly|daily|nightly|weekly|monthly|yearly|cron")


def _one_shot(scheduler: Scheduler, view: Called, timing: Timing, handler: Value | None) -> str:
    """Why a call with an open schedule arms no recurring job; empty where nothing speaks against one."""
    if timing.open is None:
        return ""
    call = getattr(view, "call", None)
    for part in scheduler.schedule:
        index = part.select.index
        if (
            isinstance(call, Call)
            and part.select.root == "args"
            and isinstance(index, int)
            and not part.select.members
        ):
            given = call.args[index].value if index < len(call.args) else None
            words = part.form == "words" or _RECURRING.search(getattr(given, "name", ""))
            if isinstance(given, Name | Member) and not words and _DATE_NAME.search(given.name):
                return f"{given.name} is a single date"
            if isinstance(given, Call) and given.is_new and getattr(given.callee, "name", "") == "Date":
                return "it is a single date"
    if isinstance(handler, Closure) and not handler.function.body and not handler.function.is_abstract:
        return "it runs an empty function: the expression is only checked"
    return ""


def _named_at(key: Value | Lazy, container: Value | None, entry: object) -> Value | Lazy:
    """The name of an entry where the entry begins; nobody knows one that is computed."""
    if not isinstance(key, Known) or not isinstance(container, Record | Choice):
        return key
    if isinstance(key.value, str) and key.value.startswith("\0"):
        return Unknown("it is computed", key.at)
    return Known(key.value, entry) if isinstance(entry, Location) else key


def _as_call(view: Called, site: Location) -> External:
    if isinstance(view, External):
        return view
    return External(view.path, view.args, site, view.receiver)


def _item(bound: Bound, site: Location) -> Location:
    """The registry entry, call or class that states the job: the outermost place that bound something."""
    if bound.items:
        return bound.items[-1].location
    return bound.chain[-1] if bound.chain else site


def is_none(value: Value) -> bool:
    """Whether a value is written as nothing: ``None``, ``null``, ``undefined``."""
    return isinstance(value, Known) and value.value is None
