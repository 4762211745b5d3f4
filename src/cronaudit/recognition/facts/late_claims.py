"""What holds a message that is acknowledged after the work: its connection to the broker, or a time."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, Known, Record, Text, Unknown, Value
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.configured import app_setting
from cronaudit.recognition.facts.settings import default_of, is_set, meaning_of, parts_of
from cronaudit.recognition.facts.stated import option
from cronaudit.recognition.sightings import seconds_of, text_of

_SCHEME: Final = lazy_regex(r"\w+")


class LateClaim(Struct, frozen=True):
    """How long a claim lasts that ends with the work."""

    bound: bool
    """Whether it lives and dies with a connection."""
    ttl: Fact[float | None]
    at: Location | None
    """Where the broker is stated."""


def is_late(context: JobContext) -> Location | bool:
    """Whether the job's message is acknowledged after the work; the setting's place where that says so."""
    own = option(context, "acks_late")
    if own is not None:
        return isinstance(own, Known) and bool(own.value)
    found = app_setting(context, "late_claim")
    if not isinstance(found, tuple) or not is_set(found):
        return False
    value = found[0].options[0] if isinstance(found[0], Choice) else found[0]
    return found[1] if isinstance(value, Known) else False


def late_claim(context: JobContext) -> LateClaim:
    """What holds the claim of such a job."""
    keeper, at = _keeper(context)
    if keeper == "connection":
        return LateClaim(bound=True, ttl=Fact(None), at=at)
    if keeper != "time":
        return _for_a_time(Fact(Unresolved("which broker keeps the claim is not known", at)), at)
    return _for_a_time(_hidden(context, at), at)


def _for_a_time(ttl: Fact[float | None], at: Location | None) -> LateClaim:
    return LateClaim(bound=False, ttl=ttl, at=at)


def _keeper(context: JobContext) -> tuple[str, Location | None]:
    """What a claim lasts with, by the URL of the broker, else by what manifests run."""
    service, broker = context.service, app_setting(context, "broker")
    text, at = (_written(broker[0]), broker[1]) if isinstance(broker, tuple) else ("", None)
    scheme = _SCHEME.match(text)
    said = meaning_of(service, "broker", scheme[0]) if scheme is not None else ""
    if said:
        return said, at
    run = {meaning_of(service, "broker", s.engine) for s in service.deployment.services}
    if "connection" in run and not text:
        return "connection", at
    return "time" if "time" in run else "", at


def _hidden(context: JobContext, at: Location | None) -> Fact[float | None]:
    """For how many seconds the broker hides a message that was taken."""
    options = app_setting(context, "claim_ttl")
    if isinstance(options, tuple):
        value: Value = options[0]
        for key in parts_of(context.service, "claim_ttl", "seconds"):
            value = context.linker.member(value, key)
        seconds = seconds_of(value, "s")
        if seconds is not None:
            return Fact(seconds, "", (options[1],))
        if not (
            isinstance(options[0], Record) and options[0].complete and isinstance(value, Known | Unknown)
        ):
            reason = Unresolved("how long the broker hides a claimed message is not resolved", options[1])
            return Fact(reason)
    default = default_of(context.service, "claim_ttl")
    stated = float(default) if isinstance(default, int | float) else None
    return Fact(stated, "the default of the library", (at,) if at is not None else ())


def _written(value: Value) -> str:
    options = value.options if isinstance(value, Choice) else (value,)
    for option_ in options:
        if isinstance(option_, Text) and option_.parts and isinstance(option_.parts[0], str):
            return option_.parts[0]
        text = text_of(option_)
        if text:
            return text
    return ""
