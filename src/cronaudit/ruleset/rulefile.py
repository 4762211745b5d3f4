"""One rule file: YAML in, a rule and everything that is wrong with it out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Literal, TypeVar

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.job import JobState
from cronaudit.model.rule import Check, Example, Issue, Outcome, Remediation, Scope, Section
from cronaudit.model.verdict import Severity, Status
from cronaudit.problems import Problem, did_you_mean
from cronaudit.ruleset.evidence import check_template
from cronaudit.ruleset.expression import ExpressionError, compile_condition
from cronaudit.ruleset.fields import SERVICE, field_types
from cronaudit.ruleset.folder import RuleFile
from cronaudit.ruleset.marked import Mapping, Text, read

_CHECK_ID = lazy_regex(r"[A-Z][A-Z0-9]*-[0-9]{2,}")
_ISSUE_ID = lazy_regex(r"[a-z0-9]+(-[a-z0-9]+)*")
_RUNTIMES = ("node", "python", "any")
_RAISES_NOTHING = {Status.PASS, Status.NOT_APPLICABLE, Status.UNKNOWN}

_Word = TypeVar("_Word", bound=StrEnum)


class CheckDraft(Struct, frozen=True):
    """A check whose references are not yet resolved."""

    check: Check
    id: Text
    section: Text | None
    """Named by the check itself: a team's check is listed in no section of ours."""
    issues: tuple[Text, ...]


class IssueDraft(Struct, frozen=True):
    """An issue with its place."""

    issue: Issue
    id: Text


class SectionDraft(Struct, frozen=True):
    """A section whose checks are not yet resolved."""

    section: Section
    id: Text
    checks: tuple[Text, ...]


def read_check(file: RuleFile, problems: list[Problem]) -> CheckDraft | None:
    """Return the check of a file, or None where the file holds none."""
    rule = read(file.content, file.path, "check", problems)
    if rule is None:
        return None
    name = _id(rule, file, _CHECK_ID, "LOCK-03")
    section = rule.optional("section")
    title, why, how = rule.text("title"), rule.text("why"), rule.text("how")
    scope = _word(rule, "scope", Scope) or Scope.JOB
    remediation = rule.text("remediation")
    outcomes, issues = _outcomes(rule, scope)
    examples = tuple(_examples(rule))
    rule.close()
    check = Check(
        name.value,
        "",
        title.value,
        _prose(why),
        _prose(how),
        scope,
        outcomes,
        _prose(remediation),
        file.source,
        examples,
    )
    return CheckDraft(check, name, section, issues)


def read_issue(file: RuleFile, problems: list[Problem]) -> IssueDraft | None:
    """Return the issue of a file, or None where the file holds none."""
    rule = read(file.content, file.path, "issue", problems)
    if rule is None:
        return None
    name = _id(rule, file, _ISSUE_ID, "lock-ttl")
    title, heading = rule.text("title"), rule.text("remediation_title")
    severity = _word(rule, "severity", Severity) or Severity.LOW
    recommendation = rule.text("recommendation")
    when = _condition(rule, Scope.JOB)
    state = _state(rule)
    remediations = tuple(_remediations(rule))
    rule.close()
    issue = Issue(
        name.value,
        title.value,
        severity,
        heading.value,
        _prose(recommendation),
        remediations,
        file.source,
        when.value if when else None,
        state,
    )
    return IssueDraft(issue, name)


def read_sections(file: RuleFile, problems: list[Problem]) -> Iterator[SectionDraft]:
    """Yield the sections of a file."""
    document = read(file.content, file.path, "file", problems)
    if document is None:
        return
    for entry in document.mappings("sections", "section", required=True):
        name = entry.text("id")
        titles = _titles(entry)
        checks = entry.texts("checks")
        entry.close()
        yield SectionDraft(Section(name.value, titles, ()), name, checks)
    document.close()


def _titles(entry: Mapping) -> tuple[tuple[str, str], ...]:
    title = entry.optional("title")
    titles = entry.mapping("titles")
    if (title is None) == (titles is None):
        entry.note("section needs either `title` or `titles` by runtime")
    if titles is None:
        return (("any", title.value),) if title else ()
    found = tuple((runtime, text.value) for runtime in _RUNTIMES if (text := titles.optional(runtime)))
    if "any" not in dict(found):
        titles.note("titles without `any`, for other runtimes")
    titles.close()
    return found


