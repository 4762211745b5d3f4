from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cronaudit import compiled
from cronaudit.model.job import JobState
from cronaudit.model.rule import Example, Outcome, Remediation, Scope, Section
from cronaudit.model.verdict import Severity, Status
from cronaudit.ruleset import merge
from cronaudit.ruleset.catalogue import SHIPPED, CatalogueError, compile_catalogue, load_catalogue

if TYPE_CHECKING:
    from tests.ruleset.conftest import Rules

DECIDED = "status: PASS, evidence: x"
LOCK = """
- when: lock.kind == 'none'
  status: FAIL
  evidence: No lock
  issue: no-lock
- status: PASS
  evidence: "{{ lock.key }}"
"""


def complaints(rules: Rules) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        rules.load()
    return [str(problem).removeprefix(f"{rules.root.as_posix()}/") for problem in caught.value.problems]


def test_reads_a_whole_catalogue(rules: Rules) -> None:
    rules.write(
        "checks/3.2-locking/LOCK-03.yaml",
        """\
        id: LOCK-03
        title: Lock TTL > job duration
        scope: job
        why: >-
          A lock that ends
          before its job.
        how: Compared.
        remediation: Raise it.
        outcomes:
          - when: lock.ttl_seconds <= timeout.seconds
            status: FAIL
            evidence: "{{ lock.ttl_seconds | duration }} lock"
            at: [lock.ttl_seconds, timeout.seconds]
            issue: lock-ttl
          - status: N/A
            evidence: Nothing
        examples:
          - language: typescript
            bad: |
              ttl: 1
            good: |
              ttl: 2
        """,
    )
    rules.write(
        "issues/lock-ttl.yaml",
        """\
        id: lock-ttl
        title: Lock TTL < timeout
        severity: critical
        remediation_title: Fix Lock TTL
        recommendation: Fix it
        when: null
        remediations:
          - runtime: node
            language: typescript
            when: "lock.kind == 'lease'"
            template: |
              // {{ lock.ttl_seconds.at }}
              ttl: {{ timeout.seconds * 1500 }},
        """,
    )
    rules.write(
        "issues/never-started.yaml",
        """\
        id: never-started
        title: Job never started
        severity: low
        remediation_title: Start it
        recommendation: Start it, or remove it
        state: dormant
        """,
    )
    rules.write(
        "sections.yaml",
        """\
        sections:
          - id: "3.2"
            title: Locking
            checks: [LOCK-03]
          - id: "3.6"
            titles: {node: Node.js Specific, python: Python Specific, any: Runtime Specific}
            checks: []
        """,
    )
    found = load_catalogue([rules.root])
    assert found.sections == (
        Section("3.2", (("any", "Locking"),), ("LOCK-03",)),
        Section(
            "3.6",
            (("node", "Node.js Specific"), ("python", "Python Specific"), ("any", "Runtime Specific")),
            (),
        ),
    )
    (check,) = found.checks
    assert (check.id, check.section, check.scope, check.why) == (
        "LOCK-03",
        "3.2",
        Scope.JOB,
        "A lock that ends before its job.",
    )
    assert check.source == "rules/checks/3.2-locking/LOCK-03.yaml"
    assert check.outcomes == (
        Outcome(
            "lock.ttl_seconds <= timeout.seconds",
            Status.FAIL,
            "{{ lock.ttl_seconds | duration }} lock",
            ("lock.ttl_seconds", "timeout.seconds"),
            "lock-ttl",
        ),
        Outcome(None, Status.NOT_APPLICABLE, "Nothing", (), None),
    )
    assert check.examples == (Example("typescript", "ttl: 1\n", "ttl: 2\n"),)
    ttl, dormant = found.issues
    assert (ttl.id, ttl.severity, ttl.when, ttl.state) == ("lock-ttl", Severity.CRITICAL, None, None)
    assert ttl.remediations == (
        Remediation(
            "node",
            "typescript",
            "lock.kind == 'lease'",
            "// {{ lock.ttl_seconds.at }}\nttl: {{ timeout.seconds * 1500 }},\n",
        ),
    )
    assert (dormant.id, dormant.state) == ("never-started", JobState.DORMANT)


