"""The closed lists that library files choose from: effects, options and settings of ``rules/effects.yaml``, facts."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from functools import cache
from types import NoneType
from typing import Literal, get_args, get_origin, get_type_hints

from msgspec import Struct

from cronaudit.knowledge.document import Mapping, read
from cronaudit.model import facts
from cronaudit.model.ir import Scalar
from cronaudit.problems import Problem, did_you_mean

TYPES = ("value", "duration", "callback", "word", "flag", "number")


class Parameter(Struct, frozen=True):
    """One parameter of an effect, or one option of a scheduler."""

    name: str
    type: str
    """``value`` and ``callback`` (selectors), ``duration`` (selectors with units), ``word`` (one of `words`), ``flag``
    (true or false) and ``number``, which stand in the file themselves."""
    words: tuple[str, ...]
    doc: str


class EffectKind(Struct, frozen=True):
    """One effect of the closed list."""

    name: str
    doc: str
    params: tuple[Parameter, ...]

    def param(self, name: str) -> Parameter | None:
        return next((p for p in self.params if p.name == name), None)


class SettingKind(Struct, frozen=True):
    """What a setting can settle, and what its value can say."""

    parts: tuple[str, ...] = ()
    means: tuple[str, ...] = ()


class Vocabulary(Struct, frozen=True):
    """All that a library file may say."""

    effects: MappingOf[str, EffectKind]
    options: MappingOf[str, Parameter]
    settings: MappingOf[str, SettingKind]
    """What settings of frameworks can settle."""

    def updated(self, more: Vocabulary) -> Vocabulary:
        """This one with the entries of another, which win."""
        return Vocabulary(
            {**self.effects, **more.effects},
            {**self.options, **more.options},
            {**self.settings, **more.settings},
        )


def read_vocabulary(content: bytes, path: str, problems: list[Problem]) -> Vocabulary:
    """Return the effects, options and settings of a file."""
    document = read(content, path, "file", problems)
    if document is None:
        return Vocabulary({}, {}, {})
    effects: dict[str, EffectKind] = {}
    if (listed := document.mapping("effects")) is not None:
        for name in listed.entries:
            if (entry := listed.mapping(name)) is not None:
                params = entry.mapping("params")
                effects[name] = EffectKind(name, entry.text("doc"), _parameters(params))
                entry.close()
    options = {p.name: p for p in _parameters(document.mapping("options"))}
    settings: dict[str, SettingKind] = {}
    if (listed := document.mapping("settings")) is not None:
        for name in listed.entries:
            if (entry := listed.mapping(name)) is not None:
                entry.text("doc")
                settings[name] = SettingKind(_words(entry.mapping("parts")), _words(entry.mapping("means")))
                entry.close()
    document.close()
    return Vocabulary(effects, options, settings)


def _words(described: Mapping | None) -> tuple[str, ...]:
    """The words of a list that says what each is."""
    return tuple(w for w in described.entries if described.text(w)) if described is not None else ()


def _parameters(listed: Mapping | None) -> tuple[Parameter, ...]:
    if listed is None:
        return ()
    found: list[Parameter] = []
    for name in listed.entries:
        entry = listed.mapping(name)
        if entry is None:
            continue
        kind, words = entry.text("type", "value"), entry.texts("words")
        if kind not in TYPES:
            entry.note(f"unknown type '{kind}'{did_you_mean(kind, TYPES)}", entry.line_of("type"))
        if bool(words) != (kind == "word"):
            entry.note("`words` go with `type: word`")
        found.append(Parameter(name, kind, words, entry.text("doc")))
        entry.close()
    return tuple(found)


# ---- fields of facts ------------------------------------------------------------------------------------------


def trait_problem(field: str, value: Scalar) -> str | None:
    """Return why a library cannot say this of a job; None where it can."""
    known = _fields()
    if field not in known:
        return f"unknown field '{field}'{did_you_mean(field, sorted(known))}"
    kinds, words, optional = known[field]
    if value is None:
        return None if optional else f"{field} is never empty"
    if words and value not in words:
        return f"{field}: unknown word '{value}' (one of {', '.join(words)})"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not words and type(value) not in kinds and not (float in kinds and number):
        return f"{field}: {value!r} is not of its type"
    return None


@cache
def _fields() -> MappingOf[str, tuple[tuple[type, ...], tuple[str, ...], bool]]:
    """Each field of a job's facts: its types, its words, and whether it may be none."""
    found: dict[str, tuple[tuple[type, ...], tuple[str, ...], bool]] = {}
    for group, kind in get_type_hints(facts.JobFacts).items():
        for name, hint in get_type_hints(kind).items():
            (inner,) = get_args(hint)
            members = (inner,) if get_origin(inner) is Literal else (get_args(inner) or (inner,))
            words = tuple(w for m in members if get_origin(m) is Literal for w in get_args(m))
            kinds = tuple(m for m in members if get_origin(m) is not Literal and m is not NoneType)
            found[f"{group}.{name}"] = (kinds, words, NoneType in members)
    return found
