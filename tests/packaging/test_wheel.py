"""The wheel as a user gets it: built, installed apart from the checkout, run from `/`.

Dependencies come from the environment that runs the tests, which needs no network. With
CRONAUDIT_WHEEL_DEPENDENCIES=index (`make wheel-test`) pip resolves those that the wheel declares, so that a missing
declaration fails too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("wheel")  # one build, not one a worker

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "fixtures" / "order-service"
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@dataclass(frozen=True, slots=True)
class Installation:
    """A fresh virtual environment with only the wheel (and its dependencies) in it."""

    folder: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a script of the environment from `/`, with nothing of the checkout within reach."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [str(self.folder / SCRIPTS / command[0]), *command[1:]],
            cwd="/",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("cronaudit-*.whl")
    return found


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    # Pip of this environment installs into that one: a pip of its own would cost most of the test's time.
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(folder / SCRIPTS / "python"),
        "install",
        "--quiet",
    ]
    if os.environ.get("CRONAUDIT_WHEEL_DEPENDENCIES") != "index":
        install += ["--no-deps", "--no-index"]
        purelib = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
        # A plain path line: packages of that folder are found, its own .pth files (the checkout) are not read.
        (Path(purelib) / "dependencies.pth").write_text(
            sysconfig.get_path("purelib") + "\n", encoding="utf-8"
        )
    installed = subprocess.run(
        [*install, "--disable-pip-version-check", str(wheel)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return Installation(folder)


def data_files(folder: str) -> set[str]:
    return {
        path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("source", "packaged"), [("rules", "cronaudit/_rules/"), ("reports/templates", "cronaudit/_templates/")]
)
def test_wheel_carries_every_data_file(wheel: Path, source: str, packaged: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name.removeprefix(packaged) for name in archive.namelist() if name.startswith(packaged)}
    expected = data_files(source)
    assert expected, f"{source} holds nothing"
    assert sorted(expected - shipped) == []


def test_the_compiled_forms_in_the_wheel_are_in_force(installation: Installation) -> None:
    code = (
        "import sys; from pathlib import Path; import cronaudit; from cronaudit.knowledge import loader; "
        "from cronaudit.ruleset.catalogue import load_catalogue; rules = Path(cronaudit.__file__).parent / '_rules'; "
        "print(len(load_catalogue([rules]).checks), bool(loader.load([rules]).libraries), 'yaml' in sys.modules)"
    )
    done = installation.run("python", "-c", code)
    assert done.stdout.split() == ["67", "True", "False"], done.stderr


def test_wheel_carries_neither_tests_nor_caches(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"cronaudit"}
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []


def test_wheel_says_that_it_is_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert "cronaudit/py.typed" in archive.namelist()


def test_package_comes_from_the_wheel(installation: Installation) -> None:
    done = installation.run("python", "-c", "import cronaudit; print(cronaudit.__file__)")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(installation.folder.resolve())


def test_version_without_a_checkout(installation: Installation, wheel: Path) -> None:
    done = installation.run("cronaudit", "--version")
    assert done.returncode == 0, done.stderr
    assert wheel.name.split("-")[1] in done.stdout


def test_the_package_runs_as_a_module(installation: Installation) -> None:
    done = installation.run("python", "-m", "cronaudit", "--version")
    assert (done.returncode, done.stdout) == (0, installation.run("cronaudit", "--version").stdout), (
        done.stderr
    )


def test_rules_without_a_checkout(installation: Installation) -> None:
    done = installation.run("cronaudit", "rules")
    assert done.returncode == 0, done.stderr
    checks = [path.stem for path in (ROOT / "rules" / "checks").rglob("*.yaml")]
    assert checks
    assert [check for check in sorted(checks) if check not in done.stdout] == []


def scan(installation: Installation, *options: str) -> subprocess.CompletedProcess[str]:
    return installation.run("cronaudit", "scan", str(SAMPLE), *options)


def test_json_without_a_checkout(installation: Installation) -> None:
    done = scan(installation, "--format", "json", "-o", "-")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert [job["state"] for job in document["jobs"]].count("live") > 0
    assert len(document["checks"]) == 67


def test_markdown_without_a_checkout(installation: Installation) -> None:
    done = scan(installation, "--format", "markdown", "-o", "-")
    assert done.returncode == 0, done.stderr
    assert "## 3.1 Job Definition" in done.stdout
