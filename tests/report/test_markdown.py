"""The shape of the report, and that nothing from a target takes effect in it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from cronaudit.model.result import SectionSummary, Snippet, Target
from cronaudit.report.escape import Markdown, address, code, escape, fenced
from cronaudit.report.formats import FORMATS
from cronaudit.report.markdown import MarkdownView

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b<script>", r"a\|b&lt;script>"),
        ("Lock TTL < timeout", "Lock TTL < timeout"),
        ("*/5 * * * *", r"\*/5 * * * \*"),
        ("__tests__/snake_case", r"\_\_tests\_\_/snake_case"),
        ("`x`", r"\`x\`"),
        ("[x](y)", r"\[x\](y)"),
        ("a\\|b", r"a\\\|b"),
        ("C:\\new", "C:\\new"),
        ("a\\", "a\\\\"),
        ("line\n| two", r"line \| two"),
        ("&lt; & co", "&amp;lt; & co"),
        ("~~x~~", r"\~\~x\~\~"),
        ("@Cron(…) a@b.c", "`@Cron`(…) a@b.c"),
        ("job:${config.name}", "job:${config.name}"),
        ("${a}:${b}", r"\${a}:\${b}"),
        ("\x1b[31m\u202ered", "�\\[31m�red"),
    ],
)
def test_escape(text: str, expected: str) -> None:
    assert escape(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a|b<script>",
        "*/5 * * * *",
        "* x *",
        "_x_",
        "``",
        "\\",
        "a\\|b",
        "[x](y)",
        "<!-- x -->",
        "~~x~~",
        "&amp;",
        "![x](y)",
    ],
)
def test_escaped_text_shows_as_it_is(text: str) -> None:
    html = PARSER.render(f"| h | c |\n|---|---|\n| {escape(text)} | {code(text)} |\n")
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert re.findall(r"<td>(.*?)</td>", html) == [shown, f"<code>{shown}</code>"]


def test_markdown_is_not_escaped_twice() -> None:
    assert escape(Markdown("[x](y)")) == "[x](y)"


def test_fence_is_longer_than_any_in_the_code() -> None:
    assert fenced("a\n````\nb\n", "ts\n# x") == "`````ts#x\na\n````\nb\n`````"


def test_address_is_quoted() -> None:
    assert (
        address("https://e.org/r/", "src/[id]/a b(1).ts", 42)
        == "https://e.org/r/src/%5Bid%5D/a%20b%281%29.ts#L42"
    )


def test_hostile_target_cannot_break_the_report(make: Any) -> None:
    text = FORMATS["markdown"].render(make.hostile_result(), make.render_options(link_base="https://e.org"))
    html = PARSER.render(text)
    assert "<script" not in html
    assert "\x1b" not in html
    assert 'href="y"' not in html
    columns = [len(re.findall(r"<t[hd][ >]", line)) for line in re.findall(r"<tr>.*?</tr>", html, re.DOTALL)]
    tables = [len(re.findall(r"<tr>", table)) for table in re.findall(r"<table>.*?</table>", html, re.DOTALL)]
    assert columns == [3] * 5 + [5] * 2 + [7] * 3 + [3] * 2 + [3] * 2 + [4] * 2 + [3] * 2
    assert tables == [5, 2, 3, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("order-service", "Order Service"),
        ("@acme/billing_api", "Billing Api"),
        ("@acme/root", "Acme Root"),
        ("myAPI", "MyAPI"),
        ("services/x", "Services/x"),
    ],
)
def test_title(make: Any, name: str, title: str) -> None:
    view = MarkdownView(make.result(target=Target(".", name, ())), make.render_options())
    assert view.title == title


def test_rows_that_do_not_apply_are_said_in_the_heading(make: Any) -> None:
    view = MarkdownView(make.result(), make.render_options())
    assert [section.count for section in view.sections] == ["1/2", "1/2", "0/1 applicable"]


def test_single_job_has_no_matrix(make: Any) -> None:
    result = make.result(jobs=make.jobs()[:1])
    assert "## Checks by Job" not in FORMATS["markdown"].render(result, make.render_options())


def test_many_jobs_are_numbered_in_the_matrix(make: Any) -> None:
    first = make.jobs()[0]
    result = make.result(jobs=tuple(replace(first, id=f"{first.id}{n or ''}") for n in range(7)))
    text = FORMATS["markdown"].render(result, make.render_options())
    assert "The numbers are those of the jobs above.\n" in text
    assert "| Check | 1 | 2 | 3 | 4 | 5 | 6 | 7 |\n|-------|" + ":---:|" * 7 in text
    assert "| JOB-01 Unique identifier | ✓ | - | - | - | - | - | - |\n" in text


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ("none (src/jobs/lock.ts:20)", "none ([src/jobs/lock.ts:20](https://e.org/src/jobs/lock.ts#L20))"),
        ("lock.ts:20-31", "[lock.ts:20-31](https://e.org/src/jobs/lock.ts#L20)"),
        (
            "text() at src/jobs/lock.ts:20 lies outside",
            "text() at [src/jobs/lock.ts:20](https://e.org/src/jobs/lock.ts#L20) lies outside",
        ),
        ("withLock()", "withLock() ([src/jobs/lock.ts:20](https://e.org/src/jobs/lock.ts#L20))"),
        ("at 12:30", "at 12:30 ([src/jobs/lock.ts:20](https://e.org/src/jobs/lock.ts#L20))"),
        ("", "([src/jobs/lock.ts:20](https://e.org/src/jobs/lock.ts#L20))"),
    ],
)
def test_evidence_is_clickable(make: Any, evidence: str, expected: str) -> None:
    view = MarkdownView(make.result(), make.render_options(link_base="https://e.org"))
    row = next(check for check in make.checks() if check.id == "LOCK-01")
    assert view.evidence(replace(row, evidence=evidence)) == expected


def test_files_of_one_name_are_linked_by_their_paths_only(make: Any) -> None:
    lock = next(check for check in make.checks() if check.id == "LOCK-01")
    twin = replace(lock, locations=(*lock.locations, make.at("lib/lock.ts:3")))
    view = MarkdownView(make.result(checks=(twin,)), make.render_options(link_base="https://e.org"))
    assert view.evidence(replace(twin, evidence="lock.ts:20", locations=())) == "lock.ts:20"


def test_no_applicable_row_is_no_division(make: Any) -> None:
    summary = replace(make.empty_result().summary, sections=(SectionSummary("3.1", "Job Definition", 0, 0),))
    text = FORMATS["markdown"].render(make.result(jobs=(), checks=(), summary=summary), make.render_options())
    assert "**Pass Rate:** 0% (0/0 applicable checks)\n" in text


def test_many_names_are_cut_and_all_jobs_are_said_as_such(make: Any) -> None:
    first = make.jobs()[0]
    jobs = tuple(replace(first, id=f"j{n}", display_name=f"j{n}") for n in range(6))
    view = MarkdownView(make.result(jobs=jobs), make.render_options())
    ids = [job.id for job in jobs]
    assert view.names(ids) == "all 6 jobs"
    assert view.names(ids[:5]) == "j0, j1, j2 and 2 more"
    assert view.names(ids[:4]) == "j0, j1, j2, j3"
    assert view.names([]) == "service"


def test_findings_of_a_baseline_are_grouped_by_who_has_them(make: Any) -> None:
    view = MarkdownView(make.result(), make.render_options())
    new = [(job, check) for job in ("a", "b") for check in ("JOB-01", "LOCK-01", "X-1")]
    assert view.by_jobs([*new, ("a", "X-2"), ("service", "X-3")]) == [
        ("3 checks: JOB-01, LOCK-01, X-1", ("a", "b")),
        ("X-2 X-2", ("a",)),
        ("X-3 X-3", ("service",)),
    ]


def test_remedies_of_two_runtimes_are_told_apart(make: Any) -> None:
    view = MarkdownView(make.result(), make.render_options())
    (issue, *_) = make.issues()
    node, python = Snippet("Lock", "typescript", "x"), Snippet("Lock", "python", "x")
    both = replace(issue, snippets=(node, python))
    assert [view.remedy(both, snippet) for snippet in both.snippets] == ["Lock (Node.js)", "Lock (Python)"]
    assert view.remedy(replace(issue, snippets=(node,)), node) == "Lock"


@pytest.mark.parametrize(
    ("path", "language"), [("a.js", "javascript"), ("a.ts", "typescript"), ("a.py", "typescript")]
)
def test_remedies_are_in_the_language_of_the_jobs(make: Any, path: str, language: str) -> None:
    job = replace(make.jobs()[0], location=make.at(f"{path}:1"), handler=None)
    view = MarkdownView(make.result(jobs=(job,)), make.render_options())
    assert view.snippet("x", "typescript") == f"```{language}\nx\n```"
    assert view.snippet("x", "yaml") == "```yaml\nx\n```"


def test_a_section_for_one_runtime_has_its_own_rows_and_jobs(make: Any) -> None:
    row = next(check for check in make.checks() if check.jobs)
    own = replace(row, jobs=row.jobs[:1])
    summary = make.result().summary
    sections = (SectionSummary(row.section, "Node.js Specific", 0, 1, "node", (own,)),)
    view = MarkdownView(make.result(summary=replace(summary, sections=sections)), make.render_options())
    (section,) = view.sections
    assert section.rows == (own,)
    assert [job.id for _, job in view.columns(section)] == [row.jobs[0].job]
