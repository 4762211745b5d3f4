"""What library files that cannot be used raise."""

from __future__ import annotations

from cronaudit.problems import FilesError


class KnowledgeError(FilesError):
    """Library files that cannot be used; everything that is wrong with them, not only the first thing."""
