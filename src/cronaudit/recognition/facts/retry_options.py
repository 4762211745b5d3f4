"""A retry that options state: of the job's registration, of its task, of the work that it enqueues."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, Closure, Env, Known, Record, Symbol, Unknown, Value
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.retry_loops import RetryLoop
from cronaudit.recognition.facts.spans import number_of, place_of, written
from cronaudit.recognition.facts.stated import declares, enqueued_tasks, option, task_option, tasks_of
from cronaudit.recognition.sightings import Sighting, text_of
from cronaudit.recognition.timing import why_open

HINT = lazy_regex(r"attempt|retr|tries|max|limit|count", re.IGNORECASE)
_NAMES = ("attempts", "retries", "backoff", "backoff_delay", "backoff_growth", "backoff_factor", "retry_on")
_GROWING = lazy_regex(r"expo|jitter|fibonacci|linear|poly", re.IGNORECASE)


class Policy(Struct, frozen=True):
    """One way in which something is tried again."""

    scope: Literal["run", "part"]
    scope_detail: str
    attempts: Literal["bounded", "unbounded", "default", "open"]
    count: float | None
    """Attempts in all."""
    count_at: Location | None
    detail: str
    delay: Literal["growing", "fixed", "none"]
    delay_at: Location | None
    delay_detail: str
    locations: tuple[Location, ...]
    path: tuple[str, ...]
    open: str = ""
    """Why the number of attempts is not resolved."""
    delay_open: str = ""
    loop: RetryLoop | None = None
    sighting: Sighting | None = None
    predicate: Value | None = None
    """What an option gives to decide on another attempt."""
    of_queue: bool = False
    """Whether the queue of the job tries again, so that what the work throws decides."""


def of_registration(context: JobContext) -> Iterator[Policy]:
    """What the registration or the definition of the task states, else the library's default."""
    options = {n: v for n in _NAMES if (v := option(context, n)) is not None}
    tasks = tasks_of(context)
    at = (
        (tasks[0].location, context.site)
        if tasks and not _stated_by_registration(context)
        else (context.site,)
    )
    yield from _stated(context, options, at, only_named=declares(context, "retry_on"))


def of_enqueued_tasks(context: JobContext) -> Iterator[Policy]:
    """What the definitions of the tasks state that the job enqueues (ruling 6)."""
    for task in enqueued_tasks(context):
        options = {n: v for n in _NAMES if (v := task_option(context, task, n)) is not None}
        only_named = any(n == "retry_on" for n, _ in task.consumer.options)
        yield from _stated(context, options, (task.location,), only_named=only_named)


def _stated_by_registration(context: JobContext) -> bool:
    return any(n in context.registration.options for n in ("attempts", "retries"))


def _stated(
    context: JobContext, options: dict[str, Value], at: tuple[Location, ...], *, only_named: bool
) -> Iterator[Policy]:
    attempts, retries = options.get("attempts"), options.get("retries")
    stated = context.trait("retry.attempts")
    in_force = "retry_on" in options or stated in ("default", "bounded", "unbounded") or not only_named
    if attempts is None and retries is not None and not in_force:
        # Some libraries only try again after the errors that are named; a number alone does nothing there.
        retries = None
    if attempts is None and retries is None:
        if stated in ("default", "bounded", "unbounded") or "retry_on" in options:
            yield _of_default(context, options, str(stated or "default"), at)
        return
    yield of_options(context, attempts, retries, options, at)


def _of_default(
    context: JobContext, options: dict[str, Value], stated: str, at: tuple[Location, ...]
) -> Policy:
    word, delay_at, detail, reason = delay_of(
        context, options.get("backoff"), options.get("backoff_delay"), options
    )
    if word == "none" and not reason:
        trait = context.trait("retry.delay")
        word = "growing" if trait == "growing" else "fixed" if trait == "fixed" else "none"
    count = context.trait("retry.count")
    attempts: Literal["bounded", "unbounded", "default"] = (
        "bounded" if stated == "bounded" else "unbounded" if stated == "unbounded" else "default"
    )
    return Policy(
        scope="run",
        scope_detail="",
        attempts=attempts,
        count=float(count) if isinstance(count, int | float) and not isinstance(count, bool) else None,
        count_at=place_of(options.get("retry_on")),
        detail="Default attempts of the framework",
        delay=word,
        delay_at=delay_at,
        delay_detail=detail,
        locations=at,
        path=(),
        delay_open=reason,
        predicate=options.get("retry_on"),
        of_queue=True,
    )


