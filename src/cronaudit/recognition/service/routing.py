"""``service.routing`` and ``service.escalation``: where alerts about jobs go, and who is next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

import yaml

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.facts import Fact, Unresolved
from cronaudit.model.source import Language, Location, Role
from cronaudit.model.value import Known, Text
from cronaudit.recognition.context import JobContext, Service
from cronaudit.recognition.facts import alert
from cronaudit.recognition.facts.rule_matching import Watches, rule_for

Routing = Literal["teams", "fixed", "none"]
_ALERTED: Final = ("explicit", "rule", "global")
_WATCHES: Final[tuple[Watches, ...]] = ("failure", "slow", "missed")
_OWNERS: Final = frozenset(
    "team owner squad service_owner responsible department domain group job job_name".split()
)
_MATCHER: Final = lazy_regex(r"^\s*\"?([\w-]+)\"?\s*(=~|!~|!=|=)")
_MOST_BYTES: Final = 400_000

_STEP: Final = lazy_regex(
    r"(?<![\w.])\d+\s*(?:m|min|mins|minutes?|h|hrs?|hours?)\b|\bimmediately\b|\bat once\b"
    r"|\bif (?:not|un)\s*acknowledged\b|\bno (?:acknowledge?ment|response|answer)\b",
    re.IGNORECASE,
)
_WHO: Final = lazy_regex(
    r"\b(?:on[- ]?call|primary|secondary|manager|lead|head of|director|cto|cio|vp|engineer|team|owner|duty|sre|support"
    r"|incident commander|@[\w-]+)\b",
    re.IGNORECASE,
)
_HEADING: Final = lazy_regex(r"^(#{1,6})\s+(.*)$")
_ESCALATES: Final = lazy_regex(r"escalat", re.IGNORECASE)
_ABOUT_JOBS: Final = lazy_regex(
    r"\b(?:(?:scheduled|background|cron|batch|nightly|recurring)\s+(?:jobs?|tasks?)|cron\s?jobs?|jobs?|workers?)\b",
    re.IGNORECASE,
)
_POLICY: Final = lazy_regex(rb'resource\s+"\w*escalation\w*"\s+"[\w-]+"')


def routing(service: Service) -> Fact[Routing]:
    """By team or owner, to one fixed place, or nowhere; of alerts on jobs only."""
    alerted = {id(c): alert.build(c).failure for c in service.jobs}
    told = [(c, alerted[id(c)]) for c in service.jobs if alerted[id(c)].value in _ALERTED]
    if not told:
        open_ = next((f.value for f in alerted.values() if isinstance(f.value, Unresolved)), None)
        if open_ is not None and all(isinstance(f.value, Unresolved) for f in alerted.values()):
            return Fact(open_)
        return Fact("none", "No alerting system")
    if any(rule_for(c, kind) is not None for c, _f in told for kind in _WATCHES):
        routed = next(_routes(service), None) or _labelled(service)
        if routed is not None:
            return routed
    sent = _sent([c for c, _f in told])
    if sent is not None:
        return sent
    first = told[0][1]
    if all(f.value == "rule" for _c, f in told):
        return Fact("none", "Alert rules, but nothing routes them", first.locations)
    return Fact(
        "fixed",
        f"One fixed destination: {first.detail}" if first.detail else "One fixed destination",
        first.locations,
    )


# ---- routing as code -------------------------------------------------------------------------------------------


def _routes(service: Service) -> Iterator[Fact[Routing]]:
    """A tree of routes with receivers, as Alertmanager reads it."""
    for path, text in _yaml_texts(service, b"receivers"):
        for root in _roots(text):
            route, line = _entry(root, "route")
            receivers, _line = _entry(root, "receivers")
            if not isinstance(route, yaml.MappingNode) or not isinstance(receivers, yaml.SequenceNode):
                continue
            branches, at = _entry(route, "routes")
            labels = sorted(set(_labels(branches))) if isinstance(branches, yaml.SequenceNode) else []
            targets = {_text(_entry(b, "receiver")[0]) for b in _items(branches)} - {None}
            if set(labels) & _OWNERS and targets:
                yield Fact("teams", f"Routed by {' and '.join(labels)}", (Location(path, at),))
            else:
                yield Fact("fixed", "One receiver, or routes by severity alone", (Location(path, line),))


def _labelled(service: Service) -> Fact[Routing] | None:
    """Owner labels on the alert rules themselves."""
    for path, text in _yaml_texts(service, b"alert:"):
        for node in _mappings(_roots(text)):
            labels, line = _entry(node, "labels")
            if _entry(node, "alert")[0] is not None and isinstance(labels, yaml.MappingNode):
                names = {str(k.value) for k, _v in labels.value if isinstance(k, yaml.ScalarNode)}
                owners = sorted(names & _OWNERS)
                if owners:
                    return Fact("teams", f"Alert rules carry the label {owners[0]}", (Location(path, line),))
    return None


def _labels(branches: yaml.Node) -> Iterator[str]:
    for branch in _items(branches):
        matchers, _line = _entry(branch, "matchers")
        for item in _items(matchers):
            match = _MATCHER.match(str(item.value)) if isinstance(item, yaml.ScalarNode) else None
            if match is not None:
                yield match[1]
        for key in ("match", "match_re"):
            found, _line = _entry(branch, key)
            if isinstance(found, yaml.MappingNode):
                yield from (str(k.value) for k, _v in found.value)
        inner, _line = _entry(branch, "routes")
        if inner is not None:
            yield from _labels(inner)


def _yaml_texts(service: Service, word: bytes) -> Iterator[tuple[str, str]]:
    for file in service.tree.files:
        if (
            file.language is Language.YAML
            and file.size <= _MOST_BYTES
            and file.role not in (Role.TEST, Role.DOCS)
        ):
            source = service.tree.read(file.path)
            if word in source:
                yield file.path, source.decode("utf-8", "replace")


def _roots(text: str) -> tuple[yaml.Node, ...]:
    try:
        return tuple(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return ()


def _mappings(roots: tuple[yaml.Node, ...]) -> Iterator[yaml.Node]:
    stack = list(reversed(roots))
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node
            stack.extend(v for _k, v in reversed(node.value))
        elif isinstance(node, yaml.SequenceNode):
            stack.extend(reversed(node.value))


def _entry(node: yaml.Node | None, key: str) -> tuple[yaml.Node | None, int]:
    if isinstance(node, yaml.MappingNode):
        for k, v in node.value:
            if isinstance(k, yaml.ScalarNode) and k.value == key:
                return v, k.start_mark.line + 1
    return None, 0


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _text(node: yaml.Node | None) -> str | None:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


# ---- routing in code -------------------------------------------------------------------------------------------


def _sent(jobs: list[JobContext]) -> Fact[Routing] | None:
    """Alerts sent by the jobs' own code: to different places, or to one that the job's definition names."""
    places: dict[str, Location] = {}
    varies: Location | None = None
    for context in jobs:
        for sighting in context.seen("alert.send"):
            to = sighting.param("to")
            if isinstance(to, Known) and to.value is not None and not to.default_of:
                places.setdefault(str(to.value), sighting.location)
            elif isinstance(to, Text):
                varies = varies or sighting.location
    if len(places) > 1:
        return Fact("teams", f"Sent to {len(places)} destinations by job", tuple(places.values()))
    if varies is not None and len(jobs) > 1:
        return Fact("teams", "The destination depends on the job", (varies,))
    return None


# ---- escalation ------------------------------------------------------------------------------------------------


def escalation(service: Service) -> Fact[bool]:
    """A policy as code, or a section of a runbook about jobs that says who is next and when."""
    names = {n for c in service.jobs if (n := c.registration.name)}
    for file in service.tree.files:
        if file.language is Language.MARKDOWN and file.size <= _MOST_BYTES and file.role is not Role.VENDORED:
            source = service.tree.read(file.path)
            line = _section(source.decode("utf-8", "replace"), names) if b"scalat" in source else None
            if line is not None:
                return Fact(
                    value=True, detail="Runbook: who is next and when", locations=(Location(file.path, line),)
                )
    if any(alert.build(c).failure.value in _ALERTED for c in service.jobs):
        for file in service.tree.files:
            if file.path.endswith((".tf", ".tf.json")) and file.size <= _MOST_BYTES:
                match = _POLICY.search(service.tree.read(file.path))
                if match is not None:
                    at = Location(file.path, service.tree.line_of(file.path, match.start()))
                    return Fact(value=True, detail="Escalation policy as code", locations=(at,))
    return Fact(value=False, detail="None")


def _section(text: str, names: set[str]) -> int | None:
    """The heading of a section that names two steps with their people, in a document about jobs."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        heading = _HEADING.match(line)
        if heading is None or not _ESCALATES.search(heading[2]):
            continue
        body: list[str] = []
        for following in lines[number + 1 :]:
            next_heading = _HEADING.match(following)
            if next_heading is not None and len(next_heading[1]) <= len(heading[1]):
                break
            body.append(following)
        steps = [x for x in body if _STEP.search(x) and _WHO.search(x)]
        about = _is_about_jobs(lines, number, names) or any(_ABOUT_JOBS.search(x) for x in body)
        if len(steps) >= 2 and about:
            return number + 1
    return None


def _is_about_jobs(lines: list[str], number: int, names: set[str]) -> bool:
    """Whether a heading above says that the document is about jobs, or it names one."""
    headings = [m[2] for x in lines[: number + 1] if (m := _HEADING.match(x))]
    if any(_ABOUT_JOBS.search(h) for h in headings):
        return True
    text = "\n".join(lines)
    return any(re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", text) for n in names if len(n) > 3)
