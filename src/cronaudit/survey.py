"""What a target is made of, before anything is looked into: its files with their roles, and what its manifests say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cronaudit.assets import rules_dir
from cronaudit.copies import Copy, may_copy
from cronaudit.model.options import ConfigurationError
from cronaudit.target.roles import RoleRules
from cronaudit.target.tree import Tree
from cronaudit.target.walk import walk

if TYPE_CHECKING:
    from cronaudit.model.deployment import Deployment
    from cronaudit.model.source import Diagnostic
    from cronaudit.recognition.deployment import Enclosing


class Survey:
    """The survey of a target. Each part is made when it is asked for, or waited for where a copy makes it."""

    def __init__(self, path: Path, rules: Sequence[Path], copy: Copy | None = None) -> None:
        self._path = path
        self._rules = rules
        self._copy = copy
        self.unread: tuple[Diagnostic, ...] = ()
        """What a copy could not read of the manifests."""

    def tree(self) -> Tree:
        """The files of the target. Raises OSError where it cannot be read, ConfigurationError for wrong roles."""
        tree = cast("Tree | None", self._copy.answer()) if self._copy is not None else None
        if tree is None:
            self._copy = None
            tree = _tree(self._path, self._rules)
        return tree

    def deployment(self, tree: Tree) -> Deployment:
        """What the manifests say; asked after `tree`, which may hold other contents by now."""
        answer = self._copy.answer() if self._copy is not None and not tree.overlay else None
        if answer is None:
            return _deployment(tree)
        deployment, self.unread = cast("tuple[Deployment, tuple[Diagnostic, ...]]", answer)
        return deployment


@contextmanager
def surveying(path: Path, rules: Sequence[Path], processes: int) -> Iterator[Survey]:
    """Begin a survey in a copy of this process, which has done a tenth of a scan when the analysis is loaded."""
    if processes < 2 or not may_copy():
        yield Survey(path, rules)
        return
    copy = Copy(partial(_all, path, rules))
    try:
        yield Survey(path, rules, copy)
    finally:
        copy.end()


def _all(path: Path, rules: Sequence[Path]) -> Iterator[object]:
    tree = _tree(path, rules)
    yield tree
    yield _deployment(tree), tree.diagnostics


def _tree(path: Path, rules: Sequence[Path]) -> Tree:
    import yaml

    folder = next((r for r in reversed(rules) if (r / "roles.yaml").is_file()), rules_dir())
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        roles = RoleRules.from_mapping(yaml.load((folder / "roles.yaml").read_bytes(), loader))  # noqa: S506 - safe
    except (ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{folder / 'roles.yaml'}: {error}") from error
    return walk(path, roles)


def _deployment(tree: Tree) -> Deployment:
    from cronaudit.recognition.deployment import read_deployment

    return read_deployment(tree, _enclosing(tree.root))


def _enclosing(root: Path) -> Enclosing | None:
    """Compose files of the repository around the target: they count where they build it (ruling 19)."""
    from cronaudit.recognition.deployment import Enclosing

    for folder in root.parents:
        if (folder / ".git").exists():
            break
    else:
        return None
    texts: dict[str, str] = {}
    for above in root.parents:
        for path in sorted((*above.glob("*compose*.y*ml"), *above.glob("docker/*compose*.y*ml"))):
            with suppress(OSError, UnicodeDecodeError):
                texts[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
        if above == folder:
            break
    return Enclosing(root.relative_to(folder).as_posix(), texts) if texts else None
