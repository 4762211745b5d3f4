"""The compiled form of a catalogue, as `cronaudit.compiled` keeps it: its key covers every rule and the code here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from cronaudit import compiled
from cronaudit.model import rule
from cronaudit.model.rule import (
    Catalogue,
    Check,
    Example,
    Issue,
    Outcome,
    Remediation,
    Scope,
    Section,
)
from cronaudit.model.verdict import Severity, Status
from cronaudit.ruleset.folder import RulesFolder

_MODEL = Path(rule.__file__)
_CODE = (
    # By its place, not by its import: creating the classes of the facts costs more than this whole load.
    *(_MODEL, _MODEL.with_name("facts.py"), Path(compiled.__file__)),
    *(Path(compiled.__file__).with_name(f"{name}.py") for name in ("placed_yaml", "problems")),
    *sorted(Path(__file__).parent.glob("*.py")),
)
"""What decides on the form of a rule's content."""


def content_key(folders: Sequence[RulesFolder]) -> str:
    """Return the SHA-256 over the names and contents of all rules, and over the code that reads and checks them."""
    pairs = (
        pair
        for folder in folders
        for pair in [("\0folder", b""), *((f.source, f.content) for f in folder.files)]
    )
    return compiled.content_key(pairs, _CODE)


def digest(sections: Sequence[Section], checks: Sequence[Check], issues: Sequence[Issue]) -> str:
    """Return the SHA-256 over the meaning of the rules, in order: comments and places of files do not count."""
    nowhere = [replace(check, source="") for check in checks]
    placeless = [replace(issue, source="") for issue in issues]
    document = [[_plain(rule) for rule in rules] for rules in (sections, nowhere, placeless)]
    return hashlib.sha256(json.dumps(document, ensure_ascii=False).encode()).hexdigest()


def save_compiled(target: Path, key: str, catalogue: Catalogue) -> None:
    """Write the compiled form; where the folder cannot be written, nothing happens."""
    compiled.save(target, key, _plain(catalogue))


def load_compiled(path: Path, key: str) -> Catalogue | None:
    """Return the catalogue, or None where there is no compiled form or it was made from something else."""
    form = compiled.load(path, key)
    try:
        return _catalogue(cast("list[Any]", form)) if form is not None else None
    except (LookupError, TypeError, ValueError):
        return None


def _plain(value: object) -> object:
    """Return records as the lists of their values, in the order of their fields."""
    if isinstance(value, Struct):
        return [_plain(getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _catalogue(values: list[Any]) -> Catalogue:
    sections, checks, issues, found = values
    return Catalogue(
        tuple(_section(*section) for section in sections),
        tuple(_check(check) for check in checks),
        tuple(_issue(issue) for issue in issues),
        found,
    )


def _section(name: str, titles: list[list[str]], checks: list[str]) -> Section:
    return Section(name, tuple((runtime, title) for runtime, title in titles), tuple(checks))


def _check(values: list[Any]) -> Check:
    name, section, title, why, how, scope, outcomes, remediation, source, examples = values
    return Check(
        name,
        section,
        title,
        why,
        how,
        Scope(scope),
        tuple(_outcome(*outcome) for outcome in outcomes),
        remediation,
        source,
        tuple(Example(*example) for example in examples),
    )


def _outcome(when: str | None, status: str, evidence: str, at: list[str], issue: str | None) -> Outcome:
    return Outcome(when, Status(status), evidence, tuple(at), issue)


def _issue(values: list[Any]) -> Issue:
    name, title, severity, heading, recommendation, remediations, source, when, state = values
    snippets = tuple(Remediation(*remediation) for remediation in remediations)
    return Issue(name, title, Severity(severity), heading, recommendation, snippets, source, when, state)
