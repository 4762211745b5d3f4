"""Where the rules and the report templates are: the only place that knows.

A wheel carries them inside the package (``force-include`` in ``pyproject.toml``); in a checkout they are folders of
the repository, so that an edit is in force at the next start.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent.parent


def rules_dir() -> Path:
    """Return the folder with ``checks``, ``issues``, ``libraries`` and ``sections.yaml``."""
    return _folder("_rules", "rules")


def templates_dir() -> Path:
    """Return the folder with the report templates."""
    return _folder("_templates", "reports/templates")


def cache_dir() -> Path | None:
    """Return the user's folder for what can be computed again; None where there is no home."""
    if stated := os.environ.get("XDG_CACHE_HOME"):
        return Path(stated) / "cronaudit"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "cronaudit" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "cronaudit"
    return home / ".cache" / "cronaudit"


def _folder(packaged: str, checkout: str) -> Path:
    inside = _PACKAGE / packaged
    return inside if inside.is_dir() else _CHECKOUT / checkout
