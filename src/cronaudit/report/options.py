"""How to render a result: everything that a report needs beside the result itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from msgspec import Struct

from cronaudit.model.schedule import Schedule

NextRuns = Callable[[Schedule, str | None, date, int], tuple[datetime, ...]]
"""A schedule, the zone in force, a day, how many: the first runs from the start of that day, by the clock of the zone
(UTC where it is None); none for intervals."""


def no_runs(_schedule: Schedule, _zone: str | None, _start: date, _count: int) -> tuple[datetime, ...]:
    """Stand for a calendar where nobody asks for coming runs."""
    return ()


class RenderOptions(Struct, frozen=True):
    """How to render."""

    templates: Path
    """The folder of the Jinja2 templates."""
    link_base: str | None = None
    """Address of the target's folder on a forge; None leaves places as text."""
    next_runs: NextRuns = no_runs
    """The calendar."""
    color: bool = False
    """Whether the console format may colour."""
    width: int | None = None
    """Columns of the terminal; None does not wrap, for files and pipes."""
