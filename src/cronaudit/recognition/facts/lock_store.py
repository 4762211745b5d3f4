"""What keeps a lock or a queue, and whether a single node of it decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cronaudit.model.deployment import LIVE, ProcessRole
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, External, Known, Lazy, Record, Sequence, Value
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts.appointed import appointed
from cronaudit.recognition.facts.lock_backend import store_word
from cronaudit.recognition.sightings import Sighting

Store = Literal["replicated", "platform", "single"]

_TITLES = {
    "rabbitmq": "RabbitMQ",
    "redis": "Redis",
    "redlock": "Redlock",
    "postgres": "PostgreSQL",
    "mysql": "MySQL",
    "mongo": "MongoDB",
    "mongodb": "MongoDB",
    "sql": "database",
    "memcached": "Memcached",
    "file": "file",
}
_ENGINES = {"redis": ("redis",), "redlock": ("redis",), "postgres": ("postgres",), "mysql": ("mysql",),
            "mongo": ("mongodb",), "sql": ("postgres", "mysql")}  # fmt: skip
_SEVERAL = ("sentinel", "cluster", "replicaset")
"""What the options and classes of clients call a store of several nodes."""
_BROKERS = ("rabbitmq", "redis", "postgres")
_QUEUES = ("redis", "postgres", "mysql", "mongodb")
_DEPTH = 5
_MAJORITY = 2


def title_of(store: str) -> str:
    """How the store is named in the evidence."""
    return _TITLES.get(store, store or "lock store")


def store_of(context: JobContext, sighting: Sighting) -> Fact[Store]:
    """Whether a single node decides about a lock."""
    store = store_word(sighting, context.service)
    at = sighting.location
    nodes = sighting.param("nodes")
    if nodes is not None:
        if isinstance(nodes, Sequence) and nodes.complete:
            if len(nodes.items) >= _MAJORITY:
                return Fact("replicated", f"{len(nodes.items)} {title_of(store)} nodes", (nodes.at or at,))
            return Fact("single", f"{title_of(store)} on one node", (nodes.at or at,))
        if not isinstance(nodes, Sequence | Record):
            return Fact(Unresolved(f"how many nodes {title_of(store)} asks is not known", at))
    client = sighting.view.receiver
    if client is not None:
        several = several_nodes(context, client)
        if several is not None:
            return Fact("replicated", f"{title_of(store)} of several nodes", (several,))
    return _deployed(context, _ENGINES.get(store, ()), title_of(store), client, at)


def _deployed(
    context: JobContext, engines: tuple[str, ...], title: str, client: External | None, at: Location
) -> Fact[Store]:
    for engine in engines:
        topology = context.service.deployment.topology(engine)
        place = _place_of(context, engine) or at
        if topology == "single":
            return Fact("single", f"one {title} node", (place,))
        if topology != "none":
            return Fact("replicated", f"{title}: {topology}", (place,))
    if client is not None and "redis" in engines:
        return Fact("single", f"one {title} node by its client", (client.at or at,))
    return Fact(Unresolved(f"nothing in the tree says how the {title} runs", at))


def queue_store(context: JobContext) -> Fact[Store] | None:
    """The same for the store of a queue, from its connection and the manifests; None where nothing is said."""
    registration = context.registration
    calls = [registration.call, registration.consumer.call if registration.consumer is not None else None]
    for call in calls:
        at = several_nodes(context, call) if call is not None else None
        if at is not None:
            return Fact("replicated", "Store of several nodes", (at,))
    stated = context.trait("lock.store")
    if stated is None:
        return None
    is_message = context.trait("lock.kind") == "message"
    for engine in _BROKERS if is_message else _QUEUES:
        if engine not in _mentioned(context):
            continue
        topology = context.service.deployment.topology(engine)
        place = _place_of(context, engine)
        places = (place,) if place is not None else ()
        if topology in ("sentinel", "cluster", "managed", "replicated"):
            return Fact("replicated", f"{title_of(engine)}: {topology}", places)
        if topology == "single":
            return Fact("single", f"one {title_of(engine)} node", places)
    return None


def _place_of(context: JobContext, engine: str) -> Location | None:
    """Where a manifest runs the engine; one in use before one for development."""
    services = [s for s in context.service.deployment.services if s.engine == engine]
    live = [s for s in services if s.environment in LIVE]
    return next((s.location for s in live or services), None)


def _mentioned(context: JobContext) -> frozenset[str]:
    """The engines that the manifests run beside the code; a queue keeps its runs in one of them."""
    return frozenset(s.engine for s in context.service.deployment.services)


def several_nodes(context: JobContext, client: External) -> Location | None:
    """Where a client is told of several nodes; None where it is not."""
    for value in _parts(client, context, 0):
        if isinstance(value, External):
            described = context.service.matcher.effects(value.path.removesuffix("()"))
            if any(
                e.effect in ("db.connect", "db.pool") and e.word("cluster") and not e.when for e in described
            ):
                return value.at
            if any(word in value.path.lower() for word in _SEVERAL):
                return value.at
        if isinstance(value, Record):
            key = next((k for k in value.entries if _names_several(k)), None)
            if key is not None:
                entry = value.entries[key]
                line = getattr(entry.expr, "line", None) if isinstance(entry, Lazy) else None
                return (
                    Location(entry.scope.module.path, line) if line and isinstance(entry, Lazy) else value.at
                )
        if (
            isinstance(value, Known)
            and isinstance(value.value, str)
            and value.value.lower().startswith("redis+sentinel")
        ):
            return value.at
    return None


def _names_several(key: str) -> bool:
    lowered = key.lower().replace("_", "")
    return lowered.startswith(_SEVERAL) or lowered.endswith(("sentinels", "clusternodes"))


def _parts(value: Value | Lazy, context: JobContext, depth: int) -> Iterator[Value]:
    """A value with what it was made of: receivers, arguments, entries."""
    if depth > _DEPTH:
        return
    folded = context.linker.force(value)
    yield folded
    inner: list[Value | Lazy] = []
    if isinstance(folded, External):
        inner = [
            *(folded.args.positional if folded.args else ()),
            *(folded.args.named.values() if folded.args else ()),
        ]
        inner += [folded.receiver] if folded.receiver is not None and folded.receiver is not folded else []
    elif isinstance(folded, Record):
        inner = list(folded.entries.values())
    elif isinstance(folded, Sequence):
        inner = list(folded.items)
    elif isinstance(folded, Choice):
        inner = list(folded.options)
    for part in inner:
        yield from _parts(part, context, depth + 1)


# ---- the process -----------------------------------------------------------------------------------------------


def single_replica(context: JobContext) -> Fact[bool]:
    """Whether the manifests say that the process that holds the job runs once, or a test lets one of several run it."""
    one = appointed(context)
    if one.value is True:
        return one
    deployment = context.service.deployment
    mine = [p for p in deployment.in_use() if {x for e in p.entries for x in e.paths} & set(context.entries)]
    stated = [p.replicas for p in mine if p.replicas is not None]
    if not stated or len(stated) < len(mine):
        return Fact(value=False)
    if all(r.bound == "exact" and r.count == 1 for r in stated):
        return Fact(True, f"{stated[0].why}: {stated[0].text}", (stated[0].location,))  # noqa: FBT003
    if any(r.bound == "unresolved" for r in stated):
        return Fact(Unresolved("the number of replicas is not stated in the tree", stated[0].location))
    return Fact(value=False)


def scheduler_of(context: JobContext) -> Fact[Literal["pinned", "any"]]:
    """Whether the process that schedules is one of its own pinned to one instance."""
    deployment = context.service.deployment
    own = [p for p in deployment.in_use() if p.role is ProcessRole.SCHEDULER]
    if not own:
        return Fact("any", "Nothing stops a second scheduler")
    pinned = [
        p for p in own if p.replicas is not None and p.replicas.bound == "exact" and p.replicas.count == 1
    ]
    many = [p for p in own if p.replicas is not None and p not in pinned]
    if many or not pinned:
        return Fact(
            "any", "The scheduler's process is not pinned to one instance", ((many or own)[0].source,)
        )
    first = pinned[0]
    replicas = first.replicas
    place = replicas.location if replicas is not None else first.source
    return Fact("pinned", f"Scheduler is a process of its own: {first.name}, one instance", (place,))
