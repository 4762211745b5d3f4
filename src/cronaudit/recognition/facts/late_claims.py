"""What holds a message that is acknowledged after the work: its connection to the broker, or a time."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, Known, Record, Text, Unknown, Value
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.configured import app_setting
from cronaudit.recognition.facts.settings import default_of, is_set, parts_of
from cronaudit.recognition.facts.stated import option
from cronaudit.recognition.sightings import seconds_of, text_of

_CONNECTED: Final = lazy_regex(r"(?:py)?amqps?:", re.IGNORECASE)
"""Protocols whose brokers keep a message for as long as the connection that took it lives."""
_HIDING: Final = lazy_regex(r"(?:rediss?|sentinel|sqs)\b", re.IGNORECASE)
"""Brokers that hand a message out anew when it was hidden for a time."""


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
    broker = app_setting(context, "broker")
    text, at = (_written(broker[0]), broker[1]) if isinstance(broker, tuple) else ("", None)
    engines = {s.engine for s in context.service.deployment.services}
    if _CONNECTED.match(text) or (not text and "rabbitmq" in engines):
        return LateClaim(True, Fact(None), at)  # noqa: FBT003
    if not _HIDING.match(text) and "redis" not in engines:
        return LateClaim(False, Fact(Unresolved("which broker keeps the claim is not known", at)), at)  # noqa: FBT003
    options = app_setting(context, "claim_ttl")
    if isinstance(options, tuple):
        value: Value = options[0]
        for key in parts_of(context.service, "claim_ttl", "seconds"):
            value = context.linker.member(value, key)
        seconds = seconds_of(value, "s")
        if seconds is not None:
            return LateClaim(False, Fact(seconds, "", (options[1],)), at)  # noqa: FBT003
        if not (
            isinstance(options[0], Record) and options[0].complete and isinstance(value, Known | Unknown)
        ):
            reason = Unresolved("how long the broker hides a claimed message is not resolved", options[1])
            return LateClaim(False, Fact(reason), at)  # noqa: FBT003
    default = default_of(context.service, "claim_ttl")
    stated = float(default) if isinstance(default, int | float) else None
    return LateClaim(False, Fact(stated, "the default of the library", (at,) if at is not None else ()), at)  # noqa: FBT003


def _written(value: Value) -> str:
    options = value.options if isinstance(value, Choice) else (value,)
    for option_ in options:
        if isinstance(option_, Text) and option_.parts and isinstance(option_.parts[0], str):
            return option_.parts[0]
        text = text_of(option_)
        if text:
            return text
    return ""
