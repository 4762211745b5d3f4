"""`python -m bench.accuracy --trees DIR`: scores the tool on the labelled trees.

Exit codes: 0 measured, and `--floor` holds; 1 it does not; 2 nothing could be measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from bench.accuracy import jobs, labels, tables, trees, verdicts
from bench.accuracy.labels import TreeLabels
from bench.accuracy.scan import ScanError, read, scan
from bench.accuracy.scores import TreeScore, below_floor, groups

HERE = Path(__file__).parent
FLOORS = HERE / "floors.yaml"


def main() -> int:
    options = parse_options()
    known = labels.load()
    wanted = tuple(tree for tree in known if not options.only or tree.tree in options.only)
    if unknown := set(options.only) - {tree.tree for tree in known}:
        print(f"no labels for {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    scores = []
    absent = []
    for tree in wanted:
        document = result_of(tree, options)
        if document is None:
            absent.append(tree.tree)
            continue
        found = read(document)
        scores.append(
            TreeScore(
                tree.tree, tree.family, jobs.score(tree, found.jobs), verdicts.score(tree, found.verdicts)
            )
        )
    if not scores:
        print(
            f"no labelled tree under {options.trees or '--trees'}; --obtain downloads them", file=sys.stderr
        )
        return 2
    commonest = {
        "seen": verdicts.commonest_label(known, unseen=False),
        "unseen": verdicts.commonest_label(known, unseen=True),
    }
    text = tables.markdown(tuple(scores), commonest, tuple(absent))
    print(text)
    if options.write:
        (HERE / "RESULTS.md").write_text(text, encoding="utf-8")
        document = tables.document(tuple(scores), commonest, tuple(absent))
        (HERE / "results.json").write_text(
            json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    return check_floors(tuple(scores)) if options.floor else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__)
    parser.add_argument("--trees", type=Path, help="the folder that holds the checkouts, outside the project")
    parser.add_argument("--obtain", action="store_true", help="download into --trees what is not there")
    parser.add_argument(
        "--results", type=Path, help="read <tree>.json from here where it is, write it where it is not"
    )
    parser.add_argument("--only", action="append", default=[], metavar="TREE", help="these trees only")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md and results.json")
    parser.add_argument("--floor", action="store_true", help="fail below floors.yaml")
    options = parser.parse_args()
    if options.trees is None and options.results is None:
        parser.error("--trees or --results is needed")
    if options.write and options.only:
        parser.error("--write is for all trees, --only for some")
    return options


def result_of(tree: TreeLabels, options: argparse.Namespace) -> dict[str, Any] | None:
    """The result document of a tree; None where there is no checkout."""
    kept = options.results / f"{tree.tree}.json" if options.results else None
    if kept and kept.is_file():
        document: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return document
    folder = options.trees and trees.find(tree, options.trees)
    if not folder and options.trees and options.obtain:
        folder = trees.obtain(tree, options.trees)
    if not folder:
        return None
    try:
        document = scan(folder)
    except ScanError as error:
        print(f"{tree.tree}: {error}", file=sys.stderr)
        return {"jobs": [], "checks": [], "summary": {}}
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(document), encoding="utf-8")
    return document


def check_floors(scores: tuple[TreeScore, ...]) -> int:
    floors = yaml.safe_load(FLOORS.read_text(encoding="utf-8"))["trees"]
    problems = [
        problem for group in groups(scores) for problem in below_floor(group, floors.get(group.title) or {})
    ]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