def test_rows_follow_the_sections_and_issues_their_severity_and_first_row(rules: Rules) -> None:
    rules.check("LOCK-02", LOCK.replace("no-lock", "key"))
    rules.check("LOCK-01", LOCK)
    rules.check("JOB-01", LOCK.replace("no-lock", "name"), section="3.1")
    for name, severity in (("name", "low"), ("key", "high"), ("no-lock", "high"), ("alone", "critical")):
        rules.issue(name, severity)
    found = rules.load()
    assert [check.id for check in found.checks] == ["LOCK-02", "LOCK-01", "JOB-01"]
    assert [issue.id for issue in found.issues] == ["alone", "key", "no-lock", "name"]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ("- status: PASS", ["8: outcome without `evidence`"]),
        ("- evidence: x", ["8: outcome without `status`"]),
        ("- status: PASS\n  evidence: ''", ["9: `evidence` is empty"]),
        (
            "- status: PAS\n  evidence: x",
            ["8: unknown status 'PAS': one of PASS, PARTIAL, FAIL, UNKNOWN, N/A"],
        ),
        ("- status: true\n  evidence: x", ["8: `status` must be a text, not true: quote it"]),
        (
            "- status: PASS\n  evidence: x\n  isue: y",
            ["10: unknown key `isue` in outcome; did you mean 'issue'?"],
        ),
        ("- status: PASS\n  evidence: x\n  status: PASS", ["10: `status` is stated twice"]),
        (
            "- status: FAIL\n  evidence: x\n  issue: no-lok",
            ["10: no issue 'no-lok'; did you mean 'no-lock'?"],
        ),
        ("- status: PASS\n  evidence: x\n  issue: no-lock", ["10: PASS raises no issue"]),
        ("- status: UNKNOWN\n  evidence: x\n  issue: no-lock", ["10: UNKNOWN raises no issue"]),
        (
            "- status: PASS\n  evidence: x\n- status: FAIL\n  evidence: y",
            ["8: no outcome after this one can decide: it has no `when`"],
        ),
        (
            "- when: job.stub\n  status: PASS\n  evidence: x",
            ["8: the last outcome must decide whatever is left: it takes no `when`"],
        ),
        (
            f"- {{when: job.stub, {DECIDED}}}\n- {{when: ' job.stub', {DECIDED}}}\n- {{{DECIDED}}}",
            ["9: outcome 1 has the same condition"],
        ),
        (
            "- {when: lock.kin == 'x', status: PASS, evidence: x}\n- {status: PASS, evidence: x}",
            ["8: when: unknown field 'lock.kin'; did you mean 'kind'?"],
        ),
        (
            f"- when: |\n    job.stub\n    and lock.kin == 'x'\n  status: PASS\n  evidence: x\n- {{{DECIDED}}}",
            ["10: when: unknown field 'lock.kin'; did you mean 'kind'?"],
        ),
        (
            "- status: PASS\n  evidence: x\n  at: [lock.kind, lock.tll_seconds]",
            ["10: at: unknown field 'lock.tll_seconds'; did you mean 'lock.ttl_seconds'?"],
        ),
        ("- status: PASS\n  evidence: x\n  at: lock.kind", ["10: `at` must be a list"]),
        (
            "- status: PASS\n  evidence: '{{ lock.kind '",
            ["9: evidence: not a template: unexpected end of template,"],
        ),
        (
            "- status: PASS\n  evidence: '{{ lock.kid }}'",
            ["9: evidence: unknown field 'lock.kid'; did you mean 'kind'?"],
        ),
        ("[]", ["7: `outcomes` must be a list with entries"]),
        ("- PASS", ["8: outcome must be a mapping"]),
    ],
)
def test_names_the_line_of_every_mistake_in_a_table(rules: Rules, outcomes: str, expected: list[str]) -> None:
    rules.issue("no-lock")
    rules.check("LOCK-01", outcomes)
    found = complaints(rules)
    prefixed = [f"checks/3.2/LOCK-01.yaml:{line}" for line in expected]
    assert [message[: len(wanted)] for message, wanted in zip(found, prefixed, strict=True)] == prefixed


