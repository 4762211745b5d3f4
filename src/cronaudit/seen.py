"""What an audit saw, kept for whoever asks afterwards: `cronaudit explain FILE:LINE`, `cronaudit fix`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from cronaudit.model.job import Job
from cronaudit.model.placement import Placement
from cronaudit.model.source import Role, SourceTree
from cronaudit.recognition.finding import Findings, Inputs
from cronaudit.report.facts import named_facts
from cronaudit.report.text import listing

_NEAR = 3
"""Lines around a place in which ``explain`` still finds it."""


class Seen(Struct, frozen=True):
    """What an audit saw; implements `model.options.Trace`."""

    jobs: tuple[Job, ...]
    findings: Findings
    inputs: Inputs

    @property
    def tree(self) -> SourceTree:
        """The target as it was read."""
        return self.inputs.tree

    def placements(self) -> Mapping[str, tuple[Placement, ...]]:
        """Where each job is stated, by its id."""
        return self.findings.placements()

    def explain_place(self, path: str, line: int) -> list[str]:
        """Say why a place is, or is not, a job, and which stage decided."""
        tree = self.inputs.tree
        if tree.get(path) is None:
            return [f"{path} is not in the target (target: not listed, ignored, or no such file)."]
        for job in self.jobs:
            end = job.location.end_line or job.location.line
            if job.location.path == path and job.location.line - _NEAR <= line <= end:
                return [
                    f"{path}:{line} belongs to the job {job.display_name} ({job.kind}, {job.state}).",
                    f"recognition: armed by {job.trigger}; stated at {job.location}.",
                    f"recognition: {job.state_reason}.",
                ]
        near = [
            r
            for r in self.findings.rejections
            if r.location.path == path and abs(r.location.line - line) <= _NEAR
        ]
        if not any(r.location.line == line for r in near) and (told := _read_as(self.jobs, path, line)):
            return told
        if near:
            closest = min(near, key=lambda r: abs(r.location.line - line))
            return [
                f"{path}:{line} is no job: {closest.reason}.",
                f"recognition: {closest.what} at {closest.location} was looked at and rejected.",
            ]
        role = tree.role_of(path)
        if role is not Role.SERVER:
            return [
                f"{path}:{line} is no job: the file's role is {role}, and such files define none (target)."
            ]
        if path not in self.inputs.candidates:
            return [
                f"{path}:{line} is no job: the file holds no token of any scheduler (target: byte search)."
            ]
        return [f"{path}:{line} is no job: no call, decorator or loop there arms one (recognition)."]


def _read_as(jobs: Iterable[Job], path: str, line: int) -> list[str]:
    """Say of which jobs a place is a part: a base class that arms them, a lock that they share."""
    facts: dict[str, None] = {}
    names: dict[str, None] = {}
    for job in jobs:
        for fact, found in named_facts(job.facts):
            if any(at.path == path and at.line <= line <= (at.end_line or at.line) for at in found.locations):
                facts[fact] = names[job.display_name] = None
    if not names:
        return []
    return [
        f"{path}:{line} states no job of its own: it is part of {listing(names, 5)}.",
        f"recognition: read there: {', '.join(sorted(facts))}.",
    ]
