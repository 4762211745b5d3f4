"""``effects``: what a run changes, and what happens when it runs twice."""

from __future__ import annotations

from typing import Literal

from cronaudit.model.facts import EffectFacts, Fact, Unresolved
from cronaudit.model.value import Known, Unknown
from cronaudit.recognition.context import JobContext, Service, seen_fact
from cronaudit.recognition.facts.acts import SIDE, acts_of
from cronaudit.recognition.facts.effects_run_id import run_id_of
from cronaudit.recognition.facts.guard import guard_of
from cronaudit.recognition.facts.operations import operations_of
from cronaudit.recognition.facts.unresolved_calls import called_on_unresolved, unresolved_change
from cronaudit.recognition.facts.writes import atomicity_of, inserts_of

Changes = Literal["writes", "outgoing", "none"]
Payments = Literal["keyed", "some", "unkeyed", "none"]


def build(context: JobContext) -> EffectFacts:
    """The facts of one job."""
    return EffectFacts(
        run_id=run_id_of(context),
        changes=_changes(context),
        guard=guard_of(context),
        atomicity=atomicity_of(context),
        inserts=inserts_of(context),
        payments=_payments(context),
    )


def _changes(context: JobContext) -> Fact[Changes]:
    operations = operations_of(context)
    writes = operations.writes
    if writes:
        first = writes[0]
        table = f" {first.table}" if first.table else ""
        return Fact("writes", f"{first.kind.upper()}{table}", (first.location,), first.path)
    acts = acts_of(context, operations)
    if acts:
        return Fact("outgoing", acts[0].what, (acts[0].location,), acts[0].path)
    side = context.seen_everywhere(*SIDE)
    if side:
        return seen_fact("outgoing", side[0], side[0].effect)
    if operations.opaque:
        event = operations.opaque[0]
        return Fact(
            Unresolved("the text of a statement is not resolved", event.location), "", (event.location,)
        )
    unknown = unresolved_change(context)
    if unknown is not None:
        return Fact(called_on_unresolved(unknown), "", (unknown.location,))
    return context.absent("none", "Nothing is changed")


def _names_no_provider(service: Service) -> bool:
    """Whether no file of the service as much as names a payment provider: then no job pays, however far it goes."""
    libraries = service.matcher.with_effects(frozenset(("payment.mutate",)))
    tokens = [t.encode() for x in libraries for t in x.service_tokens]
    return all(x.service_tokens for x in libraries) and not service.hits.files_with(*tokens)


def _payments(context: JobContext) -> Fact[Payments]:
    calls = context.seen_everywhere("payment.mutate")
    if not calls:
        if _names_no_provider(context.service):
            return Fact("none", "No payment calls")
        return context.absent("none", "No payment calls")
    keys = [(c, c.param("key")) for c in calls]
    for call, key in keys:
        if isinstance(key, Unknown):
            return Fact(
                Unresolved(f"the idempotency key is not resolved: {key.reason}", call.location),
                "",
                (call.location,),
            )
    keyed = [c for c, k in keys if k is not None and not (isinstance(k, Known) and not k.value)]
    bare = [c for c in calls if c not in keyed]
    if not bare:
        text = keyed[0].text("key")
        return seen_fact(
            "keyed", keyed[0], f"Idempotency key {text}" if text else "Idempotency key on every payment call"
        )
    if keyed:
        return seen_fact(
            "some", bare[0], f"{len(keyed)} of {len(calls)} payment calls have an idempotency key"
        )
    return seen_fact("unkeyed", bare[0], "No idempotency key")
