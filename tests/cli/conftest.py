from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from cronaudit.cli import app
from cronaudit.model.options import AuditOptions, AuditOutcome, ConfigurationError


@pytest.fixture(scope="session")
def make() -> ModuleType:
    """The factory of results; a fixture, since test folders are no packages."""
    spec = spec_from_file_location("report_factory", Path(__file__).parents[1] / "report" / "factory.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class FakeTrace:
    tree: Any = None

    def placements(self) -> dict[str, Any]:
        return {}

    def explain_place(self, path: str, line: int) -> list[str]:
        return [f"{path}:{line}", "no job: nothing of a scheduler is called here"]


@dataclass
class FakeAudit:
    """Stands in for the pipeline: gives the result that a test wants, and remembers how it was asked."""

    make: Any
    result: Any
    errors: tuple[str, ...] = ()
    failure: BaseException | None = None
    asked: list[tuple[Path, AuditOptions]] = field(default_factory=list)

    def audit(self, path: Path, options: AuditOptions, _survey: object = None) -> AuditOutcome:
        self.asked.append((path, options))
        if self.failure is not None:
            raise self.failure
        return AuditOutcome(self.result, FakeTrace(), self.errors)

    def load_catalogue(self, rules: tuple[Path, ...]) -> Any:
        if rules:
            raise ConfigurationError(f"{rules[0]}/checks/X-1.yaml:3: unknown field 'lokc.kind'")
        return self.make.catalogue()

    def baseline_text(self, result: Any) -> str:
        return f"baseline of {result.target.name}\n"

    @property
    def options(self) -> AuditOptions:
        return self.asked[-1][1]


@pytest.fixture
def audit(make: Any, monkeypatch: pytest.MonkeyPatch) -> FakeAudit:
    fake = FakeAudit(make, make.result())
    module: Any = ModuleType("cronaudit.audit")
    module.audit = fake.audit
    module.load_catalogue = fake.load_catalogue
    module.baseline_text = fake.baseline_text
    monkeypatch.setitem(sys.modules, "cronaudit.audit", module)
    return fake


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A target, with the working directory beside it."""
    folder = tmp_path / "service"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "x.ts").write_text("setInterval(f, 1000)\n")
    monkeypatch.chdir(tmp_path)
    for name in ("SOURCE_DATE_EPOCH", "NO_COLOR", "FORCE_COLOR", "CRONAUDIT_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    return folder


Run = Callable[..., Any]


@pytest.fixture
def run() -> Run:
    def invoke(*args: object) -> Any:
        return CliRunner().invoke(app, [str(arg) for arg in args])

    return invoke