def test_collects_the_mistakes_of_all_files(rules: Rules) -> None:
    rules.check("LOCK-01", LOCK)
    rules.write("checks/3.2/LOCK-09.yaml", "id: LOCK-08\ntitle: x\n")
    rules.write("checks/3.2/BROKEN-01.yaml", "id: [\n")
    rules.write("checks/3.2/EMPTY-01.yaml", "")
    rules.write("checks/3.2/lock-1.yaml", "id: lock-1\n")
    rules.write("issues/Bad.yaml", "id: Bad\nseverity: awful\nremediations: x\n")
    rules.listed["3.2"] += ["LOCK-07"]
    assert complaints(rules) == [
        "checks/3.2/BROKEN-01.yaml:2: not YAML: did not find expected node content",
        "checks/3.2/EMPTY-01.yaml:1: empty file",
        "checks/3.2/LOCK-01.yaml:11: no issue 'no-lock'",
        "checks/3.2/LOCK-09.yaml:1: 'LOCK-08' is in no section: name one in `section`",
        "checks/3.2/LOCK-09.yaml:1: check without `how`",
        "checks/3.2/LOCK-09.yaml:1: check without `outcomes`",
        "checks/3.2/LOCK-09.yaml:1: check without `remediation`",
        "checks/3.2/LOCK-09.yaml:1: check without `scope`",
        "checks/3.2/LOCK-09.yaml:1: check without `why`",
        "checks/3.2/LOCK-09.yaml:1: id 'LOCK-08' in a file called 'LOCK-09.yaml'",
        "checks/3.2/lock-1.yaml:1: 'lock-1' is in no section: name one in `section`",
        "checks/3.2/lock-1.yaml:1: 'lock-1' is no id: like LOCK-03",
        "checks/3.2/lock-1.yaml:1: check without `how`",
        "checks/3.2/lock-1.yaml:1: check without `outcomes`",
        "checks/3.2/lock-1.yaml:1: check without `remediation`",
        "checks/3.2/lock-1.yaml:1: check without `scope`",
        "checks/3.2/lock-1.yaml:1: check without `title`",
        "checks/3.2/lock-1.yaml:1: check without `why`",
        "issues/Bad.yaml:1: 'Bad' is no id: like lock-ttl",
        "issues/Bad.yaml:1: issue without `recommendation`",
        "issues/Bad.yaml:1: issue without `remediation_title`",
        "issues/Bad.yaml:1: issue without `title`",
        "issues/Bad.yaml:2: unknown severity 'awful': one of critical, high, medium, low",
        "issues/Bad.yaml:3: `remediations` must be a list",
        "sections.yaml:4: no check 'LOCK-07'; did you mean 'LOCK-08'?",
    ]


def test_an_id_is_defined_once_in_a_folder(rules: Rules) -> None:
    rules.issue("no-lock")
    rules.check("LOCK-01", LOCK)
    rules.write("checks/other/LOCK-01.yaml", (rules.root / "checks/3.2/LOCK-01.yaml").read_text())
    first = (rules.root / "checks/3.2/LOCK-01.yaml").as_posix()
    assert complaints(rules) == [f"checks/other/LOCK-01.yaml:1: 'LOCK-01' is defined twice: {first}:1"]


