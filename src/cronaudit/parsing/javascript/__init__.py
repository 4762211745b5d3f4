"""JavaScript and TypeScript, JSX included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.parsing.javascript.statements import Statements

if TYPE_CHECKING:
    from cronaudit.model.ir import Module


class JavaScript(Statements):
    """Lowers one file."""

    __slots__ = ()

    def __init__(self, source: bytes, module: Module) -> None:
        super().__init__(source, module)
        self.in_switch = False
