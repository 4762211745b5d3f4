"""The survey of a target, made here and made by a copy of the process."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from cronaudit.model.options import ConfigurationError
from cronaudit.survey import surveying
from cronaudit.target import Tree, walk

BOTH = pytest.mark.parametrize(
    "processes",
    [
        1,
        pytest.param(2, marks=pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux")),
    ],
)


@pytest.fixture(autouse=True)
def _among_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner of tests may have threads of its own."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "src").mkdir(parents=True)
    (folder / "src/server.ts").write_text("export const port = 1;\n")
    (folder / "src/worker.ts").write_text("export const queue = 1;\n")
    (folder / "package.json").write_text('{"scripts": {"start": "node src/server.ts"}}')
    (folder / "compose.yaml").write_bytes(b"services: \0")
    return folder


@BOTH
def test_files_manifests_and_what_could_not_be_read(target: Path, processes: int) -> None:
    with surveying(target, (), processes) as survey:
        tree = survey.tree()
        deployment = survey.deployment(tree)

    assert [(f.path, f.role.value) for f in tree.files] == [
        ("compose.yaml", "deploy"),
        ("package.json", "config"),
        ("src/server.ts", "server"),
        ("src/worker.ts", "server"),
    ]
    assert [e.path for e in deployment.entry_points] == ["src/server.ts"]
    said = {*tree.diagnostics, *survey.unread}
    assert [(d.path, d.reason) for d in said] == [("compose.yaml", "not read: binary content")]
    assert tree.read("src/server.ts") == b"export const port = 1;\n"


@BOTH
def test_an_error_is_the_same_with_a_copy(tmp_path: Path, target: Path, processes: int) -> None:
    (tmp_path / "roles.yaml").write_text("prune: 3")

    with (
        surveying(target, (tmp_path,), processes) as survey,
        pytest.raises(ConfigurationError, match=r"roles\.yaml"),
    ):
        survey.tree()
    with surveying(tmp_path / "nowhere", (), processes) as survey, pytest.raises(FileNotFoundError):
        survey.tree()


@pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux")
def test_a_copy_makes_it_and_none_is_left(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "cronaudit.survey.walk",
        lambda path, rules: Tree(Path(str(os.getpid())), walk(path, rules).files, rules),
    )

    with surveying(target, (), 2) as survey:
        maker = int(survey.tree().root.name)

    assert maker != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(maker, 0)


def test_contents_that_stand_in_for_those_on_disk_are_read(target: Path) -> None:
    manifest = b'{"scripts": {"start": "node src/worker.ts"}}'
    with surveying(target, (), 2) as survey:
        deployment = survey.deployment(survey.tree().with_contents({"package.json": manifest}))

    assert [e.path for e in deployment.entry_points] == ["src/worker.ts"]
