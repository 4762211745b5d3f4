"""What happens after a failure, within the same run."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from cronaudit.model.facts import Fact, RetryFacts, Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.retry_found import policies_of
from cronaudit.recognition.facts.retry_options import Policy
from cronaudit.recognition.facts.retry_predicate import Predicate, predicate_of
from cronaudit.recognition.facts.spans import spans_of

_RANK = {"bounded": 0, "open": 1, "default": 2, "unbounded": 3}


class _Words(Struct, frozen=True):
    attempts: Fact[Literal["bounded", "unbounded", "default", "none"]]
    count: Fact[float | None]


def build(context: JobContext) -> RetryFacts:
    """The facts of one job."""
    spans = spans_of(context)
    policies = [p for p in policies_of(context, spans) if p.count is None or p.count > 1]
    if not policies:
        return _none(context)
    policy = min(policies, key=lambda p: (p.scope != "run", _RANK[p.attempts], p.delay == "none"))
    words = _words(policy)
    predicate = predicate_of(policy, context, spans)
    return RetryFacts(
        scope=Fact(policy.scope, policy.scope_detail, policy.locations, policy.path),
        attempts=words.attempts,
        count=words.count,
        delay=_delay(policy),
        predicate=Fact(predicate.word, predicate.detail, predicate.locations, policy.path),
    )


def _words(policy: Policy) -> _Words:
    places = (policy.count_at, *policy.locations) if policy.count_at is not None else policy.locations
    if policy.attempts == "open":
        reason = Unresolved(
            policy.open or "the number of attempts is not known", policy.count_at or policy.locations[0]
        )
        return _Words(Fact(reason, policy.detail, places, policy.path), Fact(reason, "", places))
    if policy.attempts == "bounded":
        return _Words(
            Fact("bounded", policy.detail, places, policy.path),
            Fact(policy.count, policy.detail, places, policy.path),
        )
    if policy.attempts == "default":
        return _Words(
            Fact("default", policy.detail, places, policy.path), Fact(policy.count, policy.detail, places)
        )
    return _Words(Fact("unbounded", policy.detail, places, policy.path), Fact(None))


def _delay(policy: Policy) -> Fact[Literal["growing", "fixed", "none"]]:
    places = (policy.delay_at, *policy.locations) if policy.delay_at is not None else policy.locations
    if policy.delay_open:
        return Fact(Unresolved(policy.delay_open, policy.delay_at), "", places)
    if policy.delay == "growing" and policy.count == 2:
        return Fact("fixed", "two attempts: the delay can never grow", places, policy.path)
    return Fact(policy.delay, policy.delay_detail, places, policy.path)


def _none(context: JobContext) -> RetryFacts:
    attempts: Fact[Literal["bounded", "unbounded", "default", "none"]] = context.absent("none", "No retry")
    reason = attempts.value if isinstance(attempts.value, Unresolved) else None
    at = (context.site,)
    if reason is not None:
        return RetryFacts(Fact(reason), attempts, Fact(reason), Fact(reason), Fact(reason))
    nothing: Predicate = Predicate("none", "", ())
    return RetryFacts(
        scope=Fact("none", "No retry", at),
        attempts=Fact("none", "No retry", at),
        count=Fact(None, "", at),
        delay=Fact("none", "", at),
        predicate=Fact(nothing.word, "", at),
    )