def test_a_check_stands_in_one_section(rules: Rules) -> None:
    rules.issue("no-lock")
    rules.check("LOCK-01", LOCK)
    rules.listed["3.3"] = ["LOCK-01"]
    assert complaints(rules) == ["sections.yaml:7: 'LOCK-01' is listed in section 3.2 already"]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{id: '3.2', checks: []}", "section needs either `title` or `titles` by runtime"),
        ("{id: '3.2', titles: {node: Node}, checks: []}", "titles without `any`, for other runtimes"),
        (
            "{id: '3.2', titles: {nod: x, any: y}, checks: []}",
            "unknown key `nod` in `titles`; did you mean 'node'?",
        ),
        ("{id: 3.2, title: x, checks: []}", "`id` must be a text, not 3.2: quote it"),
    ],
)
def test_sections_are_checked(rules: Rules, section: str, expected: str) -> None:
    rules.write("sections.yaml", f"sections:\n  - {section}\n")
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([rules.root])
    assert [problem.message for problem in caught.value.problems] == [expected]


def test_remediations_are_checked(rules: Rules) -> None:
    rules.check("LOCK-01", LOCK)
    path = rules.issue("no-lock")
    path.write_text(
        path.read_text().replace(
            "remediations: []",
            "remediations:\n  - runtime: ruby\n    language: ruby\n    when: effects.changes == 'x'\n"
            "    template: |\n      {{ lock.key }}\n      {{ lck.key }}\n",
        )
    )
    found = [message.removeprefix("issues/no-lock.yaml:") for message in complaints(rules)]
    assert found == [
        "7: unknown runtime 'ruby': one of node, python, any",
        "9: when: effects.changes is never 'x' but one of `writes`, `outgoing`, `none`",
        "12: template: unknown name 'lck'; did you mean 'lock'?",
    ]


def test_a_folder_without_rules_is_no_quiet_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, expected in (
        ("empty", "holds no rules (expected checks/, fixes/, issues/, libraries/ or sections.yaml)"),
        ("missing", "no such folder"),
    ):
        with pytest.raises(CatalogueError) as caught:
            load_catalogue([tmp_path / name])
        assert [problem.message for problem in caught.value.problems] == [expected]


def test_a_rule_that_would_be_passed_over_is_a_mistake(rules: Rules) -> None:
    rules.issue("no-lock")
    rules.check("LOCK-01", LOCK)
    rules.write("checks/3.2/LOCK-02.yml", "id: LOCK-02")
    assert complaints(rules) == ["checks/3.2/LOCK-02.yml:1: would not be read: rules are .yaml files"]


def test_a_team_overrides_and_adds(make_rules: Callable[[str], Rules]) -> None:
    ours, team = make_rules("rules"), make_rules("team")
    ours.issue("no-lock")
    ours.check("LOCK-01", LOCK)
    ours.check("LOCK-02", LOCK)
    ours.sections()
    team.check("LOCK-01", "- {status: PASS, evidence: We know}")
    added = team.check("ACME-01", "- {status: FAIL, evidence: x, issue: acme}", scope="service")
    added.write_text(added.read_text() + 'section: "3.2"\n')
    team.issue("acme", "low")
    found = load_catalogue([ours.root, team.root])
    assert [(check.id, check.section, check.outcomes[0].evidence) for check in found.checks] == [
        ("LOCK-01", "3.2", "We know"),
        ("LOCK-02", "3.2", "No lock"),
        ("ACME-01", "3.2", "x"),
    ]
    assert [issue.id for issue in found.issues] == ["no-lock", "acme"]
    assert found.checks[0].source == f"{team.root.as_posix()}/checks/3.2/LOCK-01.yaml"
    assert found.digest != load_catalogue([ours.root]).digest


def test_a_teams_check_names_a_section_that_exists(make_rules: Callable[[str], Rules]) -> None:
    ours, team = make_rules("rules"), make_rules("team")
    ours.issue("no-lock")
    ours.check("LOCK-01", LOCK)
    ours.sections()
    added = team.check("ACME-01", "- {status: PASS, evidence: x}")
    added.write_text(added.read_text() + 'section: "3.22"\n')
    with pytest.raises(CatalogueError) as caught:
        load_catalogue([ours.root, team.root])
    assert [str(problem) for problem in caught.value.problems] == [
        f"{added.as_posix()}:9: no section '3.22'; did you mean '3.2'?"
    ]


