"""What `cronaudit fix` prints: the changes as a unified diff, a line for each fix, and what has none."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cronaudit.report.text import count, listing, plain

if TYPE_CHECKING:
    from rich.text import Text

    from cronaudit.fix.proposals import Fix
    from cronaudit.fixing import Change, Fixing

_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}
_JOBS: Final = 3
_REASONS: Final = 8


def diff_text(changes: Iterable[Change], *, color: bool) -> str:
    """The changes, as `patch -p1` and `git apply` take them in the audited folder."""
    lines = [line for change in changes for line in _diff(change)]
    if not color:
        return "".join(f"{line}\n" for line in lines)
    from rich.text import Text

    return _painted([Text(line, _style(line)) for line in lines], color=True)


def summary_text(fixing: Fixing, *, written: bool, untouched: Sequence[str], color: bool) -> str:
    """A line for each fix, how many hide behind --unsafe, and why others are not fixed."""
    from rich.text import Text

    made = [fix for fix in fixing.fixes if not _touches(fix, untouched)]
    lines: list[Text] = []
    if not fixing.fixes:
        lines.append(Text("Nothing to fix."))
    elif made:
        verb = "Fixed" if written else "Would fix"
        lines.append(
            Text(f"{verb} {count(_findings(made), 'finding')} by {count(len(made), 'change')}:", "bold")
        )
        lines += [_line(fix) for fix in made]
    if fixing.hidden:
        lines.append(Text(f"{count(len(fixing.hidden), 'change')} more with --unsafe:", "bold"))
        lines += [_line(fix) for fix in fixing.hidden]
    lines += _cautions((*made, *fixing.hidden))
    lines += [Text(line, "dim") for line in _unfixed(fixing)]
    if fixing.fixes and not written:
        lines.append(Text("Nothing is written: --write does."))
    return _painted(lines, color=color)


def _painted(lines: list[Text], *, color: bool) -> str:
    from cronaudit.report.console import paint

    return paint(lines, color=color)


def _style(line: str) -> str:
    if line.startswith(("--- ", "+++ ")):
        return "bold"
    return _STYLES.get(line[:1], "")


def _diff(change: Change) -> Iterator[str]:
    before, after = _lines(change.before), _lines(change.after)
    name = change.path
    for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", n=3, lineterm=""):
        text = line.removesuffix("\n")
        yield text
        if not line.startswith(("--- ", "+++ ", "@@ ")) and not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _lines(content: bytes) -> list[str]:
    """Lines with their ends; only a line feed ends one, so that a carriage return shows where it changes."""
    text = content.decode("utf-8", "replace")
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _line(fix: Fix) -> Text:
    from rich.text import Text

    jobs = listing([plain(job) for job in fix.jobs], _JOBS)
    line = Text("  ")
    line.append(", ".join(fix.checks), "bold")
    if fix.recipe.reaches != "PASS":
        line.append(f" ({fix.recipe.reaches})")
    line.append(f"  {fix.recipe.title}: {jobs}  {plain(fix.path)}:{fix.line}  ")
    if fix.safe:
        line.append("safe", "green")
    else:
        line.append("unsafe", "yellow")
    return line


def _cautions(fixes: Iterable[Fix]) -> Iterator[Text]:
    """What the unsafe ones may change, once for all that say the same."""
    from rich.text import Text

    checks: dict[str, dict[str, None]] = {}
    for fix in fixes:
        if not fix.safe:
            checks.setdefault(fix.caution, {}).update(dict.fromkeys(fix.checks))
    for caution, names in checks.items():
        line = Text("unsafe", "yellow")
        line.append(f" ({', '.join(names)}): {caution}")
        yield line


def _findings(fixes: Iterable[Fix]) -> int:
    return sum(len(fix.targets) for fix in fixes)


def _touches(fix: Fix, untouched: Sequence[str]) -> bool:
    return any(edit.path in untouched for edit in fix.edits)


def _unfixed(fixing: Fixing) -> Iterator[str]:
    """What has no fix: how many findings, and the commonest reasons."""
    if not fixing.without and not fixing.unfixed:
        return
    findings = count(fixing.without + len(fixing.unfixed), "finding")
    yield f"{findings} without a fix: {fixing.without} that none is for"
    reasons = Counter(one.reason for one in fixing.unfixed)
    for reason, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:_REASONS]:
        checks = sorted({one.target.check for one in fixing.unfixed if one.reason == reason})
        yield f"  {number}  {', '.join(checks)}  {plain(reason)}"
    if len(reasons) > _REASONS:
        yield f"  and {len(reasons) - _REASONS} further reasons"
