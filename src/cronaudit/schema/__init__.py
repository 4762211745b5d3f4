"""The JSON Schemas (draft 2020-12) of the documents that users' scripts read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).resolve().parent

SCHEMAS: Mapping[str, str] = MappingProxyType({"result": "result.schema.json"})
"""By the name that `cronaudit schema` takes."""


def schema_text(name: str) -> str:
    """Return the schema of that name, as it is written; KeyError for a name that is not in `SCHEMAS`."""
    return (_FOLDER / SCHEMAS[name]).read_text(encoding="utf-8")
