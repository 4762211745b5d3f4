"""Scores of trees, and of several trees taken together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from bench.accuracy.jobs import JobScore
from bench.accuracy.labels import Family
from bench.accuracy.verdicts import Disagreement, VerdictScore

ASPECTS = ("name", "state", "schedule", "timezone", "handler")


@dataclass(frozen=True, slots=True)
class TreeScore:
    """One tree."""

    tree: str
    family: Family
    jobs: JobScore
    verdicts: VerdictScore


@dataclass(frozen=True, slots=True)
class Group:
    """Trees summed job by job and verdict by verdict, not tree by tree."""

    title: str
    trees: tuple[TreeScore, ...]

    def total(self, count: Callable[[TreeScore], int]) -> int:
        """A count over all trees."""
        return sum(map(count, self.trees))

    @property
    def precision(self) -> Fraction | None:
        """Found jobs that count, of these and the false ones."""
        found = self.total(lambda tree: tree.jobs.found)
        return _share(found, found + self.total(lambda tree: len(tree.jobs.false)))

    @property
    def recall(self) -> Fraction | None:
        """Found jobs that count, of all that count."""
        return _share(self.total(lambda tree: tree.jobs.found), self.total(lambda tree: tree.jobs.expected))

    def exactness(self, title: str) -> Fraction | None:
        """An aspect of the jobs that were found."""
        exact = self.total(
            lambda tree: sum(aspect.exact for aspect in tree.jobs.aspects if aspect.title == title)
        )
        return _share(exact, self.total(lambda tree: tree.jobs.found))

    @property
    def labelled(self) -> int:
        """Labelled verdicts."""
        return self.total(lambda tree: tree.verdicts.labelled)

    @property
    def agreement(self) -> Fraction | None:
        """Verdicts that agree, of the labelled ones."""
        return _share(self.labelled - self.total(lambda tree: len(tree.verdicts.misses)), self.labelled)

    def disagreements(self, kind: Disagreement) -> int:
        """Verdicts that are wrong in one way."""
        return self.total(lambda tree: tree.verdicts.count(kind))

    def share(self, kind: Disagreement) -> Fraction | None:
        """The same, of the labelled ones."""
        return _share(self.disagreements(kind), self.labelled)

    def figures(self) -> dict[str, float | None]:
        """What floors are set on, by name."""
        shares = {
            "precision": self.precision,
            "recall": self.recall,
            **{f"{title}_exact": self.exactness(title) for title in ASPECTS},
            "agreement": self.agreement,
            "false_pass": self.share(Disagreement.FALSE_PASS),
            "false_fail": self.share(Disagreement.FALSE_FAIL),
            "unknown": self.share(Disagreement.UNKNOWN),
        }
        return {name: None if share is None else round(float(share), 4) for name, share in shares.items()}


def groups(scores: tuple[TreeScore, ...]) -> tuple[Group, ...]:
    """Each tree, each family of languages, and all."""
    single = [Group(score.tree, (score,)) for score in scores]
    families = sorted({score.family for score in scores})
    together = [Group(family, tuple(s for s in scores if s.family == family)) for family in families]
    return (*single, *together, Group("all", scores))


def below_floor(group: Group, floors: dict[str, float]) -> list[str]:
    """What does not hold. ``false_*`` and ``unknown`` are ceilings, everything else is a floor."""
    figures = group.figures()
    problems = []
    for name, bound in floors.items():
        figure = figures[name]
        is_ceiling = name.startswith("false_") or name == "unknown"
        if figure is None:
            problems.append(f"{group.title}: nothing to measure {name} on")
        elif figure > bound if is_ceiling else figure < bound:
            problems.append(
                f"{group.title}: {name} is {figure}, {'at most' if is_ceiling else 'at least'} {bound} wanted"
            )
    return problems


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None
