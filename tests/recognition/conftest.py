"""Small services, written out in a test, through the real stages up to the jobs with their walks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from cronaudit import audit
from cronaudit.knowledge.matcher import Matcher
from cronaudit.model.options import AuditOptions
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.finding import find
from cronaudit.survey import Survey

ServiceOf = Callable[[dict[str, str]], list[JobContext]]


@pytest.fixture(scope="session")
def matcher() -> Matcher:
    return audit._matcher(())


@pytest.fixture
def service_of(tmp_path: Path, matcher: Matcher) -> ServiceOf:
    """The live jobs of a tree of files, by path and line of their registration."""

    def build(files: dict[str, str]) -> list[JobContext]:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        options = AuditOptions(date(2026, 11, 23))
        survey = Survey(tmp_path, ())
        tree = survey.tree()
        inputs = audit._inputs(tree, matcher, options, survey, lambda _what, _done, _total: None)
        found, _finder, _service = find(inputs, lambda _done, _total: None)
        return [f.context for f in found if f.liveness.is_live]

    return build
