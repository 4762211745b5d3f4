"""Ships the compiled rules and libraries beside their files: a start of the tool then parses no YAML."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileRules(BuildHookInterface[Any]):
    """Checks the rules and writes their compiled forms; rules with a mistake make no wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "src"))
        from cronaudit.knowledge import loader
        from cronaudit.ruleset import catalogue

        self._folder = tempfile.TemporaryDirectory(prefix="cronaudit-")
        for form, compile_form in (
            (catalogue.SHIPPED, catalogue.compile_catalogue),
            (loader.SHIPPED, loader.compile_libraries),
        ):
            compiled = Path(self._folder.name) / form
            compile_form(root / "rules", compiled)
            build_data["force_include"][str(compiled)] = f"cronaudit/_rules/{form}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        del version, build_data, artifact_path
        if hasattr(self, "_folder"):
            self._folder.cleanup()
