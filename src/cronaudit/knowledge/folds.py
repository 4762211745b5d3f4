"""What functions of libraries compute: durations, crontab builders, defaults of settings.

Implements the protocol by which linking asks about functions outside the tree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cronaudit.knowledge import records, schemas
from cronaudit.knowledge.amounts import SECONDS_OF, number_of, summed, tidy, unit_of
from cronaudit.knowledge.conditions import holds
from cronaudit.knowledge.folding import Fold, Folder
from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.paths import expanded, last_of
from cronaudit.model.knowledge import Fold as KnownFold
from cronaudit.model.schedule import Dialect, DurationUnit, ScheduleError
from cronaudit.model.source import Location
from cronaudit.model.value import (
    Arguments,
    Choice,
    Closure,
    External,
    Known,
    Lazy,
    Record,
    Sequence,
    Unknown,
    Value,
)
from cronaudit.schedule.durations import UNITS, parse_duration
from cronaudit.schedule.normalise import FieldInput, expression_of_fields

CRON_UNIT = "cron:"
"""`Known.unit` of an expression that a builder made begins so; the dialect follows."""
WORDS_UNIT = "words"
"""`Known.unit` of a schedule that no clock states, told in words: ``solar('sunset', 52.5, 13.4)``."""
_CRON_FIELDS = 5


_OF_ONE = ("db.read_one", "db.insert")
_NO_CALLS = ("constant", "member", "settings")
"""Operations on what is read, not called."""

_Operation: TypeAlias = Callable[[Fold], "Value | None"]


_AROUND = frozenset(("retry.wrap", "lock.with", "timeout.wrap"))


class LibraryFolds:
    """Folds calls of functions that a library file describes."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._anywhere = {
            last_of(one): fold
            for library in matcher.libraries
            for fold in library.folds
            for one in expanded(fold.call)
            if one.startswith("*.")
        }

    def fold(self, folder: Folder, callee: External, args: Arguments, at: Location | None) -> Value | None:
        """The value that the call computes; None where nothing is known of it."""
        for found in self._matcher.folds(callee.path):
            if found.operation in _NO_CALLS:
                continue
            value = self._computed(found, folder, callee, args, at)
            if value is not None:
                return value
        return None

    @staticmethod
    def _computed(
        found: KnownFold, folder: Folder, callee: External, args: Arguments, at: Location | None
    ) -> Value | None:
        def apply(function: Value) -> Value:
            return folder.apply(function, Arguments((), {}), None, at)

        # An object that is called itself is the receiver: ``env = Env(PORT=(int, 80)); env('PORT')``.
        asked = callee if callee.path.endswith("()") and callee.receiver is None else callee.receiver
        call = External(callee.path, args, at, asked)
        stated = dict(found.args)
        value = _OPERATIONS[found.operation](Fold(call, folder.force, stated, found.value, at, apply))
        made = Unknown("whether a row was made", at)  # ``row, made = Rows.objects.get_or_create(…)``
        return Sequence((value, made), complete=True, at=at) if value and stated.get("pair") else value

    def opened(self, folder: Folder, name: str, args: Arguments, at: Location | None) -> Value | None:
        """What a method of that name gives, whoever is asked; None where its name says nothing."""
        found = self._anywhere.get(name)
        return None if found is None else self._computed(found, folder, External(name), args, at)

    def member(self, folder: Folder, found: External) -> Value | None:
        """The value of a member that its object was made with: the name of a queue."""
        for known in self._matcher.folds(found.path):
            if known.operation == "member":
                return self._computed(known, folder, found, found.args or Arguments((), {}), found.at)
        return None

    def settings(self, path: str) -> str | None:
        """The name of the modules whose settings an object of that path gathers; None where it gathers none."""
        found = self._matcher.fold(path)
        return str(found.value) if found is not None and found.operation == "settings" else None

    def is_of_row(self, path: str, name: str) -> bool:
        """Whether a path is one object of the class that a query is asked of, and `name` no method of the library's."""
        is_row = path.endswith("[]") or (
            path.endswith("()") and any(e.effect in _OF_ONE for e in self._matcher.effects(path[:-2]))
        )
        return is_row and not self._matcher.effects(f"{path}.{name}")

    def passed(self, callee: External) -> tuple[str, ...]:
        """What a call passes to its callback, as paths; ``receiver`` for the object itself, empty for unknown."""
        return next((e.passes for e in self._matcher.effects(callee.path) if e.passes), ())

    def defers(self, callee: External) -> bool:
        """Whether what a call is handed runs apart: ``queue.enqueue(settle, order)``, ``app.get('/pay', pay)``."""
        return any(
            e.effect == "http.route" or (e.effect == "queue.enqueue" and e.param("task"))
            for e in self._matcher.effects(callee.path)
        )

    def wraps(self, folder: Folder, callee: External) -> bool:
        """Whether a decorator runs the function under it: again when it fails, under a lock, with a bound."""
        return any(
            e.effect in _AROUND and holds(e.when, callee, folder.force) is True
            for e in self._matcher.effects(callee.path)
        )

    def constant(self, path: str, at: Location | None = None) -> Value | None:
        """The value of a member that is no call: of an enum, say."""
        found = self._matcher.fold(path)
        return Known(found.value, at) if found is not None and found.operation == "constant" else None


