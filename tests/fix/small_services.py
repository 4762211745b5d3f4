"""The types of the fixtures that find the fixes of small services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from cronaudit.fixing import Fixing

Files: TypeAlias = Mapping[str, str | bytes]
Fixed: TypeAlias = Callable[..., Fixing]
"""Finds the fixes of a small tree: files, the checks to select, whether unsafe ones too."""
Mended: TypeAlias = Callable[..., dict[str, str]]
"""The same, but gives the new text of each file that changes."""
