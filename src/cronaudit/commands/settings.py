"""The options that a project keeps in ``cronaudit.toml``, or in ``[tool.cronaudit]`` of its ``pyproject.toml``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from cronaudit.commands.documents import Document, FormatOption, OutputOption, pair, suggestion
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.options import AuditOptions, ConfigurationError, Waiver
from cronaudit.model.verdict import Severity

_MOST_PROCESSES: Final = 4
"""What each process learns of the tree, the others learn again: more of them save nothing."""


class Settings(Struct, frozen=True):
    """What a configuration file says; None and empty where it says nothing."""

    documents: tuple[Document, ...] = ()
    fail_under: int | None = None
    fail_on: Severity | None = None
    fail_on_new: bool | None = None
    baseline: Path | None = None
    rules: tuple[Path, ...] = ()
    link_base: str | None = None
    date: str | None = None
    allow_no_jobs: bool | None = None
    jobs: tuple[str, ...] = ()
    quiet: bool | None = None
    no_color: bool | None = None
    waivers: tuple[Waiver, ...] = ()


KEYS: Final = (
    "allow-no-jobs",
    "baseline",
    "date",
    "fail-on",
    "fail-on-new",
    "fail-under",
    "format",
    "job",
    "link-base",
    "no-color",
    "output",
    "quiet",
    "rules",
    "waive",
)
"""The options of `scan` by their long names, and the waivers. `--config` and `--write-baseline` are for one run."""
_WAIVER_KEYS: Final = ("checks", "job", "reason")
_WAIVER_HEAD: Final = lazy_regex(r"^[ \t]*\[\[[ \t]*(?:tool\.cronaudit\.)?waive[ \t]*\]\]", re.MULTILINE)


def read_settings(target: Path, stated: Path | None) -> Settings:
    """Read the stated file, else what lies in the target; a file of the target may not write outside of it."""
    if stated is not None:
        return _settings(stated, _table(stated), target, confined=False)
    folder = target if target.is_dir() else target.parent
    for name in ("cronaudit.toml", "pyproject.toml"):
        file = folder / name
        if file.is_file() and (table := _table(file)):
            return _settings(file, table, target, confined=True)
    return Settings()


def audit_options(
    settings: Settings,
    *,
    day: str | None,
    rules: list[Path] | None,
    jobs: list[str] | None = None,
    baseline: Path | None = None,
) -> AuditOptions:
    """Merge the command line and the settings into what the pipeline is asked; the command line wins."""
    return AuditOptions(
        date=report_date(day or settings.date),
        rules=tuple(rules or settings.rules),
        job_globs=tuple(jobs or settings.jobs),
        baseline=baseline,
        waivers=settings.waivers,
        processes=min(_processors(), _MOST_PROCESSES),
    )


def _processors() -> int:
    """Those that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def report_date(stated: str | None) -> date:
    """Give the date of the report: as stated, else that of SOURCE_DATE_EPOCH, else today (UTC)."""
    if stated is not None:
        try:
            return date.fromisoformat(stated)
        except ValueError:
            raise ConfigurationError(f"date {stated!r} is not written YYYY-MM-DD") from None
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(tz=UTC).date()
    try:
        return datetime.fromtimestamp(int(epoch), tz=UTC).date()
    except (ValueError, OverflowError, OSError):
        raise ConfigurationError(f"SOURCE_DATE_EPOCH={epoch!r} is no number of seconds since 1970") from None


