"""The work that a job only enqueues: it counts for effects, retries, errors and idempotency (ruling 6)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.model.linker import Linker
from cronaudit.model.trace import EventKind, Trace
from cronaudit.model.value import Builtin, Closure, External, Known, Unknown, Value
from cronaudit.recognition.consumers import Consumers
from cronaudit.recognition.sightings import Reader, Sighting

_MOST_TASKS = 8
_SENDING = frozenset(
    ("delay", "apply_async", "send", "send_with_options", "kiq", "defer", "defer_async", "enqueue")
)
"""Methods that a task of the project has from its decorator, which put a call of it into a queue."""


class Enqueued(Struct):
    """Follows what a walk puts into queues, one step."""

    linker: Linker
    reader: Reader
    consumers: Consumers

    def sightings(self, trace: Trace, seen: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
        """The sightings of the enqueued work, in the order in which it is enqueued."""
        found: list[Sighting] = []
        entered: set[int] = set()
        for work, given in self._works(trace, seen):
            if id(work.function) in entered or len(entered) >= _MOST_TASKS:
                continue
            entered.add(id(work.function))
            found.extend(self.reader.read(self.linker.walk(work, given)))
        return tuple(found)

    def _works(self, trace: Trace, seen: tuple[Sighting, ...]) -> Iterator[tuple[Closure, tuple[Value, ...]]]:
        for event in trace.events:
            callee = event.callee
            if (
                event.kind is not EventKind.CALL
                or not isinstance(callee, Builtin)
                or callee.name not in _SENDING
            ):
                continue
            if isinstance(callee.receiver, Closure) and callee.receiver.function.decorators:
                yield callee.receiver, ()
        for sighting in seen:
            of_task = isinstance(sighting.event.callee, Builtin)  # followed above
            if sighting.effect == "queue.enqueue" and not of_task:
                yield from self._consumed(sighting)

    def _consumed(self, sighting: Sighting) -> Iterator[tuple[Closure, tuple[Value, ...]]]:
        task = sighting.param("task")
        if isinstance(task, Closure):
            yield task, ()
            return
        family = sighting.description.word("family")
        name = sighting.text("job")
        if not isinstance(family, str):
            return
        site = self.consumers.of(family, sighting.param("queue"), sighting.param("job"))
        if site is None or site.handler is None:
            return
        members: dict[str, Value] = {"name": Known(name)} if name is not None else {}
        yield (
            site.handler,
            tuple(
                External(p, members=members) if p else Unknown("what the queue passes is not known")
                for p in site.consumer.passes
            ),
        )
