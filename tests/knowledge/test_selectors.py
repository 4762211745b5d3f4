from __future__ import annotations

import pytest

from cronaudit.knowledge.conditions import holds
from cronaudit.knowledge.selectors import ROOTS, SelectorError, Site, first, parse_selector, select
from cronaudit.model.knowledge import Condition, Selector
from cronaudit.model.value import (
    Arguments,
    Choice,
    External,
    Known,
    Lazy,
    Record,
    Sequence,
    Text,
    Unknown,
    Value,
)


def force(value: Value | Lazy) -> Value:
    assert not isinstance(value, Lazy)
    return value


def record(**entries: Value) -> Record:
    return Record(dict(entries), complete=True)


def call(
    *positional: Value, receiver: External | None = None, complete: bool = True, **named: Value
) -> External:
    return External("pkg:f()", Arguments(tuple(positional), dict(named), complete), None, receiver)


def value_of(text: str, site: External | Site) -> object:
    found = select(parse_selector(text), site, force)
    if isinstance(found, Known):
        return found.value if found.unit is None else (found.value, found.unit)
    return found if found is None else type(found).__name__


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("args.1.pattern", Selector("args", 1, ("pattern",), None, "args.1.pattern")),
        ("args.-1", Selector("args", -1, (), None, "args.-1")),
        ("args", Selector("args", None, (), None, "args")),
        ("args.2.lockDuration ms", Selector("args", 2, ("lockDuration",), "ms", "args.2.lockDuration ms")),
        ("kwargs.minutes min", Selector("kwargs", "minutes", (), "min", "kwargs.minutes min")),
        ("receiver.args.0", Selector("receiver", None, ("args", "0"), None, "receiver.args.0")),
        ("after(PX) ms", Selector("after", "PX", (), "ms", "after(PX) ms")),
        ("const(1)", Selector("const", 1, (), None, "const(1)")),
        ("const(true)", Selector("const", True, (), None, "const(true)")),
        ("const(two words)", Selector("const", "two words", (), None, "const(two words)")),
        (
            "export.config.schedule",
            Selector("export", "config", ("schedule",), None, "export.config.schedule"),
        ),
        ("value.cron.*", Selector("value", None, ("cron", "*"), None, "value.cron.*")),
        ("decorated.process", Selector("decorated", None, ("process",), None, "decorated.process")),
    ],
)
def test_parses(text: str, expected: Selector) -> None:
    assert parse_selector(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arg.0", f"`arg.0`: a selector begins with one of {', '.join(ROOTS)}"),
        ("args.first", "`args.first`: the number of an argument follows `args`"),
        ("args.0 minutes", "`args.0 minutes`: unknown unit 'minutes' (one of ms, s, min, h, d)"),
        ("value.*.cron", "`value.*.cron` is no selector: names and numbers with dots between them"),
        ("args.0.a[1]", "`args.0.a[1]` is no selector: names and numbers with dots between them"),
    ],
)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_selector(text)
    assert str(caught.value) == message


def test_arguments_by_position_and_name() -> None:
    site = call(Known("a"), record(tz=Known("UTC")), minutes=Known(5))
    assert value_of("args.0", site) == "a"
    assert value_of("args.1.tz", site) == "UTC"
    assert value_of("args.-1.tz", site) == "UTC"
    assert value_of("args.2", site) is None
    assert value_of("args.1.name", site) is None
    assert value_of("kwargs.minutes", site) == 5
    assert value_of("kwargs.hours", site) is None
    assert value_of("kwargs", site) == "Record"


def test_none_is_absent() -> None:
    assert value_of("args.0", call(Known(None))) is None


def test_what_a_spread_hides_is_unknown() -> None:
    assert value_of("args.0", call(Known("a"), complete=False)) == "Unknown"
    assert value_of("kwargs.x", call(complete=False)) == "Unknown"
    open_record = Record({"a": Known(1)}, complete=False)
    assert value_of("args.0.a", call(open_record)) == 1
    assert value_of("args.0.b", call(open_record)) == "Unknown"


def test_a_number_takes_the_unit_of_the_description() -> None:
    site = call(Known(5), Known("5m"), Known(60, unit="s"))
    assert value_of("args.0 ms", site) == (5, "ms")
    assert value_of("args.1 ms", site) == "5m"
    assert value_of("args.2 ms", site) == (60, "s")


def test_behind_a_literal() -> None:
    site = call(Known("key"), Known("1"), Known("px"), Known(3000), Known("NX"))
    assert value_of("after(PX) ms", site) == (3000, "ms")
    assert value_of("after(EX) s", site) is None


def test_the_object_whose_method_it_is() -> None:
    queue = External("bullmq:Queue()", Arguments((Known("mail"),), {}))
    site = call(receiver=queue)
    assert value_of("receiver.args.0", site) == "mail"
    assert value_of("receiver.args.1", site) is None
    assert value_of("receiver", site) == "External"
    assert value_of("receiver", call()) is None


def test_arguments_of_the_call_that_made_an_argument() -> None:
    task = External("toad-scheduler:AsyncTask()", Arguments((Known("id"),), {}))
    job = External("toad-scheduler:SimpleIntervalJob()", Arguments((record(minutes=Known(5)), task), {}))
    site = call(job)
    assert value_of("args.0.args.0.minutes", site) == 5
    assert value_of("args.0.args.1.args.0", site) == "id"
    assert value_of("args.0.args.2.id", site) is None


