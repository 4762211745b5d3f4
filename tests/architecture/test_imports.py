"""The arrows of docs/architecture.md: `cli -> audit -> stages -> model`, and who may lean on whom beside them.

Every import counts, also those inside functions and under TYPE_CHECKING: a type is a dependency too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "cronaudit"
MAX_LINES = 400
LONGER = {
    "model/ir.py": "its node types are one recursive type: expressions hold functions, which hold statements, which "
    "hold expressions; in two modules each would import the other",
}
"""What may be longer, and why."""

STAGES = frozenset({"target", "parsing", "linking", "knowledge", "recognition", "ruleset", "report", "fix"})
ARROWS: dict[str, frozenset[str]] = {
    "__init__": frozenset(),
    "__main__": frozenset({"cli"}),
    "cli": frozenset({"commands", "audit", "assets", "model", "schedule", "schema"}) | STAGES,
    "commands": frozenset({"audit", "assets", "fixing", "model", "schedule", "schema", "survey"}) | STAGES,
    "audit": frozenset({"assets", "model", "schedule", "seen", "survey"}) | STAGES,
    "survey": frozenset({"assets", "copies", "model", "recognition", "target"}),
    "seen": frozenset({"model", "recognition", "report"}),
    "fixing": frozenset(
        {"assets", "audit", "fix", "knowledge", "model", "parsing", "problems", "ruleset", "schedule"}
    ),
    "assets": frozenset({"model"}),
    "copies": frozenset(),
    "schema": frozenset(),
    "lazy_regex": frozenset(),
    "model": frozenset(),
    "schedule": frozenset({"model"}),
    "target": frozenset({"model"}),
    "parsing": frozenset({"model"}),
    "linking": frozenset({"model"}),
    "compiled": frozenset(),
    "problems": frozenset(),
    "placed_yaml": frozenset({"problems"}),
    "knowledge": frozenset({"compiled", "model", "placed_yaml", "problems", "schedule"}),
    "recognition": frozenset({"copies", "model", "knowledge", "schedule"}),
    "ruleset": frozenset({"compiled", "model", "placed_yaml", "problems", "schedule"}),
    "report": frozenset({"model", "schedule"}),
    "fix": frozenset({"model", "placed_yaml", "problems"}),
}
"""What each part may import beside itself, the package's version and `lazy_regex`. A new part is a decision: it is
added here and in docs/architecture.md, or it belongs into one of these."""

FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {".".join(("cronaudit", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in FILES}
RELATIVE = [path.relative_to(PACKAGE).as_posix() for path in FILES]


def part_of(module: str) -> str:
    """The part a module belongs to: `cronaudit.report.json` is of `report`, `cronaudit` itself of `__init__`."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def imports_of(module: str, path: Path) -> Iterator[tuple[str, int]]:
    """Each imported module, absolute, with its line. `from a import b` gives `a.b` where that is a module."""
    package = module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield name.name, node.lineno
            case ast.ImportFrom(module=origin, names=names, level=level):
                above = package[: len(package) - level + 1] if level else []
                base = ".".join((*above, origin)) if origin else ".".join(above)
                for name in names:
                    inner = f"{base}.{name.name}"
                    is_module = inner in MODULES or f"{inner}.__init__" in MODULES
                    yield (inner if is_module else base), node.lineno
            case _:
                pass


def own_imports(module: str, path: Path) -> Iterator[tuple[str, int]]:
    """Imports of the package's own modules, by the file that holds them."""
    for name, line in imports_of(module, path):
        if name == "cronaudit" or name.startswith("cronaudit."):
            yield (name if name in MODULES else f"{name}.__init__"), line


def test_there_is_something_to_judge() -> None:
    assert {"model", "schedule", "parsing"} <= {part_of(module) for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_arrows(module: str) -> None:
    part = part_of(module)
    assert part in ARROWS, f"{part} has no place among the arrows"
    allowed = ARROWS[part] | {part, "__init__", "lazy_regex"}
    forbidden = [
        f"{MODULES[module].relative_to(ROOT)}:{line} imports {name}"
        for name, line in own_imports(module, MODULES[module])
        if part_of(name) not in allowed
    ]
    assert forbidden == []


def test_stages_do_not_know_each_other() -> None:
    """The table itself keeps the one exception that the design names, and no other."""
    between = {(stage, other) for stage in STAGES for other in ARROWS[stage] & STAGES}
    assert between == {("recognition", "knowledge")}


@pytest.mark.parametrize("module", MODULES)
def test_own_modules_exist(module: str) -> None:
    """Also inside functions, where a wrong name would show only when it runs."""
    missing = [
        f"{name} (line {line})" for name, line in own_imports(module, MODULES[module]) if name not in MODULES
    ]
    assert missing == []


def test_no_import_cycles() -> None:
    graph = {
        module: {name for name, _ in own_imports(module, path) if name != module}
        for module, path in MODULES.items()
    }
    # A package's own __init__ that gathers names from its modules is no circle, unless they import it back.
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


@pytest.mark.parametrize("module", MODULES)
def test_libcst_is_for_rewrites_only(module: str) -> None:
    """Importing it costs 130 ms, which no scan should pay."""
    lines = [line for name, line in imports_of(module, MODULES[module]) if name.split(".")[0] == "libcst"]
    assert lines == [] or part_of(module) == "fix"


@pytest.mark.parametrize("file", RELATIVE)
def test_file_length(file: str) -> None:
    lines = len((PACKAGE / file).read_text(encoding="utf-8").splitlines())
    if file in LONGER:
        assert lines > MAX_LINES, f"{file} needs its exception no more"
    else:
        assert lines <= MAX_LINES, f"{file} has {lines} lines"


@pytest.mark.parametrize("file", RELATIVE)
def test_names_say_what_is_inside(file: str) -> None:
    words = {word for part in Path(file).with_suffix("").parts for word in part.split("_")}
    assert words & {"util", "utils", "helper", "helpers", "misc", "common", "stuff"} == set()


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) not in {"cli", "commands"}])
def test_only_the_command_line_prints(module: str) -> None:
    calls = [node for node in ast.walk(ast.parse(MODULES[module].read_bytes())) if isinstance(node, ast.Call)]
    printing = [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
    assert printing == []
