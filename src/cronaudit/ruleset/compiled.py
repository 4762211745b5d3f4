"""The compiled form of a catalogue: JSON beside a key over everything that it was made from.

Reading and checking the YAML of a hundred rules costs a hundred milliseconds and more at every start, this form a
few. The key covers the content of every rule and the code that checked it, so that a stale form is never taken.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

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


def content_key(folders: Sequence[RulesFolder]) -> str:
    """Return the SHA-256 over the names and contents of all rules, and over the code that reads and checks them."""
    key = hashlib.sha256(_code_key())
    for folder in folders:
        key.update(b"\0folder\0")
        for file in folder.files:
            key.update(f"{file.source}\0{len(file.content)}\0".encode())
            key.update(file.content)
    return key.hexdigest()


def digest(sections: Sequence[Section], checks: Sequence[Check], issues: Sequence[Issue]) -> str:
    """Return the SHA-256 over the meaning of the rules, in order: comments and places of files do not count."""
    nowhere = [dataclasses.replace(check, source="") for check in checks]
    placeless = [dataclasses.replace(issue, source="") for issue in issues]
    document = [[_plain(rule) for rule in rules] for rules in (sections, nowhere, placeless)]
    return hashlib.sha256(json.dumps(document, ensure_ascii=False).encode()).hexdigest()


def save_compiled(target: Path, key: str, catalogue: Catalogue) -> None:
    """Write the compiled form in one move; where the folder cannot be written, nothing happens."""
    import tempfile

    text = json.dumps({"key": key, "catalogue": _plain(catalogue)}, ensure_ascii=False, separators=(",", ":"))
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(target)
        except OSError:
            Path(name).unlink(missing_ok=True)


def load_compiled(path: Path, key: str) -> Catalogue | None:
    """Return the catalogue, or None where there is no compiled form or it was made from something else."""
    try:
        document = json.loads(path.read_bytes())
        return _catalogue(document["catalogue"]) if document["key"] == key else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


@cache
def _code_key() -> bytes:
    key = hashlib.sha256()
    model = Path(rule.__file__)
    # By its place, not by its import: creating the dataclasses of the facts costs more than this whole load.
    for source in (model, model.with_name("facts.py"), *sorted(Path(__file__).parent.glob("*.py"))):
        key.update(source.read_bytes())
    return key.digest()


def _plain(value: object) -> object:
    """Return dataclasses as the lists of their values, in the order of their fields."""
    if dataclasses.is_dataclass(value):
        return [_plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
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
