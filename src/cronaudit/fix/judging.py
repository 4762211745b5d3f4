"""Whether fixes did what they are for, by the audit of the edited tree held against the one before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cronaudit.fix.proposals import Audited, Fix, Target
from cronaudit.model.job import Job
from cronaudit.model.verdict import Status

_RANKS: Final = {
    Status.FAIL: 0,
    Status.UNKNOWN: 1,
    Status.PARTIAL: 2,
    Status.PASS: 3,
    Status.NOT_APPLICABLE: 3,
}


def missed(fix: Fix, after: Audited) -> tuple[Target, ...]:
    """The verdicts of a fix that are not what it is for."""
    statuses = _statuses(after)
    return tuple(
        target
        for target in fix.targets
        if _RANKS[statuses.get((target.job, target.check), Status.FAIL)] < _RANKS[fix.recipe.reaches]
    )


def harmed(before: Audited, after: Audited) -> tuple[str, ...]:
    """What is worse than before, in words: another schedule, another job, a verdict that fell."""
    if len(before.jobs) != len(after.jobs):
        return (f"{len(after.jobs)} jobs are found instead of {len(before.jobs)}",)
    moved = [
        f"{old.display_name} is no longer the same job"
        for old, new in zip(before.jobs, after.jobs, strict=True)
        if _essence(old) != _essence(new)
    ]
    if moved:
        return tuple(moved)
    earlier, later = _statuses(before), _statuses(after)
    return tuple(
        f"{check} falls from {status} to {later.get((number, check), Status.FAIL)}"
        for (number, check), status in earlier.items()
        if _RANKS[later.get((number, check), Status.FAIL)] < _RANKS[status]
    )


def _essence(job: Job) -> tuple[object, ...]:
    """What no fix may change: where the job stands, when it runs, what it runs."""
    schedule = job.schedule
    return (
        job.kind,
        job.state,
        job.location.path,
        schedule.expression,
        schedule.interval_seconds,
        job.handler.symbol if job.handler is not None else None,
        job.handler.location.path if job.handler is not None else None,
    )


def _statuses(audited: Audited) -> dict[tuple[int, str], Status]:
    numbers = {job.id: number for number, job in enumerate(audited.jobs)}
    found: dict[tuple[int, str], Status] = {}
    for check in audited.checks:
        if check.service is not None:
            found[-1, check.id] = check.service.status
        found.update({(numbers[one.job], check.id): one.verdict.status for one in check.jobs})
    return found


def compatible(fixes: Iterable[Fix]) -> list[Fix]:
    """The fixes that can be made at once: each that touches no byte of an earlier one."""
    taken: list[Fix] = []
    for fix in fixes:
        if not any(one.conflicts(other) for one in fix.edits for kept in taken for other in kept.edits):
            taken.append(fix)
    return taken
