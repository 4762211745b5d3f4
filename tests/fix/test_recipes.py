"""The files in rules/fixes: that they speak of calls which the libraries describe, and what is said of wrong ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from cronaudit.assets import rules_dir
from cronaudit.fix.recipe import Recipe, Slot, parse_slot
from cronaudit.fixing import read_recipes
from cronaudit.knowledge.loader import load
from cronaudit.model.options import AuditOptions, ConfigurationError

RECIPES = read_recipes(AuditOptions(date=date.min))
DESCRIBED = {
    call
    for library in load([rules_dir()]).libraries
    for call in (*(s.call for s in library.schedulers), *(c.call for c in library.consumers))
}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_calls_are_those_of_the_libraries(recipe: Recipe) -> None:
    assert {call for place in recipe.places for call in place.calls} - DESCRIBED == set()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_prose_is_that_of_a_line(recipe: Recipe) -> None:
    for text in (recipe.title, recipe.caution):
        assert text == "" or (text[0].islower() and not text.endswith("."))


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("args.2.repeat.tz", Slot(0, 2, ("repeat", "tz"))),
        ("kwargs.time_limit", Slot(0, "time_limit")),
        ("receiver.kwargs.timezone", Slot(1, "timezone")),
        ("receiver.receiver.args.0.tz", Slot(2, 0, ("tz",))),
        ("args.name", None),
        ("kwargs", None),
        ("entry.tz", None),
    ],
)
def test_slots(text: str, slot: Slot | None) -> None:
    assert parse_slot(text) == slot


def problems(tmp_path: Path, text: str) -> list[str]:
    folder = tmp_path / "rules" / "fixes"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(dedent(text).lstrip("\n"))
    with pytest.raises(ConfigurationError) as raised:
        read_recipes(AuditOptions(date=date.min, rules=(tmp_path / "rules",)))
    return [line.removeprefix(f"{folder.as_posix()}/") for line in str(raised.value).splitlines()]


def test_all_that_is_wrong_is_said_with_its_line(tmp_path: Path) -> None:
    assert problems(
        tmp_path,
        """
        id: other
        title: set it
        checks: [JOB-3]
        reaches: FAIL
        when: schedule.timezone_sauce == 'none'
        safe: false
        places:
          - call: node-cron:schedule
            set: {arg.2.timezone: $zone, args.2.name: $nome, args.2.limit: $time_limit h}
            keep: [args.2.name]
          - call: node-cron:schedule
            set: {args.2.timezone: UTC, kwargs.delay: {like: args.1, else: 3}}
            beside: {a: b}
        """,
    ) == [
        "own.yaml:1: `id` must be the name of the file, own",
        "own.yaml:1: a fix that is not always safe needs a `caution`",
        "own.yaml:3: there is no check 'JOB-3'; did you mean 'JOB-03'?",
        "own.yaml:4: `reaches` is PASS or PARTIAL, not FAIL",
        "own.yaml:5: unknown field 'schedule.timezone_sauce'; did you mean 'timezone_source'?",
        "own.yaml:9: `arg.2.timezone` is no place of an option: args.2.name, kwargs.name",
        "own.yaml:9: unknown unit 'h' (one of s, ms)",
        "own.yaml:9: unknown value '$nome'; did you mean 'name'?",
        "own.yaml:10: unknown key `keep` in place; did you mean 'keeps'?",
        "own.yaml:11: a place has either `set` or `beside`",
        "own.yaml:12: `like` names a keyword, and goes with the numbers `else` and `most`",
    ]


def test_what_is_missing(tmp_path: Path) -> None:
    assert problems(tmp_path, "id: own\n") == [
        "own.yaml:1: a fix that is not always safe needs a `caution`",
        "own.yaml:1: fix without `checks`",
        "own.yaml:1: fix without `places` or `raises`",
        "own.yaml:1: fix without `safe`",
        "own.yaml:1: fix without `title`",
    ]


def test_not_yaml(tmp_path: Path) -> None:
    (said,) = problems(tmp_path, "id: [own\n")
    assert said.startswith("own.yaml:")
    assert "not YAML" in said
