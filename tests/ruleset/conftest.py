from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, get_type_hints

import pytest

from cronaudit.model import facts as model
from cronaudit.model.facts import Fact, JobFacts, ServiceFacts, Walk
from cronaudit.model.job import Handler, Job, JobState
from cronaudit.model.rule import Catalogue
from cronaudit.model.schedule import Schedule
from cronaudit.model.source import Location
from cronaudit.ruleset.catalogue import load_catalogue
from cronaudit.ruleset.fields import FieldType, Kind, field_types

Values = Mapping[str, Any]


def neutral(kind: FieldType) -> Any:
    if kind.optional:
        return None
    return {Kind.BOOL: False, Kind.NUMBER: 0.0, Kind.TEXT: "", Kind.WORDS: (kind.words or ("",))[0]}[
        kind.kind
    ]


def group(name: str, holder: type[Any], values: Values) -> Any:
    found = {}
    for field, kind in field_types()[name].items():
        value = values.get(f"{name}.{field}", neutral(kind))
        found[field] = value if isinstance(value, Fact) else Fact(value)
    return holder(**found)


def job_facts(values: Values) -> JobFacts:
    return JobFacts(
        **{name: group(name, holder, values) for name, holder in get_type_hints(JobFacts).items()}
    )


def service_facts(values: Values) -> ServiceFacts:
    return group("service", model.ServiceFacts, values)  # type: ignore[no-any-return]


MakeFacts = Callable[[Values], JobFacts]
MakeService = Callable[[Values], ServiceFacts]


@pytest.fixture
def make_facts() -> MakeFacts:
    return job_facts


@pytest.fixture
def make_service() -> MakeService:
    return service_facts


@pytest.fixture
def service() -> ServiceFacts:
    return service_facts({})


@pytest.fixture
def make_job() -> Callable[..., Job]:
    def make(
        name: str,
        values: Values | None = None,
        *,
        path: str | None = None,
        line: int = 10,
        state: JobState = JobState.LIVE,
        handler: Location | None = None,
    ) -> Job:
        location = Location(path or f"src/jobs/{name}.ts", line)
        return Job(
            id=f"id:{name}",
            name=name,
            display_name=name,
            state=state,
            state_reason="",
            kind="set-interval",
            location=location,
            schedule=Schedule(interval_seconds=60, text="every minute"),
            handler=None if handler is None else Handler(handler, "run"),
            trigger="setInterval",
            facts=job_facts({"job.name": name, **(values or {})}),
            walk=Walk(complete=True),
        )

    return make


CHECK = """\
id: {id}
title: Title of {id}
scope: {scope}
why: Why.
how: How.
remediation: Mend it.
outcomes:
"""
ISSUE = """\
id: {id}
title: Title of {id}
severity: {severity}
remediation_title: Mend {id}
recommendation: Mend {id} now
remediations: []
"""


class Rules:
    """A rules folder in the making."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.listed: dict[str, list[str]] = {}

    def write(self, path: str, text: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(text), encoding="utf-8")
        return target

    def check(self, name: str, outcomes: str, *, scope: str = "job", section: str = "3.2") -> Path:
        self.listed.setdefault(section, []).append(name)
        body = "".join(f"  {line}\n" for line in dedent(outcomes).strip("\n").splitlines())
        return self.write(f"checks/{section}/{name}.yaml", CHECK.format(id=name, scope=scope) + body)

    def issue(self, name: str, severity: str = "high") -> Path:
        return self.write(f"issues/{name}.yaml", ISSUE.format(id=name, severity=severity))

    def sections(self, titles: str = "{any: Section}") -> Path:
        entries = "".join(
            f'  - id: "{name}"\n    titles: {titles}\n    checks: [{", ".join(checks)}]\n'
            for name, checks in self.listed.items()
        )
        return self.write("sections.yaml", f"sections:\n{entries}")

    def load(self) -> Catalogue:
        self.sections()
        return self.load_as_written()

    def load_as_written(self) -> Catalogue:
        return load_catalogue([self.root])


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return Rules(tmp_path / "rules")


@pytest.fixture
def make_rules(tmp_path: Path) -> Callable[[str], Rules]:
    return lambda name: Rules(tmp_path / name)
