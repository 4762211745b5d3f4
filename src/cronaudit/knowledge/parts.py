"""What the entries of library files are made of: paths, selectors, conditions, schedules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from cronaudit.knowledge import paths
from cronaudit.knowledge.conditions import KINDS
from cronaudit.knowledge.document import Item, Mapping
from cronaudit.knowledge.selectors import EACH, UNITS, SelectorError, constant, parse_selector
from cronaudit.knowledge.vocabulary import Parameter, Vocabulary, trait_problem
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Scalar
from cronaudit.model.knowledge import Condition, SchedulePart, Selector
from cronaudit.model.schedule import Dialect
from cronaudit.problems import did_you_mean

HOWS = ("call", "decorator", "base", "export", "assign", "row", "manifest")
FORMS = ("cron", "every", "words", "date", "fields", "duration", "object", "list", "clock")
TESTS = ("is", "not", "unless", "in", "has", "lacks", "missing", "present", "matches", "kind")
_ARGUMENT = lazy_regex(r"(?:receiver\.)?args\.\d+")
_DIALECTS = tuple(dialect.value for dialect in Dialect)
Selectors: TypeAlias = tuple[Selector, ...]


class Reader(Struct):
    """What the entries of one file have in common."""

    id: str
    ecosystem: str
    vocabulary: Vocabulary
    operations: frozenset[str]


def calls_of(entry: Mapping, reader: Reader, how: str) -> tuple[str, ...]:
    """The patterns under ``call``: one, or a list."""
    calls = entry.texts("call")
    if not calls:
        entry.note(f"{entry.what} without `call`")
    for call in calls:
        if how == "export":
            if not call.startswith("export:"):
                entry.note(f"`{call}`: an export is written `export:name`", entry.line_of("call"))
        elif how == "row":
            if not call.startswith("row:"):
                entry.note(f"`{call}`: a row is written `row:key,key`", entry.line_of("call"))
        elif how == "manifest":
            if not call.startswith("manifest:"):
                entry.note(f"`{call}`: a manifest is written `manifest:file.json`", entry.line_of("call"))
        else:
            check_path(entry, "call", call, reader)
    return calls


def check_path(entry: Mapping, key: str, path: str, reader: Reader) -> None:
    """Note a path that is none in the ecosystem of the file."""
    problem = paths.problem_of(path, reader.ecosystem) if path else None
    if problem:
        entry.note(problem, entry.line_of(key))


def passes(entry: Mapping, reader: Reader, *words: str) -> tuple[str, ...]:
    """The paths under ``passes``; `words` may stand there as well, and arguments where ``args`` is one of them."""
    found = entry.texts("passes")
    for path in found:
        is_argument = "args" in words and _ARGUMENT.fullmatch(path) is not None
        if path and path not in words and not is_argument:
            check_path(entry, "passes", path, reader)
    return found


def schedule(entry: Mapping) -> Iterator[SchedulePart]:
    """The ways under ``schedule``."""
    for part in entry.mappings("schedule", "schedule"):
        form = next((name for name in FORMS if name in part.entries), None)
        if form is None:
            part.note(f"a schedule is stated as one of {', '.join(FORMS)}")
            continue
        dialect = one_of(part, "dialect", _DIALECTS, "unix5")
        yield SchedulePart(
            form, selector(part, form), dialect, part.text("days", "*"), part.text("passes", "")
        )
        part.close()


def options(entry: Mapping, reader: Reader) -> tuple[tuple[str, Selectors], ...]:
    """The options under ``options``, each with its selectors."""
    listed = entry.mapping("options")
    found = []
    for name in listed.entries if listed is not None else ():
        assert listed is not None  # noqa: S101 - it has entries
        param = reader.vocabulary.options.get(name)
        if param is None:
            guess = did_you_mean(name, reader.vocabulary.options)
            listed.note(f"unknown option '{name}'{guess}", listed.line_of(name))
        else:
            found.append((name, param_value(listed, name, param)))
    return tuple(found)


def traits(entry: Mapping) -> Iterator[tuple[str, Scalar]]:
    """The fields of facts under ``traits``, each with its value."""
    listed = entry.mapping("traits")
    for field in listed.entries if listed is not None else ():
        assert listed is not None  # noqa: S101 - it has entries
        item = listed.scalar(field)
        if item is None:
            continue
        problem = trait_problem(field, item.value)
        if problem:
            listed.note(problem, item.line)
        yield field, item.value


def param_value(entry: Mapping, key: str, param: Parameter) -> Selectors:
    """The value of a parameter of that type: selectors, or a constant."""
    if param.type in {"value", "duration", "callback"}:
        return selectors(entry, key)
    item = entry.scalar(key)
    if item is None:
        return ()
    if isinstance(item.value, str) and item.value.startswith(("args.", "kwargs.", "after(")):
        return selectors(entry, key)
    if param.type == "word" and item.value not in param.words:
        entry.note(f"{key}: unknown word '{item.value}' (one of {', '.join(param.words)})", item.line)
    if param.type == "flag" and not isinstance(item.value, bool):
        entry.note(f"`{key}` must be true or false", item.line)
    if param.type == "number" and (isinstance(item.value, bool) or not isinstance(item.value, int | float)):
        entry.note(f"`{key}` must be a number", item.line)
    return (constant(item.value),)


def selectors(entry: Mapping, key: str) -> Selectors:
    """The alternatives under a key: one selector or a list, each a text or a mapping with a unit."""
    found: list[Selector] = []
    for node in entry.nodes(key):
        if isinstance(node, Item):
            found.append(_parsed(entry, node.value, node.line))
        else:
            found.append(selector(node, "select"))
            node.close()
    if key != "entries" and any(one.members[-1:] == (EACH,) for one in found):
        entry.note("`*` goes over the rows of `entries` only", entry.line_of(key))
    return tuple(found)


def selector(entry: Mapping, key: str) -> Selector:
    """The selector under a key, with the unit that stands beside it."""
    item = entry.scalar(key)
    text = item.value if item is not None else entry.text(key)
    unit = entry.text("unit", "")
    if unit and unit not in UNITS:
        entry.note(f"unknown unit '{unit}' (one of {', '.join(UNITS)})", entry.line_of("unit"))
        unit = ""
    return _parsed(entry, f"{text} {unit}".strip(), item.line if item else entry.line)


def _parsed(entry: Mapping, text: Scalar, line: int) -> Selector:
    try:
        return parse_selector(str(text))
    except SelectorError as error:
        entry.note(str(error), line)
        return constant(None)


def conditions(entry: Mapping) -> tuple[Condition, ...]:
    """Each key of ``when`` is a selector, or ``has``/``lacks`` for a literal among the arguments."""
    listed = entry.mapping("when")
    found: list[Condition] = []
    for key in listed.entries if listed is not None else ():
        assert listed is not None  # noqa: S101 - it has entries
        line = listed.line_of(key)
        if key in {"has", "lacks"}:
            found.append(Condition(parse_selector("args"), key, tuple(i.value for i in listed.scalars(key))))
            continue
        select = _parsed(listed, key, line)
        nodes = listed.nodes(key)
        if len(nodes) == 1 and isinstance(nodes[0], Mapping):
            inner = nodes[0]
            for test in inner.entries:
                if test not in TESTS:
                    inner.note(f"unknown test '{test}'{did_you_mean(test, TESTS)}", inner.line_of(test))
                found.append(_condition(select, test, tuple(i.value for i in inner.scalars(test)), inner))
        else:
            values = tuple(n.value for n in nodes if isinstance(n, Item))
            if values in {("present",), ("missing",)}:
                found.append(Condition(select, str(values[0])))
            else:
                found.append(Condition(select, "is" if len(values) == 1 else "in", values))
    return tuple(found)


def _condition(select: Selector, test: str, values: tuple[Scalar, ...], entry: Mapping) -> Condition:
    if test == "kind" and (wrong := [str(v) for v in values if v not in KINDS]):
        entry.note(f"unknown kind '{wrong[0]}' (one of {', '.join(KINDS)})")
    if test == "matches":
        _compiles(entry, str(values[0]) if values else "", entry.line)
    return Condition(select, test, values)


def regex(entry: Mapping, key: str) -> str:
    """The regular expression under a key."""
    text = entry.text(key)
    _compiles(entry, text, entry.line_of(key))
    return text


def _compiles(entry: Mapping, text: str, line: int) -> None:
    try:
        re.compile(text)
    except re.error as error:
        entry.note(f"`{text}` is no regular expression: {error}", line)


def one_of(entry: Mapping, key: str, words: tuple[str, ...] | list[str], default: str | None = None) -> str:
    """The word under a key, out of a closed list."""
    text = entry.text(key, default)
    if text and text not in words:
        entry.note(f"unknown {key} '{text}'{_listed(text, words)}", entry.line_of(key))
    return text


def _listed(text: str, words: tuple[str, ...] | list[str]) -> str:
    return did_you_mean(text, words) or f" (one of {', '.join(words)})"
