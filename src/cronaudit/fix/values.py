"""What a recipe's ``$names`` come to for one job: a zone, a name, a limit, out of what the audit saw."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

from cronaudit.fix.edits import NotFixableError
from cronaudit.fix.recipe import Code, Like, Wanted
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Unresolved
from cronaudit.model.job import Job

VALUES = {
    "zone": "the zone of a framework's default, else the one that all other jobs of the service state, else UTC",
    "name": "a name made of the function, class or file that the job runs",
    "time_limit": "the time between two runs, at least a minute and at most six hours",
    "soft_time_limit": "nine tenths of `$time_limit`",
    "lock_ttl": "one and a half times the timeout of the run",
}
"""Every value that a recipe may name, with its meaning."""
_SHORTEST = 60.0
_LONGEST = 21600.0
_STATED = frozenset(("job", "scheduler", "service", "container"))
_WORD = lazy_regex(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_CODE = (".ts", ".js", ".mjs", ".cjs", ".mts", ".cts", ".tsx", ".jsx", ".py")
_MEANINGLESS = frozenset(
    "index main app init start anonymous handle handler run execute cron job task tick process callback service".split()
)
_UNIT = {"": 1.0, "s": 1.0, "ms": 1000.0}


class Values(Struct, frozen=True):
    """What values are made of: one job and those beside it."""

    job: Job
    jobs: Sequence[Job]
    period: Callable[[Job], float | None]
    """The shortest time between two runs, in seconds; None where it is not known."""
    taken: set[str]
    """The names that are in use."""

    def resolve(self, wanted: Wanted) -> Wanted:
        """The value with every ``$name`` in it filled in. Raises NotFixableError."""
        if isinstance(wanted, dict):
            return {key: self.resolve(value) for key, value in wanted.items()}
        if isinstance(wanted, Code | Like) or not isinstance(wanted, str) or not wanted.startswith("$"):
            return wanted
        name, _, unit = wanted[1:].partition(" ")
        if name == "zone":
            return self.zone()
        if name == "name":
            return self.name()
        return _whole(self.seconds(name) * _UNIT[unit])

    def zone(self) -> str:
        """The zone to write."""
        facts = self.job.facts.schedule
        if facts.timezone_source.value == "framework" and isinstance(facts.timezone.value, str):
            return facts.timezone.value
        stated = {
            job.facts.schedule.timezone.value
            for job in self.jobs
            if job.facts.schedule.timezone_source.value in _STATED
        }
        only = next(iter(stated)) if len(stated) == 1 else None
        return only if isinstance(only, str) else "UTC"

    def name(self) -> str:
        """A name that no other job has, out of what the code calls the work; it is taken from then on."""
        job = self.job
        symbol = job.handler.symbol if job.handler is not None else job.display_name
        if "<anonymous>" in symbol:
            symbol = job.display_name
        parts = symbol.split(".")[:1] if symbol.endswith(_CODE) else symbol.split(".")
        for candidate in (parts[-1], ".".join(parts)):
            words = [word.lower() for word in _WORD.findall(candidate)]
            name = "-".join(words)
            if not _MEANINGLESS.issuperset(words) and name not in self.taken:
                self.taken.add(name)
                return name
        raise NotFixableError("nothing in the code gives it a name of its own")

    def seconds(self, name: str) -> float:
        """One of the durations."""
        if name == "lock_ttl":
            return self._of(self.job.facts.timeout.seconds.value, "the timeout") * 1.5
        period = self._of(self.period(self.job), "the time between two runs")
        limit = min(max(period, _SHORTEST), _LONGEST)
        return limit if name == "time_limit" else math.floor(limit * 0.9)

    @staticmethod
    def _of(value: float | Unresolved | None, what: str) -> float:
        if value is None or isinstance(value, Unresolved):
            raise NotFixableError(f"{what} is not known")
        return float(value)


def _whole(value: float) -> int:
    return math.ceil(value)
