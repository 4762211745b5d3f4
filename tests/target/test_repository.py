from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cronaudit.target import RoleRules, walk
from cronaudit.target.repository import Repository, Tracked

Write = Callable[[Mapping[str, str]], Path]

git = shutil.which("git")
needs_git = pytest.mark.skipif(git is None, reason="git is not installed")


def run_git(folder: Path, *arguments: str) -> None:
    subprocess.run([str(git), "-C", str(folder), *arguments], check=True, capture_output=True)


def index(version: int, entries: list[bytes]) -> bytes:
    content = struct.pack(">4sII", b"DIRC", version, len(entries))
    return content + b"".join(entries)


def entry(name: bytes, *, extended: bool = False) -> bytes:
    head = (
        bytes(60)
        + struct.pack(">H", len(name) | (0x4000 if extended else 0))
        + (b"\0\0" if extended else b"")
    )
    size = len(head) + len(name)
    return head + name + bytes(8 - size % 8)


def test_index_of_version_2_and_3() -> None:
    tracked = Tracked.parse(
        index(3, [entry(b"a.py"), entry(b"pkg/jobs/b.py", extended=True), entry(b"z" * 7)]), hash_size=20
    )
    assert tracked == Tracked(frozenset({"a.py", "pkg/jobs/b.py", "zzzzzzz"}), frozenset({"pkg", "pkg/jobs"}))


def test_index_of_version_4_shares_prefixes() -> None:
    def compressed(removed: int, rest: bytes) -> bytes:
        return bytes(60) + struct.pack(">H", 0) + bytes([removed]) + rest + b"\0"

    content = index(4, [compressed(0, b"src/a.py"), compressed(4, b"b.py"), compressed(8, b"z.py")])
    assert Tracked.parse(content, hash_size=20).files == {"src/a.py", "src/b.py", "z.py"}


@pytest.mark.parametrize("content", [b"", b"DIRC", index(9, []), b"nope" + bytes(20)])
def test_what_is_no_index_is_an_error(content: bytes) -> None:
    with pytest.raises((ValueError, struct.error)):
        Tracked.parse(content, hash_size=20)


@needs_git
@pytest.mark.parametrize("version", ["2", "4"])
def test_tracked_files_stay_although_ignored(write: Write, roles: RoleRules, version: str) -> None:
    root = write(
        {
            ".gitignore": "scripts/\n*.env.py\n",
            "scripts/nightly.py": "",
            "scripts/untracked.py": "",
            "prod.env.py": "",
            "local.env.py": "",
            "app.py": "",
        }
    )
    run_git(root, "init", "-q")
    run_git(root, "add", "-f", "scripts/nightly.py", "prod.env.py", "app.py")
    run_git(root, "update-index", "--index-version", version)
    assert [file.path for file in walk(root, roles).files] == [
        ".gitignore",
        "app.py",
        "prod.env.py",
        "scripts/nightly.py",
    ]
    assert [file.path for file in walk(root / "scripts", roles).files] == ["nightly.py", "untracked.py"]


def test_ignore_files_above_the_target_count(write: Write, roles: RoleRules) -> None:
    root = write(
        {
            ".git/info/exclude": "private/\n",
            ".gitignore": "*.gen.py\n/services/orders/out/\n",
            "services/.gitignore": "*.tmp.py\n",
            "services/orders/app.py": "",
            "services/orders/a.gen.py": "",
            "services/orders/b.tmp.py": "",
            "services/orders/out/c.py": "",
            "services/orders/private/d.py": "",
        }
    )
    assert [file.path for file in walk(root / "services" / "orders", roles).files] == ["app.py"]


def test_a_target_that_is_ignored_itself_is_listed_in_full(write: Write, roles: RoleRules) -> None:
    root = write({".git/HEAD": "", ".gitignore": "unpacked/\n*.py\n", "unpacked/pkg/app.py": ""})
    assert [file.path for file in walk(root / "unpacked" / "pkg", roles).files] == ["app.py"]


def test_a_linked_work_tree_knows_its_own_index_and_the_common_exclude(write: Write) -> None:
    root = write(
        {
            "main/.git/info/exclude": "secret/\n",
            "main/.git/worktrees/side/commondir": "../..\n",
            "side/.git": "gitdir: ../main/.git/worktrees/side\n",
        }
    )
    repository = Repository.around(root / "side")
    common = root / "main" / ".git"
    assert repository == Repository(root / "side", common / "worktrees" / "side", common)
