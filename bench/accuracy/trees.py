"""Finds the checkouts of the labelled trees, or obtains them. Never inside the project."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from bench.accuracy.labels import Source, TreeLabels

PROJECT = Path(__file__).resolve().parents[2]
FORGE = "https://github.com"


class TreeError(RuntimeError):
    """A tree that cannot be had."""


def folder_names(labels: TreeLabels) -> tuple[str, ...]:
    """The names under which a checkout is looked for, the label's own first."""
    names = [labels.tree]
    if labels.source.package:
        name, version = _package(labels.source.package)
        for spelling in (name, name.replace("-", "_")):
            names += [f"{spelling}-{version}", spelling]
    if labels.source.repository:
        names.append(labels.source.repository.rpartition("/")[2])
    return tuple(dict.fromkeys(names))


def find(labels: TreeLabels, trees: Path) -> Path | None:
    """The folder to scan, where the checkout is there."""
    for name in folder_names(labels):
        if (trees / name).is_dir():
            return (trees / name / labels.root).resolve()
    return None


def obtain(labels: TreeLabels, trees: Path) -> Path:
    """Downloads a tree into a folder outside the project; the folder to scan. Raises `TreeError`."""
    if trees.resolve().is_relative_to(PROJECT):
        raise TreeError(f"{trees} is inside the project: the audited trees stay outside")
    target = trees / labels.tree
    trees.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=trees) as scratch:
        unpacked = _download(labels.source, Path(scratch))
        shutil.move(unpacked, target)
    return (target / labels.root).resolve()


def _download(source: Source, scratch: Path) -> Path:
    if source.package is None:
        return _clone(source, scratch)
    name, version = _package(source.package)
    if source.package.startswith("npm:"):
        _run(["npm", "pack", f"{name}@{version}", "--pack-destination", str(scratch)])
        (archive,) = scratch.glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(scratch, filter="data")
        return scratch / "package"
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    _run([*pip, "--dest", str(scratch), f"{name}=={version}"])
    (wheel,) = scratch.glob("*.whl")
    unpacked = scratch / "unpacked"
    with zipfile.ZipFile(wheel) as packed_wheel:
        packed_wheel.extractall(unpacked)
    return unpacked


def _clone(source: Source, scratch: Path) -> Path:
    if source.repository is None or source.commit is None:
        raise TreeError("the label names neither a package nor a commit of a repository")
    checkout = scratch / "checkout"
    # Blobs on demand: an abbreviated commit can't be asked for by itself, and only one of them is wanted.
    _run(
        [
            "git",
            "clone",
            "--quiet",
            "--filter=blob:none",
            "--no-checkout",
            f"{FORGE}/{source.repository}",
            str(checkout),
        ]
    )
    _run(["git", "-C", str(checkout), "checkout", "--quiet", source.commit])
    return checkout


def _package(text: str) -> tuple[str, str]:
    name, _, version = text.partition(":")[2].partition("==")
    return name, version


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TreeError(f"{' '.join(command[:3])} …: {done.stderr.strip()[-300:]}")
