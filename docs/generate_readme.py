"""Writes what README.md and docs/accuracy.md quote: the command line's help, the sample's audit, the measurements.

Between `<!-- begin:NAME -->` and `<!-- end:NAME -->` stands what the tool says today. `--check` writes nothing, shows
what drifted, and exits with 1 if anything did.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = "tests/fixtures/order-service"
DATE = "2026-11-23"
"""Of the sample's audit: a document that changed with the day would drift every morning."""
COLUMNS = "100"
NOT_MEASURED = "Not measured yet."


class GenerationError(RuntimeError):
    """Something that is quoted cannot be made."""


@dataclass(frozen=True, slots=True)
class Block:
    """A marked part of a page."""

    page: str
    name: str
    content: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is generated as a whole."""

    page: str
    content: Callable[[], str]


def cronaudit(*arguments: str, expected: int = 0) -> str:
    """What the command line prints, the same on every machine."""
    environment = os.environ | {
        "COLUMNS": COLUMNS,
        "TERMINAL_WIDTH": COLUMNS,
        "NO_COLOR": "1",
        "TERM": "dumb",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cronaudit")), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != expected:
        raise GenerationError(
            f"cronaudit {' '.join(arguments)}: exit code {done.returncode}: {done.stderr[-500:]}"
        )
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())


def quoted(*arguments: str) -> str:
    """A command and what it prints."""
    return f"```console\n$ cronaudit {' '.join(arguments)}\n{cronaudit(*arguments)}\n```"


def sample_summary() -> str:
    output = cronaudit("scan", SAMPLE, "--date", DATE)
    return f"```console\n$ cronaudit scan {SAMPLE}\n{output}\n```"


def sample_fix() -> str:
    output = cronaudit("fix", SAMPLE, "--date", DATE, expected=1)
    return f"```console\n$ cronaudit fix {SAMPLE}\n{output}\n```"


def sample_report() -> str:
    return cronaudit("scan", SAMPLE, "--date", DATE, "--format", "markdown", "-o", "-") + "\n"


def accuracy_in_short() -> str:
    """The groups of the last committed measurement."""
    results = ROOT / "bench" / "accuracy" / "results.json"
    if not results.is_file():
        return NOT_MEASURED
    document: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    columns = {
        "precision": "Job precision",
        "recall": "Job recall",
        "schedule_exact": "Schedule exact",
        "agreement": "Verdicts agree",
        "false_pass": "False PASS",
        "false_fail": "False FAIL",
        "unknown": "UNKNOWN",
    }
    zero = document["commonest_label"]
    baseline = (
        f"Answering each check with its commonest label agrees in {percent(zero['unseen'])} of the verdicts on a tree "
        f"whose labels it has not seen ({percent(zero['seen'])} where it has): that is zero on this scale."
    )
    groups = [name for name in document["figures"] if name not in document["trees"]]
    lines = [
        row(["Labelled trees", *columns.values()]),
        row(["---", *["---:"] * len(columns)]),
        *(row([group, *(percent(document["figures"][group][name]) for name in columns)]) for group in groups),
    ]
    return "\n".join((*lines, "", baseline))


def speed_in_short() -> str:
    """The tables of the last committed measurement."""
    results = ROOT / "bench" / "speed" / "RESULTS.md"
    if not results.is_file():
        return NOT_MEASURED
    text = results.read_text(encoding="utf-8")
    return text.split("\n", 2)[2].strip()


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


GENERATED: tuple[Block | Page, ...] = (
    Block("README.md", "help", lambda: quoted("--help")),
    Block("README.md", "help-scan", lambda: quoted("scan", "--help")),
    Block("README.md", "help-fix", lambda: quoted("fix", "--help")),
    Block("README.md", "sample-fix", sample_fix),
    Block("README.md", "sample", sample_summary),
    Block("README.md", "accuracy", accuracy_in_short),
    Block("README.md", "speed", speed_in_short),
    Block("docs/accuracy.md", "accuracy", accuracy_in_short),
    Page("docs/sample-report.md", sample_report),
)


def generate() -> dict[str, str]:
    """Every page as it should be."""
    pages: dict[str, str] = {}
    for part in GENERATED:
        path = ROOT / part.page
        match part:
            case Page():
                pages[part.page] = part.content()
            case Block():
                text = pages.get(part.page) or path.read_text(encoding="utf-8")
                pages[part.page] = fill(text, part)
    return pages


def fill(text: str, block: Block) -> str:
    begin, end = f"<!-- begin:{block.name} -->", f"<!-- end:{block.name} -->"
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    content = f"{begin}\n{block.content()}\n{end}"
    filled, count = pattern.subn(lambda _: content, text)
    if count != 1:
        raise GenerationError(f"{block.page} must have {begin} … {end} once, and has it {count} times")
    return filled


def drift(pages: dict[str, str]) -> Iterator[str]:
    for page, wanted in pages.items():
        path = ROOT / page
        present = path.read_text(encoding="utf-8") if path.is_file() else ""
        yield from difflib.unified_diff(
            present.splitlines(), wanted.splitlines(), page, f"{page} (generated)", lineterm="", n=1
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 where a page drifted"
    )
    options = parser.parse_args()
    try:
        pages = generate()
    except GenerationError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.check:
        for page, text in pages.items():
            (ROOT / page).write_text(text, encoding="utf-8")
        return 0
    difference = list(drift(pages))
    if difference:
        print("\n".join(difference))
        print("\ngenerated text drifted: make docs")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
