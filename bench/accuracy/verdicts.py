"""How far the verdicts agree with the labels, and what that is worth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from bench.accuracy.labels import TreeLabels
from bench.accuracy.scan import FoundVerdict


class Disagreement(StrEnum):
    """How a verdict is wrong; a false PASS is the worst."""

    FALSE_PASS = "false PASS"
    FALSE_FAIL = "false FAIL"
    UNKNOWN = "UNKNOWN"
    OTHER = "other"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Miss:
    """A verdict that disagrees."""

    tree: str
    check: str
    disagreement: Disagreement
    expected: str
    got: str
    label_evidence: str
    tool_evidence: str


@dataclass(frozen=True, slots=True)
class VerdictScore:
    """Verdicts of one tree; nothing where the tree has no labelled ones."""

    labelled: int
    misses: tuple[Miss, ...]

    def count(self, disagreement: Disagreement) -> int:
        """How many are wrong in that way."""
        return sum(miss.disagreement is disagreement for miss in self.misses)


def score(labels: TreeLabels, found: dict[str, FoundVerdict]) -> VerdictScore:
    """Compares each labelled check."""
    misses = []
    for check, label in labels.verdicts.items():
        verdict = found.get(check)
        status = verdict.status if verdict else "(no row)"
        if label.allows(status):
            continue
        misses.append(
            Miss(
                tree=labels.tree,
                check=check,
                disagreement=_disagreement(status),
                expected="/".join((label.status, *label.alternatives)),
                got=status,
                label_evidence=f"{label.evidence} ({label.at})",
                tool_evidence=verdict.evidence if verdict else "",
            )
        )
    return VerdictScore(len(labels.verdicts), tuple(misses))


def _disagreement(status: str) -> Disagreement:
    match status:
        case "PASS":
            return Disagreement.FALSE_PASS
        case "FAIL":
            return Disagreement.FALSE_FAIL
        case "UNKNOWN":
            return Disagreement.UNKNOWN
        case "(no row)":
            return Disagreement.MISSING
        case _:
            return Disagreement.OTHER


def commonest_label(trees: tuple[TreeLabels, ...], *, unseen: bool) -> float:
    """The agreement of a predictor that reads no code: it answers each check with the commonest of its labels.

    With `unseen` the labels of the judged tree are kept from it, as they are from a tool on a tree that nobody has
    labelled; without, it has seen the answers, which with few trees is worth much.
    """
    judged = [tree for tree in trees if tree.verdicts]
    agreed = total = 0
    for tree in judged:
        for check, label in tree.verdicts.items():
            seen = [other.verdicts[check].status for other in judged if check in other.verdicts]
            if unseen:
                seen.remove(label.status)
            total += 1
            if seen:
                # Ties by name, so that the order of the trees decides nothing.
                counts = Counter(seen)
                agreed += label.allows(min(counts, key=lambda status: (-counts[status], status)))
    return agreed / total if total else 0.0