def of_options(
    context: JobContext,
    attempts: Value | None,
    retries: Value | None,
    options: dict[str, Value],
    at: tuple[Location, ...],
) -> Policy:
    """A policy out of folded options."""
    value = attempts if attempts is not None else retries
    extra = 0 if attempts is not None else 1
    backoff, delay = options.get("backoff"), options.get("backoff_delay")
    word, delay_at, delay_detail, delay_open = delay_of(context, backoff, delay, options)
    default = context.trait("retry.delay")
    if (
        word == "none"
        and not delay_open
        and backoff is None
        and delay is None
        and default in ("growing", "fixed")
    ):
        word, delay_detail = (
            ("growing" if default == "growing" else "fixed"),
            f"{default} delay of the library",
        )
    count, state, reason = counted(value, extra)
    return Policy(
        scope="run",
        scope_detail="",
        attempts=state,
        count=count,
        count_at=place_of(value),
        detail=written(context.linker, place_of(value), HINT, value) or said(value, extra),
        delay=word,
        delay_at=delay_at,
        delay_detail=delay_detail,
        locations=at,
        path=(),
        open=reason,
        delay_open=delay_open,
        predicate=options.get("retry_on"),
        of_queue=True,
    )


def counted(
    value: Value | None, extra: int
) -> tuple[float | None, Literal["bounded", "unbounded", "open"], str]:
    """Attempts in all from a folded option; the reason where it is open."""
    if isinstance(value, Choice):
        value = next((o for o in value.options if number_of(o) is not None), value.options[0])
    number = number_of(value)
    if number is not None:
        return (None, "unbounded", "") if number < 0 else (number + extra, "bounded", "")
    if isinstance(value, Known) and (value.value is None or value.value is True):
        return None, "unbounded", ""
    if isinstance(value, Known) and value.value is False:
        return 1.0, "bounded", ""
    if isinstance(value, Env | Symbol | Unknown):
        return None, "open", f"the number of attempts: {why_open(value)}"
    return None, "open", "the number of attempts is not a number"


def said(value: Value | None, extra: int) -> str:
    """``attempts: 3``, for a number that has no name where it stands."""
    number = number_of(value)
    if number is None:
        return ""
    return f"attempts: {number + extra:g}"


def delay_of(
    context: JobContext, backoff: Value | None, delay: Value | None, options: dict[str, Value]
) -> tuple[Literal["growing", "fixed", "none"], Location | None, str, str]:
    """The word, place, detail and open reason of a delay that options state."""
    growth = text_of(options.get("backoff_growth")) if "backoff_growth" in options else None
    at = place_of(backoff) or place_of(delay)
    text = text_of(backoff)
    if text is not None and not isinstance(backoff, Known):
        return "none", at, "", "the kind of backoff is not known"
    if isinstance(backoff, Known) and isinstance(backoff.value, bool):
        return (
            ("growing", at, "backoff", "")
            if backoff.value
            else ("fixed" if delay is not None else "none", at, "", "")
        )
    if text is not None and number_of(backoff) is None:
        word: Literal["growing", "fixed"] = "growing" if _GROWING.search(text) else "fixed"
        return word, at, f"backoff {text}", ""
    if isinstance(backoff, Record):
        kind = text_of(context.linker.member(backoff, "type"))
        if kind is not None:
            return ("growing" if _GROWING.search(kind) else "fixed"), at, f"backoff {kind}", ""
        return "fixed", at, "backoff", ""
    if isinstance(backoff, Closure):
        return "growing", at, "backoff by a function of the project", ""
    if number_of(options.get("backoff_factor")):
        return "growing", at, f"backoff of {text_of(options['backoff_factor'])} s, growing", ""
    if growth in ("growing", "fixed") and number_of(backoff):
        return growth, at, "backoff", ""  # type: ignore[return-value]
    if isinstance(backoff, Env | Symbol | Unknown):
        return "none", at, "", f"the backoff: {why_open(backoff)}"
    if number_of(backoff) or number_of(delay):
        return "fixed", at, "fixed delay", ""
    return "none", at, "", ""
