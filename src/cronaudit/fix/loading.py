"""Reads rules/fixes, with everything checked that can be checked without a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

import yaml

from cronaudit.fix.recipe import Code, Like, Place, Recipe, Slot, Wanted, parse_slot
from cronaudit.fix.values import VALUES
from cronaudit.model.verdict import Status
from cronaudit.placed_yaml import entries_of, line_of, root_of
from cronaudit.problems import FilesError, Problem, did_you_mean

_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_KEYS = ("id", "title", "checks", "reaches", "when", "safe", "caution", "places", "raises", "to")
_PLACE_KEYS = ("call", "set", "over", "keeps", "beside", "value", "needs", "note")
_OF_LIKE = 3
_NO_SLOT = "is no place of an option: args.2.name, kwargs.name"
Check = Callable[[str], str]
"""Says what is wrong with an expression over the facts; an empty text where nothing is."""


def load_recipes(roots: Iterable[Path], check: Check, checks: frozenset[str]) -> tuple[Recipe, ...]:
    """The recipes of the rules folders; a later file replaces an earlier one of the same name.

    Raises:
        FilesError: with everything that is wrong with them.

    """
    problems: list[Problem] = []
    found: dict[str, Recipe] = {}
    for root in roots:
        for path in sorted((root / "fixes").glob("*.yaml")):
            reader = _Reader(path, problems, check, checks)
            recipe = reader.recipe(path.read_bytes())
            if recipe is not None:
                found[path.stem] = recipe
    if problems:
        raise FilesError(problems)
    return tuple(found[name] for name in sorted(found))


class _Reader:
    """Reads one file; what is wrong is noted with its line."""

    def __init__(self, path: Path, problems: list[Problem], check: Check, checks: frozenset[str]) -> None:
        self._path = path
        self._name = path.as_posix()
        self._problems = problems
        self._check = check
        self._checks = checks

    def recipe(self, content: bytes) -> Recipe | None:
        node = root_of(content, self._name, self._problems)
        if node is None:
            return None
        entries = self._mapping(node, "fix", _KEYS)
        for key in ("id", "title", "checks", "safe"):
            if key not in entries:
                self._note(node, f"fix without `{key}`")
        if "places" not in entries and "raises" not in entries:
            self._note(node, "fix without `places` or `raises`")
        if self._text(entries, "id") != self._path.stem:
            self._note(node, f"`id` must be the name of the file, {self._path.stem}")
        checks = self._texts(entries.get("checks"))
        for name in checks:
            if name not in self._checks:
                self._note(entries["checks"], f"there is no check '{name}'{did_you_mean(name, self._checks)}")
        reaches = self._text(entries, "reaches") or Status.PASS.value
        if reaches not in ("PASS", "PARTIAL"):
            self._note(entries["reaches"], f"`reaches` is PASS or PARTIAL, not {reaches}")
            reaches = Status.PASS.value
        safe = self._plain(entries["safe"]) if "safe" in entries else False
        if isinstance(safe, str):
            self._expression(entries["safe"], safe)
        elif not isinstance(safe, bool):
            self._note(entries["safe"], "`safe` is true, false or a condition")
        caution = self._text(entries, "caution")
        if safe is not True and not caution:
            self._note(node, "a fix that is not always safe needs a `caution`")
        when = self._text(entries, "when") or None
        if when is not None:
            self._expression(entries["when"], when)
        places = entries.get("places")
        return Recipe(
            self._path.stem,
            self._text(entries, "title"),
            checks,
            Status(reaches),
            when,
            safe if isinstance(safe, str | bool) else False,
            caution,
            tuple(self._place(inner) for inner in self._items(places)),
            self._text(entries, "raises") or None,
            self._wanted(entries["to"]) if "to" in entries else None,
            self._name,
        )

    def _place(self, node: yaml.Node) -> Place:
        entries = self._mapping(node, "place", _PLACE_KEYS)
        if "call" not in entries:
            self._note(node, "place without `call`")
        if ("set" in entries) == ("beside" in entries):
            self._note(node, "a place has either `set` or `beside`")
        options = tuple((slot, self._wanted(value)) for slot, value in self._slots(entries.get("set"), "set"))
        over = tuple(
            (slot, tuple(self._plain(item) for item in self._items(value)))
            for slot, value in self._slots(entries.get("over"), "over")
        )
        return Place(
            self._texts(entries.get("call")),
            options,
            over,
            tuple(
                slot for item in self._items(entries.get("keeps")) if (slot := self._slot(item)) is not None
            ),
            self._pairs(entries.get("beside"), "beside"),
            self._wanted(entries["value"]) if "value" in entries else None,
            self._pairs(entries.get("needs"), "needs"),
            self._text(entries, "note"),
        )

    # ---- parts

    def _slot(self, node: yaml.Node) -> Slot | None:
        text = self._plain(node)
        slot = parse_slot(text) if isinstance(text, str) else None
        if slot is None:
            self._note(node, f"`{text}` {_NO_SLOT}")
        return slot

    def _slots(self, node: yaml.Node | None, what: str) -> list[tuple[Slot, yaml.Node]]:
        found = []
        for key, value, line in self._entries(node, what):
            slot = parse_slot(key)
            if slot is None:
                self._problems.append(Problem(self._name, line, f"`{key}` {_NO_SLOT}"))
            else:
                found.append((slot, value))
        return found

    def _wanted(self, node: yaml.Node) -> Wanted:
        if isinstance(node, yaml.MappingNode):
            entries = {key: self._wanted(value) for key, value, _ in self._entries(node, "value")}
            code = entries.get("code")
            if len(entries) == 1 and isinstance(code, str):
                return Code(code)
            return self._like(node, entries) if "like" in entries else entries
        value = self._plain(node)
        if isinstance(value, str) and value.startswith("$"):
            name, _, unit = value[1:].partition(" ")
            if name not in VALUES:
                self._note(node, f"unknown value '${name}'{did_you_mean(name, VALUES)}")
            if unit not in ("", "s", "ms"):
                self._note(node, f"unknown unit '{unit}' (one of s, ms)")
        return value

    def _like(self, node: yaml.Node, entries: dict[str, Wanted]) -> Like | None:
        """``{like: kwargs.default_retry_delay, else: 180, most: 300}``."""
        slot = parse_slot(str(entries.get("like")))
        otherwise, most = entries.get("else"), entries.get("most")
        if (
            slot is None
            or not isinstance(slot.argument, str)
            or not isinstance(otherwise, int)
            or not isinstance(most, int)
            or len(entries) != _OF_LIKE
        ):
            self._note(node, "`like` names a keyword, and goes with the numbers `else` and `most`")
            return None
        return Like(slot.argument, otherwise, most)

    def _plain(self, node: yaml.Node) -> str | int | float | bool | None:
        if not isinstance(node, yaml.ScalarNode):
            self._note(node, "a text, a number, true or false is wanted here")
            return None
        return cast("str | int | float | bool | None", _CONSTRUCTOR.construct_object(node))

    def _expression(self, node: yaml.Node, text: str) -> None:
        wrong = self._check(text)
        if wrong:
            self._note(node, wrong)

    def _mapping(self, node: yaml.Node, what: str, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
        entries = {}
        for key, value, line in self._entries(node, what):
            entries[key] = value
            if key not in keys:
                self._problems.append(
                    Problem(self._name, line, f"unknown key `{key}` in {what}{did_you_mean(key, keys)}")
                )
        return entries

    def _entries(self, node: yaml.Node | None, what: str) -> list[tuple[str, yaml.Node, int]]:
        if node is None:
            return []
        if not isinstance(node, yaml.MappingNode):
            self._note(node, f"{what} must be a mapping")
            return []
        return list(entries_of(node, self._name, self._problems))

    def _pairs(self, node: yaml.Node | None, what: str) -> tuple[tuple[str, str], ...]:
        return tuple((key, str(self._plain(value))) for key, value, _ in self._entries(node, what))

    @staticmethod
    def _items(node: yaml.Node | None) -> list[yaml.Node]:
        if node is None:
            return []
        return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]

    def _texts(self, node: yaml.Node | None) -> tuple[str, ...]:
        return tuple(str(self._plain(item)) for item in self._items(node))

    def _text(self, entries: dict[str, yaml.Node], key: str) -> str:
        value = self._plain(entries[key]) if key in entries else ""
        if not isinstance(value, str):
            self._note(entries[key], f"`{key}` must be a text, not {value}: quote it")
            return ""
        return " ".join(value.split())

    def _note(self, node: yaml.Node, message: str) -> None:
        self._problems.append(Problem(self._name, line_of(node), message))
