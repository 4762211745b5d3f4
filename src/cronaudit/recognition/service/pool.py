"""``service.pool``: how the connections to the databases are bounded."""

from __future__ import annotations

from typing import Literal

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, Env, Known, Record, Value
from cronaudit.recognition.context import Service
from cronaudit.recognition.facts.processes_sites import is_reached, placed, written_at
from cronaudit.recognition.facts.settings import parts_of, setting
from cronaudit.recognition.sightings import Sighting
from cronaudit.recognition.timing import why_open

Pool = Literal["bounded", "some", "default", "per-run", "no-database"]
_DATABASE = lazy_regex(r"sql|postgres|mongo|maria|oracle|cockroach|clickhouse")
_STORES = ("sql", "mongo", "other")


def pool(service: Service) -> Fact[Pool]:
    """All databases of the service together: a pool without bounds beside one with them is ``some``."""
    made = [s for s, _node in placed(service, "db.pool", "db.connect") if _is_database(s)]
    made = [s for s in made if is_reached(service, s.location.path)]
    per_run = _per_run(service)
    if not made and per_run is None:
        return _configured(service) or _made_by_framework(service) or _nothing(service)
    words: list[tuple[str, Sighting]] = [(_bound(s), s) for s in made]
    bounded = [s for word, s in words if word == "bounded"]
    loose = [s for word, s in words if word != "bounded"]
    if per_run is not None and not [s for s in made if s.effect == "db.pool"]:
        return Fact("per-run", "A connection per run", (per_run.location,), per_run.path)
    open_ = next((s for word, s in words if word == "open"), None)
    if open_ is not None and len(loose) == 1:
        return Fact(Unresolved(_why(open_.param("pool")), open_.location), "", (open_.location,))
    if not loose:
        return Fact("bounded", _bounded_words(service, bounded[0]), _places(bounded))
    if bounded or any(word == "some" for word, _s in words):
        silent = next((s for word, s in words if word == "default"), loose[0])
        return Fact("some", f"Only some databases have bounds; driver's default for {_title(service, silent)}",
                    (silent.location, *_places(bounded)))  # fmt: skip
    first = loose[0]
    return Fact("default", f"{_title(service, first)} with the driver's default size", _places(loose))


def _is_database(sighting: Sighting) -> bool:
    store = sighting.description.word("store")
    return store is None or store in _STORES


def _bound(sighting: Sighting) -> str:
    value = sighting.param("pool")
    if value is None:
        return "default"
    if isinstance(value, Choice):
        known = [_is_number(o) for o in value.options]
        return "bounded" if all(known) else "some" if any(known) else "open"
    return "bounded" if _is_number(value) else "open"


def _is_number(value: Value) -> bool:
    """A number, or one that the environment overrides."""
    if not isinstance(value, Known) or isinstance(value.value, bool):
        return False
    return isinstance(value.value, int | float) or (
        isinstance(value.value, str) and value.value.strip().isdigit()
    )


def _why(value: Value | None) -> str:
    if isinstance(value, Env):
        return f"{value.name} comes from the environment and has no default"
    return "the size of the pool is not resolved" if value is None else why_open(value)


def _per_run(service: Service) -> Sighting | None:
    """A connection of its own that a run opens."""
    for context in service.jobs:
        for sighting in context.seen("db.connect"):
            size = sighting.description.word("default_pool")
            if _is_database(sighting) and size == 1 and sighting.param("pool") is None:
                return sighting
    return None


def _configured(service: Service) -> Fact[Pool] | None:
    """Databases in settings: a connection lives as long as a task unless an age that is set or a pool keeps it."""
    found = setting(service, "databases")
    if found is None:
        return None
    value, at = found
    databases = [service.linker.force(v) for v in value.entries.values()] if isinstance(value, Record) else []
    kept, pool = (parts_of(service, "databases", word) for word in ("kept", "pool"))
    words: set[Pool] = set()
    for database in databases:
        if not isinstance(database, Record) or not database.complete:
            return Fact("default", "Persistent connections at best, no bounds in the tree", (at,))
        age, pooled = _entry(service, database, kept), _entry(service, database, pool)
        if pooled is not None and not (isinstance(pooled, Known) and not pooled.value):
            words.add("bounded")
        elif age is not None and not (isinstance(age, Known) and age.value == 0):
            words.add("default")
        else:
            words.add("per-run")
    if not words:
        return None
    if words == {"per-run"}:
        return Fact("per-run", f"{'.'.join(kept)} is 0: a connection for each task", (at,))
    if words == {"bounded"}:
        return Fact("bounded", "Pool of each database", (at,))
    word: Pool = "some" if "bounded" in words else "default"
    return Fact(
        word,
        "Persistent connections, no bounds" if word == "default" else "Only some databases have a pool",
        (at,),
    )


def _made_by_framework(service: Service) -> Fact[Pool] | None:
    """``SQLALCHEMY_ENGINE_OPTIONS = {'pool_size': 5}``: the pool is made elsewhere, its size is a setting."""
    options, size = setting(service, "pool_options"), setting(service, "pool_size")
    value, at = size if size is not None else (None, None)
    if options is not None and isinstance(options[0], Record):
        keys = parts_of(service, "pool_options", "pool")
        value, at = _entry(service, options[0], keys) or value, options[1]
    if value is None or at is None:
        return None
    place = getattr(value, "at", None) or at
    number = value.options[0] if isinstance(value, Choice) else value
    if not _is_number(number):
        return Fact(Unresolved(_why(value), place), "", (place,))
    assert isinstance(number, Known)  # noqa: S101 - a number is known
    return Fact("bounded", f"Pool of {number.value} connections", (place,))


def _entry(service: Service, record: Record, keys: tuple[str, ...]) -> Value | None:
    found: Value | None = record if keys else None
    for key in keys:
        raw = found.entries.get(key) if isinstance(found, Record) else None
        found = None if raw is None else service.linker.force(raw)
    return found


def _nothing(service: Service) -> Fact[Pool]:
    used = next((s for c in service.jobs for s in c.seen_everywhere("db.*", "tx.*")), None)
    if used is not None:
        return Fact(
            "default", "Shared library's connections, no bounds in the tree", (used.location,), used.path
        )
    stored = [x for x in service.deployment.services if _DATABASE.search(x.engine)]
    if stored:
        return Fact(
            Unresolved(f"{stored[0].engine} is deployed, but no client of it is known", stored[0].location)
        )
    cut = next((c for c in service.jobs if not c.trace.complete), None)
    if cut is not None:
        return Fact(Unresolved(cut.trace.cut or "the walk of a job was cut", cut.site))
    return Fact("no-database", "No database")


def _bounded_words(service: Service, sighting: Sighting) -> str:
    value = sighting.param("pool")
    number = value.options[0] if isinstance(value, Choice) else value
    size = f" with max {number.value}" if isinstance(number, Known) else ""
    return f"{_title(service, sighting)}{size}"


def _title(service: Service, sighting: Sighting) -> str:
    title = next((x.title for x in service.matcher.libraries if x.id == sighting.library), sighting.library)
    return f"{title} pool" if sighting.effect == "db.pool" else title


def _places(found: list[Sighting]) -> tuple[Location, ...]:
    """The option that states the size, then the pools."""
    stated = [
        written_at(s.event.call, s.location.path, s.description.param("pool"))
        or getattr(s.param("pool"), "at", None)
        for s in found
    ]
    return tuple(dict.fromkeys(x for x in (*stated, *(s.location for s in found)) if x is not None))
