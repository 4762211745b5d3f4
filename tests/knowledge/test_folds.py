from __future__ import annotations

from pathlib import Path

import pytest

from cronaudit.knowledge.folds import LibraryFolds
from cronaudit.knowledge.loader import load
from cronaudit.knowledge.matcher import Matcher
from cronaudit.model.ir import Call
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, Env, External, Known, Lazy, Record, Sequence, Unknown, Value

LIBRARY = """
title: T
ecosystem: any
folds:
  - {call: "ms:", operation: duration-text}
  - {call: "fns:minutesToMilliseconds", operation: duration-scaled, with: {unit: minutes}}
  - {call: "luxon:Duration.fromObject().toMillis", operation: duration-amount, with: {value: receiver.args.0}}
  - {call: "dayjs:duration().asSeconds", operation: duration-amount,
     with: {value: receiver.args.0, unit: receiver.args.1, result: s}}
  - {call: "dayjs:duration().as", operation: duration-amount,
     with: {value: receiver.args.0, unit: receiver.args.1, as: args.0}}
  - {call: datetime.timedelta, operation: duration-fields, with: {positional: days seconds microseconds, result: s}}
  - {call: celery.crontab, operation: crontab-fields,
     with: {positional: minute hour, ignore: nowfun app, dialect: celery}}
  - {call: aps.from_crontab, operation: cron-text, with: {dialect: apscheduler}}
  - {call: "zod:z.object().parse", operation: schema, with: {value: receiver.args.0, env: args.0}}
  - {call: "envalid:cleanEnv", operation: schema, with: {value: args.1}}
  - {call: "convict:().get", operation: schema-path, with: {value: receiver.args.0}}
  - {call: decouple.config, operation: env-default, with: {default: kwargs.default}}
  - {call: "util:promisify", operation: first}
  - {call: "nest:Cron", operation: constant, constants: {EVERY_HOUR: "0 * * * *"}}
"""


class Folder:
    def force(self, value: Value | Lazy) -> Value:
        assert not isinstance(value, Lazy)
        return value

    def apply(self, callee: Value, args: Arguments, call: Call | None, at: Location | None) -> Value:
        del args, call
        return Unknown(f"a call of {type(callee).__name__}", at)


@pytest.fixture(scope="module")
def folds(tmp_path_factory: pytest.TempPathFactory) -> LibraryFolds:
    root: Path = tmp_path_factory.mktemp("rules")
    (root / "libraries").mkdir()
    (root / "libraries" / "t.yaml").write_text(LIBRARY)
    return LibraryFolds(Matcher(load([root])))


def record(**entries: Value) -> Record:
    return Record(dict(entries), complete=True)


def made(path: str, *args: Value, receiver: External | None = None) -> External:
    return External(path, Arguments(tuple(args), {}), None, receiver)


def folded(folds: LibraryFolds, callee: str | External, *args: Value, **named: Value) -> object:
    external = External(callee) if isinstance(callee, str) else callee
    value = folds.fold(Folder(), external, Arguments(tuple(args), dict(named)), None)
    if isinstance(value, Known):
        return (value.value, value.unit, value.default_of)
    return value


def test_text_with_its_unit(folds: LibraryFolds) -> None:
    assert folded(folds, "ms:", Known("5m")) == (300000, "ms", None)
    assert folded(folds, "ms:", Known("5m", default_of="TTL")) == (300000, "ms", "TTL")
    assert folded(folds, "ms:", Known("soon")) is None
    assert folded(folds, "ms:", Known(60000)) is None
    assert folded(folds, "ms:", Unknown("?")) is None


def test_a_number_of_a_unit(folds: LibraryFolds) -> None:
    assert folded(folds, "fns:minutesToMilliseconds", Known(0.3)) == (18000, "ms", None)


def test_amounts_by_name(folds: LibraryFolds) -> None:
    assert folded(folds, "datetime.timedelta", hours=Known(1), minutes=Known(30)) == (5400, "s", None)
    assert folded(folds, "datetime.timedelta", Known(1)) == (86400, "s", None)
    assert folded(folds, "datetime.timedelta", milliseconds=Known(1500)) == (1.5, "s", None)
    assert folded(folds, "datetime.timedelta", minutes=Unknown("?")) is None
    assert folded(folds, "datetime.timedelta") is None