# ---- operations -----------------------------------------------------------------------------------------------


def _same(fold: Fold) -> Value | None:
    return fold.selected("value", "args.0")


def _given(fold: Fold) -> Value | None:
    return Known(fold.value, fold.at)


def _partial(fold: Fold) -> Value | None:
    """``async.apply(f, a)``: a function of the project with its first arguments given."""
    args = fold.call.args
    if args is None or not args.complete or not args.positional:
        return None
    function = fold.force(args.positional[0])
    if not isinstance(function, Closure):
        return function
    given = tuple(fold.force(raw) for raw in args.positional[1:])
    return Closure(function.function, function.scope, function.this, (*function.bound, *given))


def _duration_text(fold: Fold) -> Value | None:
    """``ms('5m')``: text with its unit; a number is in the unit of the result."""
    value = fold.selected("value", "args.0")
    if not isinstance(value, Known) or not isinstance(value.value, str):
        return None
    seconds = parse_duration(value.value, DurationUnit.MILLISECOND)
    return None if seconds is None else _length(fold, seconds, value.default_of)


def _duration_scaled(fold: Fold) -> Value | None:
    """``minutesToMilliseconds(5)``: a number of a unit."""
    value = fold.selected("value", "args.0")
    amount = number_of(value)
    unit = str(fold.settings.get("unit", "s"))
    if amount is None:
        return None
    return _length(fold, amount * UNITS[unit], value.default_of if isinstance(value, Known) else None)


def _duration_fields(fold: Fold) -> Value | None:
    """``timedelta(minutes=5)``, ``Duration.fromObject({minutes: 5})``: amounts by the names of units, summed."""
    fields: dict[str, Value | Lazy] = {}
    record = fold.selected("value", "args.0")
    if isinstance(record, Record):
        if not record.complete:
            return None
        fields.update(record.entries)
    elif fold.call.args is not None:
        if not fold.call.args.complete:
            return None
        order = str(fold.settings.get("positional", "")).split()
        fields.update(zip(order, fold.call.args.positional, strict=False))
        fields.update(fold.call.args.named)
    for name in str(fold.settings.get("ignore", "")).split():
        fields.pop(name, None)
    total = summed({name: fold.force(value) for name, value in fields.items()})
    return None if total is None else _length(fold, total, None)


