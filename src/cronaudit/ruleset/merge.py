"""Merges rules folders into one catalogue and resolves what the rules say of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from cronaudit.model.rule import Catalogue, Check, Issue, Section
from cronaudit.model.verdict import Severity
from cronaudit.problems import Problem, did_you_mean
from cronaudit.ruleset.compiled import digest
from cronaudit.ruleset.folder import RulesFolder
from cronaudit.ruleset.problem import CatalogueError
from cronaudit.ruleset.rulefile import (
    CheckDraft,
    IssueDraft,
    SectionDraft,
    read_check,
    read_issue,
    read_sections,
)

_Draft = TypeVar("_Draft", CheckDraft, IssueDraft, SectionDraft)


class _Drafts(Struct):
    checks: dict[str, CheckDraft] = {}
    issues: dict[str, IssueDraft] = {}
    sections: dict[str, SectionDraft] = {}


def read_catalogue(folders: Sequence[RulesFolder]) -> Catalogue:
    """Return the rules in force from their YAML. Raises CatalogueError with everything that is wrong."""
    problems: list[Problem] = []
    merged = _Drafts()
    for folder in folders:
        drafts = _read(folder, problems)
        merged.checks |= drafts.checks
        merged.issues |= drafts.issues
        merged.sections |= drafts.sections
    sections = _sections(merged, problems)
    checks = _checks(merged, sections, problems)
    issues = _issues(merged, checks)
    if problems:
        raise CatalogueError(problems)
    return Catalogue(sections, checks, issues, digest(sections, checks, issues))


def _read(folder: RulesFolder, problems: list[Problem]) -> _Drafts:
    drafts = _Drafts()
    for file in folder.files:
        match file.kind:
            case "checks":
                _add(drafts.checks, read_check(file, problems), problems)
            case "issues":
                _add(drafts.issues, read_issue(file, problems), problems)
            case _:
                for section in read_sections(file, problems):
                    _add(drafts.sections, section, problems)
    return drafts


def _add(drafts: dict[str, _Draft], draft: _Draft | None, problems: list[Problem]) -> None:
    if draft is None or not draft.id.value:
        return
    if (first := drafts.setdefault(draft.id.value, draft)) is not draft:
        problems.append(
            draft.id.problem(f"'{draft.id.value}' is defined twice: {first.id.path}:{first.id.line}")
        )


def _sections(merged: _Drafts, problems: list[Problem]) -> tuple[Section, ...]:
    """Return the sections with their checks: those that a section lists, then those that name the section."""
    placed: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    for name, draft in merged.sections.items():
        members[name] = []
        for listed in draft.checks:
            if listed.value not in merged.checks:
                guess = did_you_mean(listed.value, merged.checks)
                problems.append(listed.problem(f"no check '{listed.value}'{guess}"))
            elif (first := placed.setdefault(listed.value, name)) != name or listed.value in members[name]:
                problems.append(listed.problem(f"'{listed.value}' is listed in section {first} already"))
            else:
                members[name].append(listed.value)
    for name in sorted(merged.checks):
        draft_section = merged.checks[name].section
        if draft_section is not None and draft_section.value not in members:
            guess = did_you_mean(draft_section.value, members)
            problems.append(draft_section.problem(f"no section '{draft_section.value}'{guess}"))
        elif draft_section is None and name not in placed:
            problems.append(
                merged.checks[name].id.problem(f"'{name}' is in no section: name one in `section`")
            )
        elif draft_section is not None and (first := placed.setdefault(name, draft_section.value)):
            if first != draft_section.value:
                problems.append(draft_section.problem(f"'{name}' is listed in section {first} already"))
            elif name not in members[first]:
                members[first].append(name)
    return tuple(
        replace(draft.section, checks=tuple(members[name])) for name, draft in merged.sections.items()
    )


def _checks(merged: _Drafts, sections: Sequence[Section], problems: list[Problem]) -> tuple[Check, ...]:
    for draft in merged.checks.values():
        for issue in draft.issues:
            if issue.value not in merged.issues:
                guess = did_you_mean(issue.value, merged.issues)
                problems.append(issue.problem(f"no issue '{issue.value}'{guess}"))
    return tuple(
        replace(merged.checks[name].check, section=section.id)
        for section in sections
        for name in section.checks
    )


def _issues(merged: _Drafts, checks: Sequence[Check]) -> tuple[Issue, ...]:
    """Return the issues by severity, then in the order of the rows that may raise them."""
    first_row: dict[str, int] = {}
    for row, check in enumerate(checks):
        for outcome in check.outcomes:
            if outcome.issue is not None:
                first_row.setdefault(outcome.issue, row)
    severities = list(Severity)
    issues = [draft.issue for draft in merged.issues.values()]
    return tuple(sorted(issues, key=lambda issue: _rank(issue, severities, first_row)))


def _rank(
    issue: Issue, severities: Sequence[Severity], first_row: Mapping[str, int]
) -> tuple[int, float, str]:
    return severities.index(issue.severity), first_row.get(issue.id, float("inf")), issue.id