def test_durations_by_their_method(folds: LibraryFolds) -> None:
    luxon = made("luxon:Duration.fromObject()", record(minutes=Known(5)))
    assert folded(folds, External("luxon:Duration.fromObject().toMillis", receiver=luxon)) == (
        300000,
        "ms",
        None,
    )
    dayjs = made("dayjs:duration()", Known(2), Known("hours"))
    assert folded(folds, External("dayjs:duration().asSeconds", receiver=dayjs)) == (7200, "s", None)
    assert folded(folds, External("dayjs:duration().as", receiver=dayjs), Known("minutes")) == (
        120,
        "min",
        None,
    )
    month = made("dayjs:duration()", Known(2), Known("M"))
    assert folded(folds, External("dayjs:duration().asSeconds", receiver=month)) is None


def test_crontab_by_fields(folds: LibraryFolds) -> None:
    hour = Sequence((Known(2), Known(14)), complete=True)
    assert folded(folds, "celery.crontab", minute=Known(0), hour=hour) == (
        "0 2,14 * * *",
        "cron:celery",
        None,
    )
    assert folded(folds, "celery.crontab", Known(30), Known("*/2")) == ("30 */2 * * *", "cron:celery", None)
    assert folded(folds, "celery.crontab", minute=Known(0), app=Unknown("?")) == (
        "0 * * * *",
        "cron:celery",
        None,
    )
    assert folded(folds, "celery.crontab", minute=Unknown("?")) is None
    assert folded(folds, "celery.crontab", minutes=Known(5)) is None
    assert folded(folds, "aps.from_crontab", Known("0 2 * * *")) == ("0 2 * * *", "cron:apscheduler", None)


ENVIRONMENT = External("global:process.env")


def test_defaults_of_a_schema(folds: LibraryFolds) -> None:
    number = External("zod:z.coerce.number()", Arguments((), {}))
    port = made("zod:z.coerce.number().default()", Known(3000), receiver=number)
    name = External("zod:z.string()", Arguments((), {}))
    changed = made("zod:z.string().transform()", Known("f"), receiver=name)
    schema = made("zod:z.object()", record(PORT=port, NAME=name, LIST=changed))
    parse = External("zod:z.object().parse", receiver=schema)
    settings = folded(folds, parse, ENVIRONMENT)
    assert isinstance(settings, Record)
    default = settings.entries["PORT"]
    assert isinstance(default, Known)
    assert (default.value, default.default_of) == (3000, "PORT")
    variable = settings.entries["NAME"]
    assert isinstance(variable, Env)
    assert variable.name == "NAME"
    assert isinstance(settings.entries["LIST"], Unknown)
    assert folded(folds, parse, Unknown("a request")) is None


def test_defaults_in_options(folds: LibraryFolds) -> None:
    validator = made("envalid:port()", record(default=Known(3000)))
    settings = folded(folds, "envalid:cleanEnv", ENVIRONMENT, record(PORT=validator))
    assert isinstance(settings, Record)
    default = settings.entries["PORT"]
    assert isinstance(default, Known)
    assert (default.value, default.default_of) == (3000, "PORT")


def test_one_setting_of_a_nested_schema(folds: LibraryFolds) -> None:
    leaf = record(default=Known(5), env=Known("JOB_MINUTES"))
    schema = made("convict:()", record(jobs=record(minutes=leaf)))
    get = External("convict:().get", receiver=schema)
    assert folded(folds, get, Known("jobs.minutes")) == (5, None, "JOB_MINUTES")
    assert folded(folds, get, Known("jobs.hours")) is None


def test_one_setting(folds: LibraryFolds) -> None:
    assert folded(folds, "decouple.config", Known("TTL"), default=Known(5)) == (5, None, "TTL")
    found = folded(folds, "decouple.config", Known("TTL"))
    assert isinstance(found, Env)


def test_what_a_wrapper_is_given_and_constants(folds: LibraryFolds) -> None:
    assert folded(folds, "util:promisify", Known("f")) == ("f", None, None)
    assert folded(folds, "unknown:f", Known("f")) is None
    constant = folds.constant("nest:Cron.EVERY_HOUR")
    assert isinstance(constant, Known)
    assert constant.value == "0 * * * *"
    assert folds.constant("nest:Cron.NEVER") is None
