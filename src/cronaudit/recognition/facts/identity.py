"""``job``: what the job is called, whether it does anything, and what it is for the instance that runs it."""

from __future__ import annotations

from typing import Literal

from cronaudit.model.facts import Fact, Identity
from cronaudit.model.ir import Function, Module
from cronaudit.model.source import Location
from cronaudit.model.value import Closure, Instance
from cronaudit.model.walking import functions_around
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.instance_work import per_instance_of
from cronaudit.recognition.facts.stubs import calls_anything, stubs_of
from cronaudit.recognition.facts.switches import switch_of

Source = Literal["explicit", "symbol", "none"]


def build(context: JobContext) -> Identity:
    """The job's identity."""
    name, source, at = name_of(context)
    shared_with = _shared(context, name)
    detail = (
        f"name: '{name}'"
        if source == "explicit"
        else (f"Only the name of {name}" if name else "Anonymous callback")
    )
    return Identity(
        name=Fact(name, detail, (at,)),
        name_source=Fact(source, detail, (at,)),
        name_shared=Fact(
            value=shared_with is not None,
            detail=f"'{name}' is also the name of {shared_with}" if shared_with is not None else "",
            locations=(at,) if shared_with is None else (at, shared_with),
        ),
        kind=Fact(context.registration.kind, "", (context.site,)),
        stub=_stub(context),
        per_instance=per_instance_of(context),
        switch=switch_of(context),
    )


def name_of(context: JobContext) -> tuple[str | None, Source, Location]:
    """The name, who gives it, and where it stands."""
    registration = context.registration
    at = registration.name_at or context.site
    if registration.name:
        return registration.name, "explicit", at
    stated = registration.options.get("id")
    if stated is not None and isinstance(text := getattr(stated, "value", None), str) and text:
        return text, "explicit", getattr(stated, "at", None) or at
    for handler in (context.handler, registration.handler):
        symbol, place = _symbol(handler)
        if symbol is not None:
            return symbol, "symbol", place or context.site
    for function in functions_around(registration.node):
        if function.name is not None:
            return _of_function(function), "symbol", function.location
        if function.owner is not None and function.owner.name:
            return function.owner.name, "symbol", function.owner.location
    return None, "none", context.site


def _symbol(handler: Closure | Module | None) -> tuple[str | None, Location | None]:
    """The name of a handler's function, of its class, or of its file."""
    if isinstance(handler, Module):
        return handler.path.rsplit("/", 1)[-1].split(".")[0], Location(handler.path, 1)
    if not isinstance(handler, Closure):
        return None, None
    if isinstance(handler.this, Instance) and handler.function.owner is not None:
        cls = handler.this.of.cls
        if cls.name and cls is not handler.function.owner:
            return cls.name, cls.location
    for function in functions_around(handler.function):
        if function.name is not None:
            return _of_function(function), function.location
    return None, None


def _of_function(function: Function) -> str:
    if function.owner is not None and function.owner.name:
        return f"{function.owner.name}.{function.name}"
    return function.name or ""


def _shared(context: JobContext, name: str | None) -> Location | None:
    """Another live job of that name; a second runner of the same definition is none."""
    if name is None:
        return None
    own = context.registration
    for other in context.service.jobs:
        if other is context or name_of(other)[0] != name:
            continue
        theirs = other.registration
        same_place = theirs.site == own.site and theirs.item == own.item
        if same_place or (theirs.item is not None and theirs.item == own.item and theirs.kind != own.kind):
            continue
        return other.site
    return None


def _stub(context: JobContext) -> Fact[bool]:
    handler = context.handler if context.handler is not None else context.registration.handler
    if not isinstance(handler, Closure):
        return Fact(value=False)
    function = handler.function
    if function.is_abstract or not stubs_of(context.service).is_stub(function):
        return Fact(value=False, locations=(function.location,))
    detail = f"{function.symbol} only logs" if calls_anything(function) else f"{function.symbol} does nothing"
    return Fact(value=True, detail=detail, locations=(function.location,))