def _outcomes(rule: Mapping, scope: Scope) -> tuple[tuple[Outcome, ...], tuple[Text, ...]]:
    outcomes: list[Outcome] = []
    issues: list[Text] = []
    conditions: dict[str, int] = {}
    entries = list(rule.mappings("outcomes", "outcome", required=True))
    for number, entry in enumerate(entries, start=1):
        when = _condition(entry, scope)
        status = _word(entry, "status", Status)
        evidence = _template(entry, "evidence", scope)
        at = tuple(field.value for field in entry.texts("at") if _is_field(field, scope, entry))
        issue = entry.optional("issue")
        entry.close()
        if issue is not None:
            issues.append(issue)
            if status in _RAISES_NOTHING:
                entry.problems.append(issue.problem(f"{status} raises no issue"))
        if number < len(entries) and not entry.has("when"):
            entry.note("no outcome after this one can decide: it has no `when`")
        if number == len(entries) and entry.has("when"):
            entry.note("the last outcome must decide whatever is left: it takes no `when`")
        if when is not None and (earlier := conditions.setdefault(_prose(when), number)) != number:
            entry.problems.append(when.problem(f"outcome {earlier} has the same condition"))
        outcomes.append(
            Outcome(
                when.value if when else None,
                status or Status.UNKNOWN,
                evidence.value,
                at,
                issue.value if issue else None,
            )
        )
    return tuple(outcomes), tuple(issues)


def _examples(rule: Mapping) -> Iterator[Example]:
    for entry in rule.mappings("examples", "example"):
        language, bad, good = entry.text("language"), entry.text("bad"), entry.text("good")
        entry.close()
        yield Example(language.value, bad.value, good.value)


def _remediations(rule: Mapping) -> Iterator[Remediation]:
    for entry in rule.mappings("remediations", "remediation"):
        runtime = entry.text("runtime")
        if runtime.value and runtime.value not in _RUNTIMES:
            entry.problems.append(runtime.problem(f"unknown runtime '{runtime.value}': {_listed(_RUNTIMES)}"))
        language = entry.text("language")
        when = _condition(entry, Scope.JOB)
        template = _template(entry, "template", Scope.JOB)
        title = entry.optional("title")
        entry.close()
        yield Remediation(
            runtime.value,
            language.value,
            when.value if when else None,
            template.value,
            title.value if title else None,
        )


def _id(rule: Mapping, file: RuleFile, shape: re.Pattern[str], example: str) -> Text:
    name = rule.text("id")
    stem = PurePosixPath(file.path).stem
    if name.value and not shape.fullmatch(name.value):
        rule.problems.append(name.problem(f"'{name.value}' is no id: like {example}"))
    elif name.value and name.value != stem:
        rule.problems.append(name.problem(f"id '{name.value}' in a file called '{stem}.yaml'"))
    return name


def _word(rule: Mapping, key: str, kind: Callable[[str], _Word]) -> _Word | None:
    text = rule.text(key)
    if not text.value:
        return None
    try:
        return kind(text.value)
    except ValueError:
        words = [str(word) for word in kind]  # type: ignore[attr-defined] # an enum is also its list
        message = f"unknown {key} '{text.value}': {_listed(words)}"
        rule.problems.append(text.problem(message))
        return None


def _state(rule: Mapping) -> Literal["live", "dormant"] | None:
    if not rule.optional("state"):
        return None
    return "dormant" if _word(rule, "state", JobState) is JobState.DORMANT else "live"


def _condition(rule: Mapping, scope: Scope) -> Text | None:
    text = rule.optional("when")
    if text is not None:
        try:
            compile_condition(text.value, scope)
        except ExpressionError as error:
            rule.problems.append(text.problem(f"when: {error.message}", error.line))
    return text


def _template(rule: Mapping, key: str, scope: Scope) -> Text:
    text = rule.text(key)
    for line, message in check_template(text.value, scope):
        rule.problems.append(text.problem(f"{key}: {message}", line))
    return text


def _is_field(field: Text, scope: Scope, rule: Mapping) -> bool:
    known = {f"{group}.{name}" for group, names in field_types().items() for name in names}
    if scope is Scope.SERVICE:
        known = {name for name in known if name.startswith(f"{SERVICE}.")}
    if field.value not in known:
        guess = did_you_mean(field.value, sorted(known))
        rule.problems.append(field.problem(f"at: unknown field '{field.value}'{guess}"))
        return False
    return True


def _prose(text: Text) -> str:
    return " ".join(text.value.split())


def _listed(words: list[str] | tuple[str, ...]) -> str:
    return "one of " + ", ".join(words)
