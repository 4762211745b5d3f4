"""What rules that cannot be in force raise."""

from __future__ import annotations

from cronaudit.problems import FilesError


class CatalogueError(FilesError):
    """Rules that cannot be in force; everything that is wrong with them, not only the first thing."""
