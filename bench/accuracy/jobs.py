"""Which found job is which labelled one, and how well they agree."""

from __future__ import annotations

from dataclasses import dataclass

from bench.accuracy.labels import WORKFLOW_KIND, Decoy, JobLabel, Place, TreeLabels
from bench.accuracy.scan import FoundJob
from bench.accuracy.schedules import handler_agrees, schedule_agrees, zone_agrees

TOLERANCE_LINES = 6


@dataclass(frozen=True, slots=True)
class Pair:
    """A labelled job and the found one that it is."""

    label: JobLabel
    found: FoundJob


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that is compared for the jobs that count and were found."""

    title: str
    exact: int
    wrong: tuple[str, ...]
    """Each with the labelled value and the stated one."""


@dataclass(frozen=True, slots=True)
class JobScore:
    """Jobs of one tree. What is borderline, dormant or a workflow counts neither way."""

    expected: int
    found: int
    """Labelled jobs that count and were found."""
    false: tuple[str, ...]
    """Live jobs of the tool that no label knows, and second reports of one job."""
    missed: tuple[str, ...]
    decoys: tuple[str, ...]
    """The false ones that stand on a labelled decoy."""
    decoys_total: int
    dormant: tuple[str, ...]
    """Reported as never started, and unknown to the labels: no claim that something runs, so not false."""
    aspects: tuple[Aspect, ...]


def score(labels: TreeLabels, found: tuple[FoundJob, ...]) -> JobScore:
    """Matches and counts."""
    own = tuple(job for job in found if job.kind != WORKFLOW_KIND)
    labelled = tuple(job for job in labels.jobs if job.kind != WORKFLOW_KIND)
    matches = assign(labelled, own)
    pairs = [Pair(label, job) for label, job in zip(labelled, matches, strict=True) if job is not None]
    taken = {id(pair.found) for pair in pairs}
    rest = [job for job in own if id(job) not in taken]
    live = [job for job in rest if job.state == "live"]
    counted = [pair for pair in pairs if pair.label.counts]
    return JobScore(
        expected=sum(job.counts for job in labelled),
        found=len(counted),
        false=tuple(_false(job, labelled) for job in live),
        missed=tuple(
            f"{job.name} [{job.kind}] {job.place}"
            for job, match in zip(labelled, matches, strict=True)
            if job.counts and match is None
        ),
        decoys=tuple(f"{job} ({decoy.why})" for job in live if (decoy := _decoy(job, labels.decoys))),
        decoys_total=len(labels.decoys),
        dormant=tuple(str(job) for job in rest if job.state != "live"),
        aspects=tuple(
            _aspect(title, counted) for title in ("name", "state", "schedule", "timezone", "handler")
        ),
    )


def assign(labels: tuple[JobLabel, ...], found: tuple[FoundJob, ...]) -> list[FoundJob | None]:
    """For each label its found job, one to one: the closest first, and then as many as can be had.

    Labels of one registry share their loop's line as another place, so the first choice of one can be the only
    choice of another: what is left over is tried by augmenting paths.
    """
    costs = [[_cost(label, job) for job in found] for label in labels]
    choices = [sorted((cost, j) for j, cost in enumerate(row) if cost is not None) for row in costs]
    holder: dict[int, int] = {}
    for _, i, j in sorted((cost, i, j) for i, row in enumerate(choices) for cost, j in row):
        if j not in holder and i not in holder.values():
            holder[j] = i

    def place(i: int, tried: set[int]) -> bool:
        for _, j in choices[i]:
            if j not in tried:
                tried.add(j)
                if j not in holder or place(holder[j], tried):
                    holder[j] = i
                    return True
        return False

    for i in range(len(labels)):
        if i not in holder.values():
            place(i, set())
    by_label = {i: j for j, i in holder.items()}
    return [found[by_label[i]] if i in by_label else None for i in range(len(labels))]


def _cost(label: JobLabel, job: FoundJob) -> tuple[bool, bool, int] | None:
    """How far apart the two are; None where they cannot be the same job."""
    distances = [
        abs(place.line - job.line)
        for place in (label.place, *label.other_places)
        if place.path == job.path and abs(place.line - job.line) <= TOLERANCE_LINES
    ]
    same_name = job.name is not None and job.name == label.name
    if not distances and not (same_name and job.path == label.place.path):
        return None
    return (not same_name, not label.counts, min(distances, default=TOLERANCE_LINES + 1))


def _false(job: FoundJob, labels: tuple[JobLabel, ...]) -> str:
    again = next((label for label in labels if _cost(label, job) is not None), None)
    return f"{job} (again: {again.name})" if again else str(job)


def _decoy(job: FoundJob, decoys: tuple[Decoy, ...]) -> Decoy | None:
    def distance(place: Place) -> int:
        return abs(place.line - job.line)

    near = [d for d in decoys if d.place.path == job.path and distance(d.place) <= TOLERANCE_LINES]
    return min(near, key=lambda decoy: distance(decoy.place), default=None)


def _aspect(title: str, pairs: list[Pair]) -> Aspect:
    wrong = []
    for pair in pairs:
        label, found = pair.label, pair.found
        match title:
            case "name":
                agrees, expected, stated = label.name == found.name, label.name, str(found.name)
            case "state":
                agrees, expected, stated = label.state == found.state, label.state, found.state
            case "schedule":
                agrees = schedule_agrees(label, found)
                expected, stated = label.schedule, f"{found.expression} / {found.interval_seconds} s"
            case "timezone":
                agrees, expected = zone_agrees(label, found), str(label.timezone)
                stated = str(found.timezone)
            case _:
                agrees, expected = handler_agrees(label, found), label.handler
                stated = f"{found.handler_path}:{found.handler_symbol}"
        if not agrees:
            wrong.append(f"{label.name}: expected {expected}, got {stated}")
    return Aspect(title, len(pairs) - len(wrong), tuple(wrong))
