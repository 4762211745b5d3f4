"""`cronaudit explain`: why a check is there, why it says what it says, why a place is or is not a job."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cronaudit.commands.parameters import Config, Day, Rules
from cronaudit.commands.running import ExitCode, complain, emit
from cronaudit.commands.scan import run_audit
from cronaudit.commands.settings import audit_options, read_settings
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.options import ConfigurationError

if TYPE_CHECKING:  # start-up: the dataclasses of a result cost 30 ms, and not every command has one
    from cronaudit.model.job import Job
    from cronaudit.model.rule import Catalogue, Check

_MANIFESTS: Final = (
    "package.json",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "manage.py",
    "requirements.txt",
    "deno.json",
)
"""Files that make a folder a package: what is built, installed and started together."""
_PLACE: Final = lazy_regex(r"(?P<file>.+):(?P<line>\d+)")


def explain(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="CHECK|FILE:LINE", help="A check by id or title, or a place.", show_default=False
        ),
    ],
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="The service in which to explain it. For FILE:LINE the package around the file, unless given.",
            exists=True,
            show_default=False,
        ),
    ] = None,
    job: Annotated[
        str | None,
        typer.Option(
            "--job", metavar="NAME", help="Only this job: a name, an id or a glob.", show_default=False
        ),
    ] = None,
    rules: Rules = None,
    config: Config = None,
    day: Day = None,
) -> None:
    """Explain a check, its verdict in a service, or why a place is, or is not, a job."""
    if place := _PLACE.fullmatch(subject):
        target, inside = _locate(place["file"], path)
        outcome = run_audit(
            target, audit_options(read_settings(target, config), day=day, rules=rules), quiet=False
        )
        emit("\n".join(outcome.trace.explain_place(inside, int(place["line"]))) + "\n")
        return
    from cronaudit.audit import load_catalogue
    from cronaudit.report.explain import explain_check, explain_verdicts

    if path is None:
        if job is not None:
            raise ConfigurationError("--job needs the PATH of a service to look into")
        catalogue = load_catalogue(tuple(rules or ()))
        emit(explain_check(catalogue, _find_check(catalogue, subject)))
        return
    result = run_audit(
        path, audit_options(read_settings(path, config), day=day, rules=rules), quiet=False
    ).result
    check = _find_check(result.catalogue, subject)
    if not result.jobs:
        complain(f"no job found in {path}")
        raise typer.Exit(ExitCode.NOTHING)
    emit(explain_verdicts(result, check, _find_jobs(result.jobs, job)))


def _find_check(catalogue: Catalogue, subject: str) -> Check:
    """Find by id or title: the report shows titles."""
    wanted = subject.casefold()
    for check in catalogue.checks:
        if wanted in (check.id.casefold(), check.title.casefold()):
            return check
    names = {name.casefold(): name for check in catalogue.checks for name in (check.title, check.id)}
    close = get_close_matches(wanted, names, n=3)
    hint = (
        f", did you mean {' or '.join(names[name] for name in close)}?"
        if close
        else "; see `cronaudit rules`"
    )
    raise ConfigurationError(f"there is no check {subject!r}{hint}")


def _find_jobs(jobs: tuple[Job, ...], wanted: str | None) -> list[Job]:
    if wanted is None:
        return list(jobs)
    if exact := [job for job in jobs if wanted in (job.name, job.id, job.display_name)]:
        return exact
    found = [job for job in jobs if any(fnmatchcase(name, wanted) for name in (job.display_name, job.id))]
    if not found:
        names = ", ".join(job.display_name for job in jobs)
        raise ConfigurationError(f"there is no job {wanted!r}: one of {names}")
    return found


def _locate(file: str, path: Path | None) -> tuple[Path, str]:
    """Give the target, and the path of the file within it."""
    for candidate in (Path(file), *([path / file] if path else [])):
        if candidate.is_file():
            place = Path(os.path.realpath(candidate))
            target = path or _service_around(place)
            root = Path(os.path.realpath(target))
            if place.is_relative_to(root):
                return target, place.relative_to(root).as_posix()
            raise ConfigurationError(
                f"{file} lies outside of {root}: cronaudit explain {file}:LINE PATH names its service"
            )
    raise ConfigurationError(f"{file}: there is no such file")


def _service_around(place: Path) -> Path:
    """Give the folder to audit for a file, and say which: its package, of a workspace the whole of it.

    The working directory where no manifest is above the file; its own folder where it lies outside of that, too.
    """
    packages = [
        folder for folder in _inside_repository(place) if any((folder / m).is_file() for m in _MANIFESTS)
    ]
    here = Path.cwd()
    if packages:
        found = next((outer for outer in reversed(packages) if _has_members(outer)), packages[0])
    else:
        found = here if place.is_relative_to(here) else place.parent
    shown = found.relative_to(here) if found.is_relative_to(here) else found
    complain(
        f"looking at {place.relative_to(found)} as part of {shown}; PATH behind it names another service",
    )
    return shown


def _inside_repository(place: Path) -> Iterator[Path]:
    for folder in place.parents:
        yield folder
        if (folder / ".git").exists():
            return


def _has_members(folder: Path) -> bool:
    """Whether a package is the root of a workspace, whose packages import and start each other's jobs."""
    if (folder / "pnpm-workspace.yaml").is_file():
        return True
    with suppress(OSError, ValueError, AttributeError):
        return bool(json.loads((folder / "package.json").read_bytes()).get("workspaces"))
    return False