def test_the_digest_is_over_the_meaning(make_rules: Callable[[str], Rules]) -> None:
    digests = []
    for name, edit in (
        ("a", lambda text: text),
        ("b", lambda text: f"# a comment\n{text}"),
        ("c", lambda text: text.replace("No lock", "None")),
    ):
        rules = make_rules(name)
        rules.issue("no-lock")
        path = rules.check("LOCK-01", LOCK)
        path.write_text(edit(path.read_text()))
        digests.append(rules.load().digest)
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


@pytest.fixture
def written(rules: Rules) -> Rules:
    rules.issue("no-lock")
    rules.check("LOCK-01", LOCK)
    rules.sections()
    return rules


@pytest.fixture
def yaml_reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every reading of YAML."""
    reads: list[object] = []
    real = merge.read_catalogue

    def counted(folders: Any) -> Any:
        reads.append(folders)
        return real(folders)

    monkeypatch.setattr(merge, "read_catalogue", counted)
    return reads


def test_the_cache_is_the_same_catalogue_without_yaml(
    written: Rules, tmp_path: Path, yaml_reads: list[object]
) -> None:
    first = load_catalogue([written.root], tmp_path / "cache")
    assert load_catalogue([written.root], tmp_path / "cache") == first
    assert len(yaml_reads) == 1


def test_the_cache_is_never_stale(written: Rules, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    load_catalogue([written.root], cache)
    path = written.root / "checks/3.2/LOCK-01.yaml"
    before = path.stat()
    path.write_text(path.read_text().replace("No lock", "No lick"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert load_catalogue([written.root], cache).checks[0].outcomes[0].evidence == "No lick"
    assert [file.suffix for file in cache.iterdir()] == [".json"]


def test_a_change_of_the_code_that_checks_makes_the_cache_stale(
    written: Rules, tmp_path: Path, yaml_reads: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_catalogue([written.root], tmp_path / "cache")
    monkeypatch.setattr(compiled, "_code_key", lambda _code: b"another version")
    load_catalogue([written.root], tmp_path / "cache")
    assert len(yaml_reads) == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"key": 1}', '{"key": "KEY", "form": [1]}', '{"key": "KEY", "form": 1}']
)
def test_a_damaged_cache_is_read_anew(written: Rules, tmp_path: Path, content: str) -> None:
    cache = tmp_path / "cache"
    found = load_catalogue([written.root], cache)
    (file,) = cache.iterdir()
    key = json.loads(file.read_bytes())["key"]
    file.write_text(content.replace("KEY", key))
    assert load_catalogue([written.root], cache) == found


def test_a_cache_that_cannot_be_written_is_no_error(written: Rules, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    assert [check.id for check in load_catalogue([written.root], tmp_path / "cache").checks] == ["LOCK-01"]


def test_the_shipped_form_needs_no_yaml(written: Rules, yaml_reads: list[object]) -> None:
    compile_catalogue(written.root, written.root / SHIPPED)
    assert len(yaml_reads) == 1
    assert [check.id for check in load_catalogue([written.root]).checks] == ["LOCK-01"]
    assert len(yaml_reads) == 1


def test_an_edit_beside_the_shipped_form_is_in_force(written: Rules) -> None:
    compile_catalogue(written.root, written.root / SHIPPED)
    path = written.root / "checks/3.2/LOCK-01.yaml"
    path.write_text(path.read_text().replace("No lock", "Edited"))
    assert load_catalogue([written.root]).checks[0].outcomes[0].evidence == "Edited"


def test_loading_the_compiled_form_imports_neither_yaml_nor_jinja(written: Rules) -> None:
    compile_catalogue(written.root, written.root / SHIPPED)
    code = (
        "import sys; from pathlib import Path; from cronaudit.ruleset.catalogue import load_catalogue; "
        "load_catalogue([Path(sys.argv[1])]); print(sorted({'yaml', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(written.root)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
