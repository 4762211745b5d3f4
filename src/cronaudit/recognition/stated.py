"""Where a job is stated: the place that a reader is sent to."""

from __future__ import annotations

from cronaudit.model.source import Location
from cronaudit.model.value import Closure, Instance
from cronaudit.recognition.found import Registration

_LONGEST_ITEM = 200


def stated_at(registration: Registration) -> Location:
    """Where the job's schedule is stated or registered.

    That is the registry entry, call or class in which it stands; within it the line of the schedule itself.
    """
    item = registration.item or registration.site
    places = _places(registration, item)
    # Who builds the name of each of several jobs states none of them.
    for at, within in (
        (registration.timing.at, places),
        (registration.name_at, places if registration.alone else (item,)),
    ):
        if at is None:
            continue
        for place in within:
            end = place.end_line or place.line
            if _holds(place, at) and end - place.line <= _LONGEST_ITEM:
                return Location(at.path, at.line, max(end, at.line))
    handler = registration.handler
    at = registration.timing.at
    own = _own_place(registration)
    if own is not None:
        return own
    is_option = registration.loop is not None and (registration.timing.default_of or "").startswith("--")
    if at is not None and isinstance(handler, Closure) and handler.this is not None and not is_option:
        cls = getattr(getattr(handler.this, "of", None), "cls", None)
        if cls is not None and cls.module.path == at.path and cls.line <= at.line <= cls.end_line:
            return Location(at.path, at.line, cls.end_line)
    if at is not None and item.path == at.path and item.line == 1 and item.path != registration.site.path:
        return Location(at.path, at.line, at.end_line)  # a file that is loaded from its folder
    items = registration.bound.items
    if at is not None and item.path != at.path and items and isinstance(items[-1].value, Instance):
        # ``const rule = {hour: 2}; this.scheduler.add(rule, …)``: the call in the file that states the schedule.
        beside = [place for place in registration.bound.chain if place.path == at.path]
        if beside:
            return beside[0]
    # Where nobody states the schedule, the one call that arms the job is nearer than the maker of its object.
    return registration.site if registration.alone and registration.timing.open is not None else item


def _own_place(registration: Registration) -> Location | None:
    """The call that names a job, in the file that states its schedule: ``const cron = …; plan(cron, 'cleanup', …)``."""
    at, named = registration.timing.at, registration.name_at
    if at is None or named is None:
        return None
    places = (p for p in registration.bound.chain if p in registration.own and p.path == at.path)
    return next((p for p in places if _holds(p, named)), None)


def _holds(place: Location, at: Location) -> bool:
    return at.path == place.path and place.line <= at.line <= (place.end_line or place.line)


def _places(registration: Registration, item: Location) -> tuple[Location, ...]:
    """Where the schedule may be stated, the best place first."""
    chain = registration.bound.chain
    if registration.alone:
        return (registration.site, *chain, item)
    return (item, *reversed(chain or (registration.site,)))
