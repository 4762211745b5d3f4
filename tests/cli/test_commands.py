"""The commands beside `scan`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cronaudit import __version__
from cronaudit.schema import schema_text


def test_version(run: Any) -> None:
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"cronaudit {__version__}\n")


def test_jobs_table(run: Any, audit: Any, service: Path) -> None:
    done = run("jobs", service, "--job", "order-*", "--date", "2026-11-23")
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()[:4]] == [
        "JOB",
        "order-expiration",
        "invoice-generation",
        "<anonymous>",
    ]
    assert audit.options.job_globs == ("order-*",)


def test_jobs_json(run: Any, audit: Any, service: Path) -> None:
    done = run("jobs", service, "--format", "json")
    assert [job["id"] for job in json.loads(done.stdout)["jobs"]] == [job.id for job in audit.result.jobs]


def test_no_jobs(run: Any, audit: Any, make: Any, service: Path) -> None:
    audit.result = make.empty_result()
    done = run("jobs", service.name)
    assert done.exit_code == 3
    assert done.stdout == "No job that anything starts was found.\n"
    assert done.stderr == "cronaudit: no job found in service\n"


def test_rules(run: Any, audit: Any, service: Path) -> None:
    assert audit.asked == []
    assert (
        run("rules").stdout.splitlines()[1]
        == "JOB-01   job      Unique identifier        Lock TTL < timeout (critical)"
    )
    listed = json.loads(run("rules", "-f", "json").stdout)
    assert [check["id"] for check in listed["checks"]] == [
        "JOB-01",
        "JOB-04",
        "LOCK-01",
        "LOCK-03",
        "IDEM-05",
        "IDEM-06",
    ]
    own = service / "own"
    own.mkdir()
    done = run("rules", "--rules", own)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"cronaudit: {own}/checks/X-1.yaml:3: unknown field 'lokc.kind'\n"


@pytest.mark.parametrize("subject", ["LOCK-03", "lock-03", "Lock TTL > job duration"])
def test_explain_check(run: Any, audit: Any, subject: str) -> None:
    done = run("explain", subject)
    assert done.exit_code == 0
    assert done.stdout.startswith("LOCK-03  Lock TTL > job duration\n3.2 Locking, decided for each job\n")
    assert audit.asked == []


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        (["LOCK-3"], "cronaudit: there is no check 'LOCK-3', did you mean LOCK-03 or LOCK-01?\n"),
        (["zzz"], "cronaudit: there is no check 'zzz'; see `cronaudit rules`\n"),
        (["LOCK-03", "--job", "x"], "cronaudit: --job needs the PATH of a service to look into\n"),
        (
            ["LOCK-03", "service", "--job", "x"],
            (
                "cronaudit: there is no job 'x': "
                "one of order-expiration, invoice-generation, <anonymous>, order-archiving\n"
            ),
        ),
        (["src/none.ts:3", "service"], "cronaudit: src/none.ts: there is no such file\n"),
    ],
)
def test_wrong_explain(run: Any, audit: Any, service: Path, arguments: list[str], stderr: str) -> None:
    assert service.is_dir()
    done = run("explain", *arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", stderr)
    assert all(path == Path("service") for path, _ in audit.asked)


@pytest.mark.parametrize("name", ["order-expiration", "expiration", "order-exp*"])
def test_explain_verdict(run: Any, audit: Any, service: Path, name: str) -> None:
    done = run("explain", "LOCK-03", service, "--job", name)
    assert len(audit.asked) == 1
    assert done.stdout.startswith("LOCK-03 Lock TTL > job duration: order-expiration: FAIL\n")
    assert done.stdout.count("LOCK-03") == 1


def test_explain_verdict_of_every_job(run: Any, audit: Any, service: Path) -> None:
    done = run("explain", "LOCK-03", service)
    assert done.stdout.count("LOCK-03 Lock TTL > job duration: ") == len(audit.result.jobs)


def test_explain_in_a_service_without_jobs(run: Any, audit: Any, make: Any, service: Path) -> None:
    audit.result = make.empty_result()
    assert run("explain", "LOCK-03", service).exit_code == 3


EXPLAINED = "src/x.ts:1\nno job: nothing of a scheduler is called here\n"


def test_explain_place(run: Any, audit: Any, service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("explain", "src/x.ts:1", service).stdout == EXPLAINED
    assert run("explain", f"{service}/src/x.ts:1", "service").stdout == EXPLAINED
    monkeypatch.chdir(service)
    assert run("explain", "src/x.ts:1").stdout == EXPLAINED
    assert [path for path, _ in audit.asked] == [service, Path("service"), Path()]


@pytest.mark.parametrize(
    ("files", "target"),
    [
        ((), "."),
        (("repo/service/package.json",), "repo/service"),
        (("repo/package.json", "repo/service/pyproject.toml"), "repo/service"),
        (("repo/pnpm-workspace.yaml", "repo/package.json", "repo/service/package.json"), "repo"),
        (("package.json", "repo/.git", "repo/service/package.json"), "repo/service"),
    ],
)
def test_explain_place_finds_its_service(
    run: Any, audit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: tuple[str, ...], target: str
) -> None:
    place = tmp_path / "repo" / "service" / "src" / "x.ts"
    place.parent.mkdir(parents=True)
    for file in (place, *(tmp_path / file for file in files)):
        file.write_text("" if file.suffix == ".toml" else "{}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = run("explain", "repo/service/src/x.ts:1")
    inside = Path("repo/service/src/x.ts").relative_to(target).as_posix()
    assert done.stdout.startswith(f"{inside}:1\n")
    assert done.stderr == (
        f"cronaudit: looking at {inside} as part of {target}; PATH behind it names another service\n"
    )
    assert [path for path, _ in audit.asked] == [Path(target)]


def test_explain_place_knows_a_workspace_by_its_manifest(
    run: Any, audit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "package.json").write_text("{}", encoding="utf-8")
    (tmp_path / "a" / "x.ts").write_text("", encoding="utf-8")
    (tmp_path / "package.json").write_text('{"workspaces": ["a"]}', encoding="utf-8")
    monkeypatch.chdir(tmp_path / "a")
    assert run("explain", "x.ts:1").stdout.startswith("a/x.ts:1\n")
    assert [path for path, _ in audit.asked] == [tmp_path]


def test_explain_place_outside_of_the_target(run: Any, audit: Any, service: Path) -> None:
    Path("other.ts").write_text("")
    done = run("explain", "other.ts:1", service)
    assert done.exit_code == 2
    assert done.stderr == (
        f"cronaudit: other.ts lies outside of {service.resolve()}: "
        "cronaudit explain other.ts:LINE PATH names its service\n"
    )
    assert audit.asked == []


def test_schema(run: Any) -> None:
    assert run("schema", "result").stdout == schema_text("result")
    done = run("schema", "resutl")
    assert (done.exit_code, done.stderr) == (
        2,
        "cronaudit: there is no schema 'resutl', did you mean 'result'?\n",
    )
