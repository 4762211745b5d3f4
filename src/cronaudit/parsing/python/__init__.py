"""Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cronaudit.parsing.python.statements import Statements

if TYPE_CHECKING:
    from cronaudit.model.ir import Module


class Python(Statements):
    """Lowers one file."""

    __slots__ = ()

    def __init__(self, source: bytes, module: Module) -> None:
        super().__init__(source, module)
        self.receiver = None
        self.type_only = False