def test_a_member_of_something_outside_the_tree_is_open() -> None:
    assert value_of("args.0.name", call(External("pkg:config()"))) == "Unknown"


def test_a_choice_keeps_what_its_options_have() -> None:
    both = Choice((record(a=Known(1)), record(b=Known(2))))
    assert value_of("args.0.a", call(both)) == 1
    assert value_of("args.0.c", call(both)) is None
    assert value_of("args.0 ms", call(Choice((Known(1), Known(2))))) == "Choice"


def test_texts_joined() -> None:
    assert value_of("text", call(Known("SELECT 1"))) == "SELECT 1"
    assert value_of("text", call(record(text=Known("SELECT 2"), values=Known(1)))) == "SELECT 2"
    found = select(parse_selector("text"), call(Text(("SELECT ", Unknown("?")))), force)
    assert isinstance(found, Text)
    assert found.parts[0] == "SELECT "
    assert value_of("text", call(Known(1))) is None


def test_places_other_than_calls() -> None:
    site = Site(
        places={"entry": record(name=Known("a")), "key": Known("k")},
        exports={"config": record(schedule=Known("0 * * * *"))},
        file="src/jobs/a.ts",
    )
    assert value_of("entry.name", site) == "a"
    assert value_of("key", site) == "k"
    assert value_of("export.config.schedule", site) == "0 * * * *"
    assert value_of("export.default", site) is None
    assert value_of("path", site) == "src/jobs/a.ts"
    assert value_of("entry.name", call()) is None


def test_first_alternative_that_is_there() -> None:
    alternatives = tuple(map(parse_selector, ("args.0.a", "args.0.b", "args.1")))
    found = first(alternatives, call(record(b=Known("b")), Known("c")), force)
    assert isinstance(found, Known)
    assert found.value == "b"
    assert first(alternatives, call(record()), force) is None
    opened = first(alternatives, call(Record({}, complete=False)), force)
    assert isinstance(opened, Unknown)
    stated = first(alternatives, call(Record({}, complete=False), Known("c")), force)
    assert isinstance(stated, Known)


def condition(text: str, test: str, *values: str | int | bool) -> Condition:
    return Condition(parse_selector(text), test, values)


@pytest.mark.parametrize(
    ("wanted", "site", "expected"),
    [
        (condition("args", "has", "NX"), call(Known("k"), Known("nx")), True),
        (condition("args", "has", "NX"), call(Known("k"), record(NX=Known(True))), True),
        (condition("args", "has", "NX"), call(Known("k"), record(NX=Known(False))), False),
        (condition("args", "has", "NX"), call(Known("k")), False),
        (condition("args", "has", "NX"), call(Unknown("?")), None),
        (condition("args", "lacks", "NX"), call(Known("k"), Known("NX")), False),
        (condition("args", "lacks", "NX"), call(Unknown("?")), None),
        (condition("args.1", "present"), call(Known(1)), False),
        (condition("args.1", "missing"), call(Known(1)), True),
        (condition("args.1", "present"), call(Known(1), complete=False), None),
        (condition("args.0", "is", "SIGTERM"), call(Known("SIGTERM")), True),
        (condition("args.0", "is", True), call(Known(1)), False),
        (condition("args.0", "is", "a"), call(Unknown("?")), None),
        (condition("args.0", "not", False), call(), True),
        (condition("args.0", "not", False), call(Known(False)), False),
        (condition("args.0", "unless", True), call(), True),
        (condition("args.0", "unless", True), call(Unknown("?")), True),
        (condition("args.0", "unless", True), call(Known(True)), False),
        (condition("args.0", "unless", True), call(Choice((Known(True), Known(False)))), True),
        (condition("args.0", "in", "a", "b"), call(Known("b")), True),
        (condition("args.0", "kind", "function"), call(Known("b")), False),
        (condition("args.0", "kind", "text"), call(Known("b")), True),
        (condition("args.0", "kind", "object"), call(record()), True),
        (condition("args.0", "kind", "list"), call(Sequence((), complete=True)), True),
        (condition("args.0", "kind", "text"), call(External("pkg:x")), None),
        (condition("args.0", "matches", "^fail:"), call(Known("fail:x")), True),
        (condition("args.0", "matches", "^fail:"), call(Text(("fail:", Unknown("?")))), True),
        (condition("args.0", "matches", "x$"), call(Text(("fail:", Unknown("?")))), None),
        (condition("args.0", "is", "a"), call(Choice((Known("a"), Known("b")))), None),
        (condition("args.0", "is", "a"), call(Choice((Known("a"), Known("a")))), True),
    ],
)
def test_conditions(wanted: Condition, site: External, expected: bool | None) -> None:
    assert holds((wanted,), site, force) is expected


def test_one_false_condition_decides() -> None:
    unknown = condition("args.0", "is", "a")
    false = condition("args.1", "present")
    assert holds((unknown, false), call(Unknown("?")), force) is False
    assert holds((unknown,), call(Unknown("?")), force) is None
    assert holds((), call(), force) is True