def check_link_base(address: str) -> str:
    """Refuse what cannot stand in a Markdown link or is no web address."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    is_clean = address.isprintable() and not any(c in address for c in " <>()[]\"'`|\\?#")
    if parts.scheme not in ("http", "https") or not parts.netloc or not is_clean:
        raise ConfigurationError(f"link base {address!r} is no address of a folder on a forge (https://…)")
    return address


def _table(file: Path) -> Mapping[str, Any]:
    import tomllib

    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{file}: there is no such file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from None
    if file.name != "pyproject.toml":
        return content
    tools = content.get("tool", {})
    table = tools.get("cronaudit", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise ConfigurationError(f"{file}: tool.cronaudit is no table")
    return table


def _settings(file: Path, table: Mapping[str, Any], target: Path, *, confined: bool) -> Settings:
    for key in table:
        if key not in KEYS:
            raise ConfigurationError(f"{file}: unknown key {key!r}{suggestion(key, KEYS)}")
    reader = _Reader(file, table)
    formats, outputs = reader.texts("format"), [str(path) for path in reader.paths("output", keep="-")]
    if confined:
        for output in outputs:
            _refuse_escape(file, output)
    try:
        options: list[FormatOption | OutputOption] = [
            *map(FormatOption, formats),
            *map(OutputOption, outputs),
        ]
        documents = pair(options) if len(outputs) <= 1 or len(outputs) == len(formats) else None
    except ConfigurationError as error:
        raise ConfigurationError(f"{file}: {error}") from None
    if documents is None:
        raise ConfigurationError(f"{file}: output names {len(outputs)} files, format {len(formats)} formats")
    baseline = reader.paths("baseline")
    address, severity = reader.text("link-base"), reader.text("fail-on")
    if address is not None:
        check_link_base(address)
    if severity is not None and severity not in list(Severity):
        raise reader.fault("fail-on", f"one of {', '.join(Severity)}")
    return Settings(
        documents=tuple(documents),
        fail_under=reader.percent("fail-under"),
        fail_on=Severity(severity) if severity else None,
        fail_on_new=reader.switch("fail-on-new"),
        baseline=baseline[0] if baseline else None,
        rules=tuple(reader.paths("rules")),
        link_base=address,
        date=reader.day("date"),
        allow_no_jobs=reader.switch("allow-no-jobs"),
        jobs=tuple(reader.texts("job")),
        quiet=reader.switch("quiet"),
        no_color=reader.switch("no-color"),
        waivers=tuple(_waivers(reader, file, target)),
    )


def _waivers(reader: _Reader, file: Path, target: Path) -> Iterator[Waiver]:
    """Read ``[[waive]]``: which checks, for which jobs, and why; without a reason nothing is waived."""
    entries = reader.tables("waive")
    heads = list(_WAIVER_HEAD.finditer(text := file.read_text(encoding="utf-8")))
    place, folder = Path(os.path.realpath(file)), Path(os.path.realpath(target))
    path = place.relative_to(folder).as_posix() if place.is_relative_to(folder) else file.as_posix()
    for position, entry in enumerate(entries):
        for key in entry:
            if key not in _WAIVER_KEYS:
                raise ConfigurationError(
                    f"{file}: unknown key {key!r} in waive{suggestion(key, _WAIVER_KEYS)}"
                )
        waiver = _Reader(file, entry)
        job, checks, reason = waiver.text("job"), waiver.texts("checks"), waiver.text("reason")
        if not (job and checks and reason and reason.strip()):
            raise ConfigurationError(f"{file}: waive number {position + 1} needs job, checks and reason")
        # tomllib tells no lines; inline tables have no head of their own.
        line = text.count("\n", 0, heads[position].start()) + 1 if len(heads) == len(entries) else 1
        yield Waiver(job, tuple(checks), reason.strip(), path, line)


def _refuse_escape(file: Path, output: str) -> None:
    """Keep a cloned repository from writing to the home of whoever audits it."""
    folder = Path(os.path.realpath(file.parent))
    if output != "-" and not Path(os.path.realpath(output)).is_relative_to(folder):
        raise ConfigurationError(
            f"{file}: output {output} lies outside of the target; --config {file} allows it"
        )


class _Reader:
    """Reads values of the kinds that options have; a wrong one is an error that names file and key."""

    def __init__(self, file: Path, table: Mapping[str, Any]) -> None:
        self._file = file
        self._table = table

    def fault(self, key: str, wanted: str) -> ConfigurationError:
        return ConfigurationError(f"{self._file}: {key} = {self._table[key]!r} is not {wanted}")

    def text(self, key: str) -> str | None:
        value = self._table.get(key)
        if value is None or isinstance(value, str):
            return value
        raise self.fault(key, "a string")

    def texts(self, key: str) -> list[str]:
        value = self._table.get(key, [])
        if isinstance(value, str):
            return [value]
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return list(value)
        raise self.fault(key, "a string or a list of strings")

    def paths(self, key: str, keep: str | None = None) -> list[Path]:
        """Paths are relative to the file that states them."""
        return [Path(text) if text == keep else self._file.parent / text for text in self.texts(key)]

    def tables(self, key: str) -> list[dict[str, Any]]:
        value = self._table.get(key, [])
        if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
            return value
        raise self.fault(key, "a list of tables")

    def switch(self, key: str) -> bool | None:
        value = self._table.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self.fault(key, "true or false")

    def percent(self, key: str) -> int | None:
        value = self._table.get(key)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100:
            return value
        raise self.fault(key, "a whole number from 0 to 100")

    def day(self, key: str) -> str | None:
        value = self._table.get(key)
        return value.isoformat() if type(value) is date else self.text(key)
