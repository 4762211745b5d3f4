"""What is said about a word elsewhere in a tree: asked of jobs that no import and no call leads to."""

from __future__ import annotations

import re

from msgspec import Struct

from cronaudit.model.source import Language, Role
from cronaudit.target.languages import CODE
from cronaudit.target.tree import Tree

_NOT_SAID = frozenset((Role.TEST, Role.DOCS, Role.VENDORED))
_HOOKS = 3
"""So many files define a function of a name that only a loader can mean."""


class Mentions(Struct):
    """Answers for one tree."""

    tree: Tree
    _hooks: dict[str, bool] = {}

    def elsewhere(self, word: str, path: str) -> bool:
        """Whether a code or deployment file other than `path` holds `word` in quotes or as part of a path."""
        if len(word) < 3:  # too short to mean anything
            return True
        wanted = word.encode()
        pattern = re.compile(rb"""['"/\\]""" + re.escape(wanted) + rb"""['"/\\.]""")
        for file in self.tree.files:
            if file.path != path and (file.language in CODE or file.role in (Role.DEPLOY, Role.CONFIG)):
                if file.role in _NOT_SAID:
                    continue
                content = self.tree.read(file.path)
                # The word first: an expression that begins with one of several bytes is tried at each.
                if wanted in content and pattern.search(content):
                    return True
        return False

    def is_hook(self, name: str) -> bool:
        """Whether several Python files define a function of that name at their top: a loader calls it by its name."""
        known = self._hooks.get(name)
        if known is None:
            pattern = re.compile(rb"^(?:async )?def " + re.escape(name.encode()) + rb"\(", re.MULTILINE)
            count = 0
            for file in self.tree.files:
                if file.language is Language.PYTHON and file.role not in _NOT_SAID:
                    count += pattern.search(self.tree.read(file.path)) is not None
                    if count >= _HOOKS:
                        break
            known = self._hooks[name] = count >= _HOOKS
        return known