def _duration_amount(fold: Fold) -> Value | None:
    """``dayjs.duration(5, 'minutes').asMilliseconds()``: an amount and the name of its unit, or an object."""
    value, unit = fold.selected("value", "args.0"), fold.selected("unit", "args.1")
    result = fold.selected("as")
    if isinstance(value, Record):
        total = summed({name: fold.force(inner) for name, inner in value.entries.items()})
    elif (amount := number_of(value)) is not None:
        name = unit.value if isinstance(unit, Known) else "ms" if unit is None else None
        scale = UNITS.get(str(name).lower()) if name != "M" else None
        total = None if scale is None else amount * scale
    elif isinstance(value, Known) and isinstance(value.value, str):
        total = parse_duration(value.value, None)
    else:
        total = None
    if total is None:
        return None
    if isinstance(result, Known):
        scale = UNITS.get(str(result.value).lower())
        return None if scale is None else Known(tidy(total / scale), fold.at, unit_of(scale))
    return _length(fold, total, None)


def _crontab_fields(fold: Fold) -> Value | None:
    """``crontab(hour=2)``: fields by keyword or position."""
    if fold.call.args is None or not fold.call.args.complete:
        return None
    order = str(fold.settings.get("positional", "")).split()
    stated = {**dict(zip(order, fold.call.args.positional, strict=False)), **fold.call.args.named}
    ignored = str(fold.settings.get("ignore", "")).split()
    renamed = dict(pair.split("=") for pair in str(fold.settings.get("rename", "")).split())
    fields: dict[str, FieldInput] = {}
    default_of: str | None = None
    stated_at: set[Location | None] = set()
    for written, raw in stated.items():
        name = renamed.get(written, written)
        value = fold.force(raw)
        if name in ignored or (isinstance(value, Known) and value.value is None):
            continue
        if isinstance(value, Known) and isinstance(value.value, str | int):
            fields[name] = value.value
            default_of = default_of or value.default_of
            stated_at.add(value.at)
        elif isinstance(value, Sequence) and value.complete:
            items = [fold.force(item) for item in value.items]
            texts = [i.value for i in items if isinstance(i, Known) and isinstance(i.value, str | int)]
            if len(texts) != len(items):
                return None
            fields[name] = texts
        else:
            return None
    dialect = Dialect(str(fold.settings.get("dialect", Dialect.CELERY.value)))
    expression = expression_of_fields(fields, dialect)
    zoned = None if isinstance(expression, ScheduleError) else fold.zoned(expression)
    # Parts of one text (``crontab(*text.split(" "))``) are stated where that text is.
    split = next(iter(stated_at)) if len(stated_at) == 1 and len(fields) == _CRON_FIELDS else None
    return None if zoned is None else Known(zoned, split or fold.at, CRON_UNIT + dialect.value, default_of)


def _cron_text(fold: Fold) -> Value | None:
    """``CronTrigger.from_crontab('0 2 * * *')``: an expression inside an object."""
    value = fold.selected("value", "args.0")
    dialect = str(fold.settings.get("dialect", Dialect.UNIX5.value))
    if isinstance(value, Known) and isinstance(value.value, str):
        zoned = fold.zoned(value.value)
        return (
            None
            if zoned is None
            else Known(zoned, value.at or fold.at, CRON_UNIT + dialect, value.default_of)
        )
    return value


def _sun(fold: Fold) -> Value | None:
    """``solar('dawn_civil', 52.5, 13.4)``: where the sun stands at a place."""
    event = fold.selected("event", "args.0")
    if not isinstance(event, Known) or not isinstance(event.value, str):
        return None
    words = (
        " ".join(reversed(event.value.split("_"))) if event.value.startswith(("da", "du")) else event.value
    )
    place = [number_of(fold.selected(name)) for name in ("latitude", "longitude")]
    shown = ", ".join(f"{degrees:g}" for degrees in place if degrees is not None)
    where = f" at {shown}" if None not in place else ""
    return Known(f"at {words.replace('_', ' ')}{where}", fold.at, WORDS_UNIT, event.default_of)


