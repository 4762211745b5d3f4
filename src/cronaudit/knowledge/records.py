"""Objects of libraries that are no more than their fields, and ranges of numbers as cron writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cronaudit.model.ir import Scalar
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, Known, Record, Value


def fields(args: Arguments | None, settings: Mapping[str, Scalar], at: Location | None) -> Value | None:
    """``new Rule(…)``, then ``rule.hour = 2``: what is assigned to it comes to what its maker was handed."""
    if args is None or not args.complete:
        return None
    order = str(settings.get("positional", "")).split()
    return Record({**dict(zip(order, args.positional, strict=False)), **args.named}, complete=True, at=at)


def number_range(selected: Callable[[str], Value | None], at: Location | None) -> Value | None:
    """``new Range(1, 5)``: ``1-5``."""
    first, last, step = (selected(name) for name in ("first", "last", "step"))
    if not isinstance(first, Known) or not isinstance(last, Known):
        return None
    if step is not None and not isinstance(step, Known):
        return None
    return Known(f"{first.value}-{last.value}" + (f"/{step.value}" if step is not None else ""), at)
