"""Compiled forms: JSON beside a key over everything that it was made from.

Reading and checking YAML costs a hundred milliseconds and more at every start, a compiled form a few. The key covers
the content of every file and the code that checked it, so that a stale form is never taken. Never a pickle: a form may
lie in a user's folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path


def content_key(files: Iterable[tuple[str, bytes]], code: tuple[Path, ...]) -> str:
    """Return the SHA-256 over the names and contents of files, in order, and over the code that reads them."""
    key = hashlib.sha256(_code_key(code))
    for name, content in files:
        key.update(f"{name}\0{len(content)}\0".encode())
        key.update(content)
    return key.hexdigest()


def save(target: Path, key: str, form: object) -> None:
    """Write a compiled form in one move; where the folder cannot be written, nothing happens."""
    text = json.dumps({"key": key, "form": form}, ensure_ascii=False, separators=(",", ":"))
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(target)
        except OSError:
            Path(name).unlink(missing_ok=True)


def load(path: Path, key: str) -> object:
    """Return the form, or None where there is none or it was made from something else."""
    try:
        document = json.loads(path.read_bytes())
        return document["form"] if document["key"] == key else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


@cache
def _code_key(code: tuple[Path, ...]) -> bytes:
    key = hashlib.sha256()
    for source in code:
        key.update(source.read_bytes())
    return key.digest()