def _model(fold: Fold) -> Value | None:
    """``apps.get_model('shop', 'Order')``: a model by its application and name."""
    names = [fold.selected(name, default) for name, default in (("value", "args.0"), ("name", "args.1"))]
    texts = [n.value for n in names if isinstance(n, Known) and isinstance(n.value, str)]
    application, _, model = ".".join(texts).partition(".")
    return External(f"{application}.models.{model}", at=fold.at) if model else None


def _schema(fold: Fold) -> Value | None:
    """``z.object({…}).parse(process.env)``: settings with the defaults that the schema gives them."""
    source = fold.selected("env")
    if source is not None and not schemas.is_environment(source, fold.force):
        return None
    tables = [fold.selected(name) for name in ("value", "more", "rest") if name in fold.settings]
    settings = schemas.settings(tables, fold.force, fold.at)
    under = fold.settings.get("under")
    if settings is None or under is None:
        return settings
    return Record({str(under): settings}, complete=False, at=fold.at)


def _schema_path(fold: Fold) -> Value | None:
    """``convict({…}).get('server.port')``: one setting of a nested schema."""
    key = fold.selected("key", "args.0")
    if not isinstance(key, Known) or not isinstance(key.value, str):
        return None
    return schemas.nested(fold.selected("value"), key.value, fold.force)


def _env_default(fold: Fold) -> Value | None:
    """``env.int('PORT', default=3000)``: one setting with its default, which ``Env(PORT=(int, 3000))`` may hold."""
    name, default = fold.selected("name", "args.0"), fold.selected("default")
    if default is None and fold.settings.get("scheme"):
        default = schemas.default_in(fold.call.receiver, name, fold.force)
    if default is None and _is_stated(fold, "default"):
        default = Known(None, fold.at)  # ``env('LIMIT', default=None)`` is off unless it is set
    return schemas.one(name, default, fold.at)


def _is_stated(fold: Fold, setting: str) -> bool:
    """Whether something stands where a setting is looked for, if only ``None``."""
    args = fold.call.args
    for text in str(fold.settings.get(setting, "")).split(" | ") if args is not None else ():
        root, _, rest = text.partition(".")
        if args is not None and (
            (root == "kwargs" and rest in args.named)
            or (root == "args" and rest.isdigit() and len(args.positional) > int(rest))
        ):
            return True
    return False


def _alternatives(fold: Fold) -> Value | None:
    """What a chain of alternatives may give: ``match(x).with('a', f).otherwise(g)``; the last, its default, first."""
    options: list[Value] = []
    current: External | None = fold.call
    while current is not None:
        last = current.args.positional[-1] if current.args is not None and current.args.positional else None
        given = fold.force(last) if last is not None else None
        if isinstance(given, Closure):
            options.append(fold.apply(given))
        current = current.receiver
    return Choice(tuple(options)) if len(options) > 1 else options[0] if options else None


_OPERATIONS: dict[str, _Operation] = {
    "alternatives": _alternatives,
    "constant": _given,
    "crontab-fields": _crontab_fields,
    "cron-text": _cron_text,
    "duration-amount": _duration_amount,
    "duration-fields": _duration_fields,
    "duration-scaled": _duration_scaled,
    "duration-text": _duration_text,
    "env-default": _env_default,
    "fields": lambda fold: records.fields(fold.call.args, fold.settings, fold.at),
    "first": _same,
    "member": _same,
    "number-range": lambda fold: records.number_range(fold.selected, fold.at),
    "model": _model,
    "partial": _partial,
    "schema": _schema,
    "sun": _sun,
    "settings": _given,
    "schema-path": _schema_path,
}
OPERATIONS = frozenset(_OPERATIONS)
"""What a library file may state as ``operation``."""


def _length(fold: Fold, seconds: float, default_of: str | None) -> Known:
    unit = str(fold.settings.get("result", "ms"))
    return Known(tidy(seconds / SECONDS_OF[unit]), fold.at, unit, default_of)
