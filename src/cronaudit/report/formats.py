"""The formats that a result can be rendered in. A further one is a module and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, cast

from msgspec import Struct

from cronaudit.report.options import RenderOptions

if TYPE_CHECKING:  # start-up: the dataclasses of a result cost 30 ms, and not every command has one
    from cronaudit.model.result import AuditResult


class Renderer(Protocol):
    """Turns a result into a document that ends with a line break."""

    def __call__(self, result: AuditResult, options: RenderOptions) -> str: ...


class Format(Struct, frozen=True):
    """A format by name. Its module is imported when it is first used: start-up pays for none of them."""

    module: str
    """Module of this package; its `render` is the `Renderer`."""
    suffixes: tuple[str, ...]
    """File name endings that mean this format where ``-o`` comes without ``--format``."""
    what: str
    """For the help."""

    def render(self, result: AuditResult, options: RenderOptions) -> str:
        renderer = cast("Renderer", import_module(f"cronaudit.report.{self.module}").render)
        return renderer(result, options)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "console": Format("console", (".txt",), "summary for people at a terminal"),
        "markdown": Format("markdown", (".md", ".markdown"), "the audit report"),
        "json": Format("json", (".json",), "the result document, described by `cronaudit schema result`"),
    }
)
