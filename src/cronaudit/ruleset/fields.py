"""The fields that tables and templates may ask, read from the records of ``model/facts.py``.

Types come from the annotations and words from their ``Literal`` lists, so that a rule and the recognisers cannot
disagree on what can be said. The docs come from the docstrings under the fields.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Literal, get_args, get_origin, get_type_hints

from msgspec import Struct

from cronaudit.model import facts

SERVICE = "service"
"""The group that holds for the service as a whole."""

JOB_EXTRAS: Mapping[str, str] = {
    "id": "The stable id of the job.",
    "display_name": "Its name, else the symbol of its handler, else its place.",
    "place": "`file:line` of its schedule.",
    "path": "The file of its schedule.",
    "symbol": "The symbol of its handler, empty where it cannot be resolved.",
    "schedule_text": "Its schedule in words.",
}
"""What templates may say of a job beyond its facts: ``{{ job.display_name }}``."""

FACT_PARTS: Mapping[str, str] = {
    "detail": "the short words of the recogniser",
    "at": "`file:line` of the first place, empty where there is none",
    "file": "the file of the first place",
    "reason": "why it is unresolved, empty where it is not",
}
"""What a template may ask of a fact: ``{{ lock.key.at }}``."""


class Kind(Enum):
    """What sort of value a field holds."""

    BOOL = "yes or no"
    NUMBER = "a number"
    TEXT = "text"
    WORDS = "one of its words"


class FieldType(Struct, frozen=True):
    """The static type of a field."""

    kind: Kind
    optional: bool = False
    """Whether it may be none."""
    words: tuple[str, ...] = ()
    """The closed list, for ``Kind.WORDS``."""

    def __str__(self) -> str:
        shown = ", ".join(f"`{word}`" for word in self.words) or self.kind.value
        return f"{shown}, or none" if self.optional else shown


class DocumentedField(Struct, frozen=True):
    """One field as the reference shows it."""

    group: str
    name: str
    type: FieldType
    doc: str


@cache
def field_types() -> Mapping[str, Mapping[str, FieldType]]:
    """Return the type of every field by group and name; ``service`` is a group like the others."""
    groups = {**get_type_hints(facts.JobFacts), SERVICE: facts.ServiceFacts}
    return {
        group: {name: _field_type(hint) for name, hint in get_type_hints(kind).items()}
        for group, kind in groups.items()
    }


def documented_fields() -> Iterator[DocumentedField]:
    """Yield every field with its doc, in the order of the source.

    Needs the source of ``model/facts.py``, as it is in a checkout and in a wheel.
    """
    docs = _docs(Path(facts.__file__).read_text(encoding="utf-8"))
    classes = {**get_type_hints(facts.JobFacts), SERVICE: facts.ServiceFacts}
    for group, members in field_types().items():
        for name, kind in members.items():
            yield DocumentedField(group, name, kind, docs.get((classes[group].__name__, name), ""))


def group_docs() -> Mapping[str, str]:
    """Return what each group is about, its name included."""
    classes = {**get_type_hints(facts.JobFacts), SERVICE: facts.ServiceFacts}
    return {
        group: " ".join((kind.__doc__ or "").split()).replace("``", "`") for group, kind in classes.items()
    }


def _field_type(hint: object) -> FieldType:
    (inner,) = get_args(hint)
    members = (inner,) if get_origin(inner) is Literal else (get_args(inner) or (inner,))
    optional = NoneType in members
    (plain,) = (member for member in members if member is not NoneType)
    if get_origin(plain) is Literal:
        return FieldType(Kind.WORDS, optional, tuple(get_args(plain)))
    return FieldType({bool: Kind.BOOL, float: Kind.NUMBER, str: Kind.TEXT}[plain], optional)


def _docs(source: str) -> dict[tuple[str, str], str]:
    found = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for field, below in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                found[node.name, field.target.id] = " ".join(below.value.value.split()).replace("``", "`")
    return found
