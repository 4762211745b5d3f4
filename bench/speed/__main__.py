"""`python -m bench.speed --trees DIR`: cronaudit beside ast-grep, semgrep and rg on JavaScript and TypeScript.

The others search for ten patterns of scheduled jobs; rg makes one pass over the words in them, which is about what
reading the tree costs. cronaudit audits: it follows every job and decides 67 checks. Nothing is cached.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.accuracy import labels, trees
from bench.accuracy.scan import command
from bench.speed.timing import Timing, measure, timer

HERE = Path(__file__).parent
RULES = HERE / "rules"
SUFFIXES = frozenset({".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"})
START_UP_BOUND_MS = 150


@dataclass(frozen=True, slots=True)
class Tool:
    """One of the tools that are compared."""

    name: str
    command: tuple[str, ...]
    """Without the target, which comes last."""
    expected: frozenset[int]
    """Exit codes of a run that did its work."""


@dataclass(frozen=True, slots=True)
class Row:
    """The measurements of one tree."""

    tree: str
    files: int
    timings: dict[str, Timing | None]


def main() -> int:
    options = parse_options()
    targets = list(find_targets(options))
    if not targets:
        print("nothing to time: give --trees or a folder", file=sys.stderr)
        return 2
    tools = available(options.bin)
    rows = [
        Row(name, count_files(folder), dict(time_all(tools, folder, options.runs)))
        for name, folder in targets
    ]
    text = report(rows, tools, start_up(options.runs), options.runs)
    print(text)
    if options.write:
        (HERE / "RESULTS.md").write_text(text, encoding="utf-8")
    return 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="further folders to time")
    parser.add_argument("--trees", type=Path, help="checkouts of the labelled trees, as for bench.accuracy")
    parser.add_argument(
        "--bin", type=Path, help="where semgrep and ast-grep are, if not beside Python or on the PATH"
    )
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each command (default: 5)")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md")
    return parser.parse_args()


def find_targets(options: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    if options.trees:
        for tree in labels.load():
            folder = trees.find(tree, options.trees)
            if tree.family == "JavaScript/TypeScript" and folder:
                yield tree.tree, folder
    for folder in options.folders:
        yield folder.resolve().name, folder.resolve()


def available(folder: Path | None) -> tuple[Tool, ...]:
    """The tools that this machine has; cronaudit first."""
    places = os.pathsep.join(str(path) for path in (folder, Path(sys.executable).parent) if path)
    search = os.pathsep.join((places, os.environ.get("PATH", "")))
    if folder:
        # semgrep starts a program of its own by name.
        os.environ["PATH"] = search
    (audit,) = command()
    wanted = (
        Tool("cronaudit", (audit, "scan", "--format", "json", "-o", "-", "--allow-no-jobs"), frozenset({0})),
        Tool(
            "ast-grep",
            ("ast-grep", "scan", "--config", str(RULES / "ast-grep" / "sgconfig.yml"), "--json=stream"),
            frozenset({0, 1}),
        ),
        Tool(
            "semgrep",
            (
                *(
                    "semgrep",
                    "scan",
                    "--config",
                    str(RULES / "semgrep"),
                    "--metrics=off",
                    "--disable-version-check",
                ),
                *("--quiet", "--json"),
            ),
            frozenset({0, 1}),
        ),
        Tool("rg", ("rg", "--count", "-F", "-f", str(RULES / "tokens.txt")), frozenset({0, 1})),
    )
    found = []
    for tool in wanted:
        path = shutil.which(tool.command[0], path=search)
        if path is None:
            print(f"{tool.name} is not installed and is left out", file=sys.stderr)
        else:
            found.append(Tool(tool.name, (path, *tool.command[1:]), tool.expected))
    return tuple(found)


def time_all(tools: tuple[Tool, ...], folder: Path, runs: int) -> Iterator[tuple[str, Timing | None]]:
    for tool in tools:
        timing = measure([*tool.command, str(folder)], runs=runs)
        if timing.exit_code not in tool.expected:
            print(f"{tool.name} on {folder}: exit code {timing.exit_code}", file=sys.stderr)
        yield tool.name, timing if timing.exit_code in tool.expected else None


def start_up(runs: int) -> dict[str, Timing]:
    """What passes before a target is read, and what of it is Python's own start."""
    return {
        "cronaudit --version": measure([*command(), "--version"], runs=2 * runs),
        "python -c pass": measure([sys.executable, "-c", "pass"], runs=2 * runs),
    }


def count_files(folder: Path) -> int:
    count = 0
    for _, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in {".git", "node_modules"}]
        count += sum(Path(name).suffix in SUFFIXES for name in files)
    return count


def report(rows: list[Row], tools: tuple[Tool, ...], start: dict[str, Timing], runs: int) -> str:
    others = [tool.name for tool in tools if tool.name != "cronaudit"]
    head = ["Tree", "Files", *(tool.name for tool in tools), *(f"cronaudit / {name}" for name in others)]
    conditions = (
        f"Median of {runs} runs after one to warm up, wall clock, timed by {timer()}; {os.cpu_count()} processors, "
        f"Python {platform.python_version()}. Files are those in JavaScript and TypeScript."
    )
    lines = [
        "# Speed",
        "",
        "Made by `python -m bench.speed`. " + " ".join((__doc__ or "").split("\n\n", 1)[-1].split()),
        "",
        conditions,
        "",
        table_row(head),
        table_row(["---", *["---:"] * (len(head) - 1)]),
    ]
    for row in rows:
        own = row.timings.get("cronaudit")
        ratios = [ratio(own, row.timings[name]) for name in others]
        lines.append(
            table_row(
                [row.tree, str(row.files), *(seconds(row.timings[tool.name]) for tool in tools), *ratios]
            )
        )
    lines += ["", table_row(["Start-up", "Median"]), table_row(["---", "---:"])]
    lines += [table_row([f"`{name}`", f"{timing.median * 1000:.0f} ms"]) for name, timing in start.items()]
    return "\n".join((*lines, "", f"The bound on start-up is {START_UP_BOUND_MS} ms.", ""))


def table_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def seconds(timing: Timing | None) -> str:
    return "failed" if timing is None else f"{timing.median:.2f} s"


def ratio(own: Timing | None, other: Timing | None) -> str:
    return "" if own is None or other is None else f"{own.median / other.median:.2f}"


if __name__ == "__main__":
    sys.exit(main())
