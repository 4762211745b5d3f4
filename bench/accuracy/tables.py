"""The result of the benchmark as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from bench.accuracy.scores import ASPECTS, Group, TreeScore, groups
from bench.accuracy.verdicts import Disagreement

BESIDE = (Disagreement.FALSE_PASS, Disagreement.FALSE_FAIL, Disagreement.UNKNOWN, Disagreement.OTHER)
PREAMBLE = """\
# Accuracy on labelled trees

Made by `python -m bench.accuracy`; the trees, the labels and the rules of matching are described in
`bench/accuracy/README.md`. Jobs: those that count are sure, live and no workflow of a forge; borderline ones count
neither way. A decoy is a place that looks like a job and is none. Name, state, schedule, timezone and handler are
the share of exact ones among the found jobs. Agreement is over the labelled verdicts; false PASS, false FAIL,
UNKNOWN and other are the ways to disagree, a missing row counts as other.
"""


def markdown(scores: tuple[TreeScore, ...], commonest: dict[str, float], absent: tuple[str, ...]) -> str:
    """The table, and what was missed and what was false, tree by tree."""
    baseline = (
        "A predictor that answers each check with its commonest label agrees in "
        f"{_percent(commonest['seen'])} of the verdicts when it has seen the labels of the tree that it judges, in "
        f"{_percent(commonest['unseen'])} when it has seen only those of the other trees: that is zero on this scale."
    )
    lines = [PREAMBLE, *_table(scores), "", baseline]
    if absent:
        lines += ["", f"Not measured, no checkout: {', '.join(absent)}."]
    for score in scores:
        lines += _details(score)
    return "\n".join((*lines, ""))


def document(
    scores: tuple[TreeScore, ...], commonest: dict[str, float], absent: tuple[str, ...]
) -> dict[str, Any]:
    """The same for programs."""
    return {
        "figures": {group.title: group.figures() for group in groups(scores)},
        "commonest_label": {name: round(share, 4) for name, share in commonest.items()},
        "absent": list(absent),
        "trees": {
            score.tree: {"jobs": asdict(score.jobs), "verdicts": asdict(score.verdicts)} for score in scores
        },
    }


def _table(scores: tuple[TreeScore, ...]) -> Iterator[str]:
    head = ["Tree", "Jobs", "Found", "False", "Precision", "Recall", "Decoys hit"]
    head += [title.capitalize() for title in ASPECTS]
    head += ["Verdicts", "Agreement", *(str(kind) for kind in BESIDE)]
    yield _row(head)
    yield _row(["---", *["---:"] * (len(head) - 1)])
    for group in groups(scores):
        yield _row(_cells(group))


def _cells(group: Group) -> list[str]:
    wrong = {kind: group.disagreements(kind) for kind in Disagreement}
    wrong[Disagreement.OTHER] += wrong[Disagreement.MISSING]
    decoys = group.total(lambda tree: len(tree.jobs.decoys))
    return [
        group.title if len(group.trees) == 1 and group.title == group.trees[0].tree else f"**{group.title}**",
        str(group.total(lambda tree: tree.jobs.expected)),
        str(group.total(lambda tree: tree.jobs.found)),
        str(group.total(lambda tree: len(tree.jobs.false))),
        _ratio(group.precision),
        _ratio(group.recall),
        f"{decoys}/{group.total(lambda tree: tree.jobs.decoys_total)}",
        *(_percent(group.exactness(title)) for title in ASPECTS),
        str(group.labelled) if group.labelled else "",
        _percent(group.agreement),
        *(
            f"{wrong[kind]} ({_percent(Fraction(wrong[kind], group.labelled))})" if group.labelled else ""
            for kind in BESIDE
        ),
    ]


def _details(score: TreeScore) -> Iterator[str]:
    jobs = score.jobs
    lists = [
        ("Missed", jobs.missed),
        ("False", jobs.false),
        ("Decoys hit", jobs.decoys),
        ("Reported as dormant, unknown to the labels", jobs.dormant),
        *((f"{aspect.title.capitalize()} not exact", aspect.wrong) for aspect in jobs.aspects),
    ]
    if not score.verdicts.misses and not any(entries for _, entries in lists):
        return
    yield ""
    yield f"## {score.tree}"
    for title, entries in lists:
        if entries:
            yield ""
            yield f"{title}:"
            yield ""
            yield from (f"- {_text(entry)}" for entry in entries)
    if score.verdicts.misses:
        yield ""
        yield _row(["Check", "Wrong", "Label", "Tool", "Evidence of the label", "Evidence of the tool"])
        yield _row(["---"] * 6)
    order = list(Disagreement)
    for miss in sorted(score.verdicts.misses, key=lambda miss: order.index(miss.disagreement)):
        yield _row(
            [
                miss.check,
                miss.disagreement,
                miss.expected,
                miss.got,
                _text(miss.label_evidence),
                _text(miss.tool_evidence),
            ]
        )


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """One line that is no Markdown."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _ratio(share: Fraction | None) -> str:
    return "" if share is None else f"{float(share):.2f}"


def _percent(share: Fraction | float | None) -> str:
    return "" if share is None else f"{100 * float(share):.0f} %"
