"""The labels: what people found in a tree by reading it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import yaml

FOLDER = Path(__file__).parent / "labels"
WORKFLOW_KIND = "github-actions"

Confidence = Literal["sure", "borderline"]
Family = Literal["JavaScript/TypeScript", "Python"]


class LabelError(ValueError):
    """A label file that does not say what it must."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file of the tree."""

    path: str
    line: int

    @classmethod
    def parse(cls, text: str) -> Place:
        """Reads ``path:line``; raises `LabelError`."""
        path, _, line = text.rpartition(":")
        if not path or not line.isdigit():
            raise LabelError(f"not a place: {text!r}")
        return cls(path, int(line))

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class JobLabel:
    """A job that the tree has."""

    name: str
    kind: str
    place: Place
    other_places: tuple[Place, ...]
    """Further lines that say the same job: the registration, the constant, the loop."""
    schedule: str
    """A cron expression, an interval as ``300s``, or ``unresolved``."""
    timezone: str | None
    """A zone, ``unresolved``, or None where nothing sets one."""
    handler: str
    """``path:symbol``, or the path alone."""
    confidence: Confidence
    state: Literal["live", "dormant"]

    @property
    def counts(self) -> bool:
        """Whether missing it is a miss: sure, started by something, and no workflow of the forge."""
        return self.confidence == "sure" and self.state == "live" and self.kind != WORKFLOW_KIND


@dataclass(frozen=True, slots=True)
class Decoy:
    """A place that looks like a job and is none."""

    place: Place
    why: str


@dataclass(frozen=True, slots=True)
class VerdictLabel:
    """What one check should say of the tree."""

    status: str
    alternatives: tuple[str, ...]
    """Other statuses that a fair expert could give."""
    evidence: str
    at: str

    def allows(self, status: str) -> bool:
        """Whether a verdict agrees."""
        return status == self.status or status in self.alternatives


@dataclass(frozen=True, slots=True)
class Source:
    """Where the tree can be had."""

    package: str | None
    """``npm:name==version`` or ``pypi:name==version``."""
    repository: str | None
    """``owner/name``."""
    commit: str | None


@dataclass(frozen=True, slots=True)
class TreeLabels:
    """Everything known of one tree."""

    tree: str
    source: Source
    root: str
    """The folder to scan, relative to the checkout."""
    jobs: tuple[JobLabel, ...]
    decoys: tuple[Decoy, ...]
    verdicts: dict[str, VerdictLabel]
    """By check id; empty where nobody judged the tree."""

    @property
    def family(self) -> Family:
        """By the language of most of the jobs that count."""
        files = [PurePosixPath(job.place.path).suffix for job in self.jobs if job.counts]
        return "Python" if 2 * files.count(".py") > len(files) else "JavaScript/TypeScript"


def load(folder: Path = FOLDER) -> tuple[TreeLabels, ...]:
    """Every label file of a folder, by name. Raises `LabelError`."""
    return tuple(_tree(path) for path in sorted(folder.glob("*.yaml")))


def _tree(path: Path) -> TreeLabels:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return TreeLabels(
            tree=path.stem,
            source=Source(document.get("package"), document.get("repo"), document.get("commit")),
            root=document.get("root", "."),
            jobs=tuple(_job(job) for job in document["jobs"]),
            decoys=tuple(
                Decoy(Place(decoy["file"], decoy["line"]), decoy["why"])
                for decoy in document.get("decoys") or ()
            ),
            verdicts={
                check: VerdictLabel(
                    verdict["status"],
                    tuple(verdict.get("alt") or ()),
                    verdict["evidence"],
                    str(verdict.get("at")),
                )
                for check, verdict in (document.get("checks") or {}).items()
            },
        )
    except KeyError as error:
        raise LabelError(f"{path}: no {error}") from error


def _job(job: dict[str, Any]) -> JobLabel:
    return JobLabel(
        name=job["name"],
        kind=job["kind"],
        place=Place(job["file"], job["line"]),
        other_places=tuple(Place.parse(text) for text in job.get("alt_lines") or ()),
        schedule=str(job["schedule"]),
        timezone=job["timezone"],
        handler=job["handler"],
        confidence=job["confidence"],
        state=job["state"],
    )
