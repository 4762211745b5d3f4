"""Which documents a scan writes, and writing them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct

from cronaudit.commands.running import emit
from cronaudit.model.options import ConfigurationError
from cronaudit.report.formats import FORMATS

STDOUT = "-"


class FormatOption(Struct, frozen=True):
    """``--format NAME``, in its place on the command line."""

    name: str


class OutputOption(Struct, frozen=True):
    """``-o FILE``, in its place on the command line."""

    file: str


class Document(Struct, frozen=True):
    """A document to write."""

    format: str
    """A key of `FORMATS`."""
    output: Path | None
    """None is standard output."""


def pair(options: Sequence[FormatOption | OutputOption]) -> list[Document]:
    """Pair formats with files.

    As many files as formats: the first with the first, and so on. Fewer files: each belongs to the format before it,
    and a format without one goes to standard output. A file without any format is in the format of its ending.
    """
    formats = [option.name for option in options if isinstance(option, FormatOption)]
    outputs = [option.file for option in options if isinstance(option, OutputOption)]
    if not formats:
        return _checked([Document(_format_by_ending(file), _path(file)) for file in outputs])
    if len(outputs) == len(formats):
        return _checked([Document(n, _path(f)) for n, f in zip(formats, outputs, strict=True)])
    if len(outputs) > len(formats):
        raise ConfigurationError(f"{len(outputs)} times -o for {len(formats)} times --format")
    paired: list[Document] = []
    for position, option in enumerate(options):
        before = options[position - 1] if position else None
        match option, before:
            case FormatOption(name), _:
                paired.append(Document(name, None))
            case OutputOption(file), FormatOption(name):
                paired[-1] = Document(name, _path(file))
            case OutputOption(file), _:
                raise ConfigurationError(
                    f"-o {file} does not say which --format it is for: put it behind that one"
                )
    return _checked(paired)


def _checked(documents: list[Document]) -> list[Document]:
    for document in documents:
        if document.format not in FORMATS:
            raise ConfigurationError(
                f"unknown format {document.format!r}{suggestion(document.format, FORMATS)}"
            )
    places = [
        os.path.realpath(document.output) if document.output else "standard output" for document in documents
    ]
    for place in places:
        if places.count(place) > 1:
            raise ConfigurationError(f"two documents would go to {place}: give each --format its own -o")
    for document in documents:
        if document.output:
            check_writable(document.output)
    return documents


def _path(file: str) -> Path | None:
    return None if file == STDOUT else Path(file)


def _format_by_ending(file: str) -> str:
    ending = Path(file).suffix.lower()
    for name, described in FORMATS.items():
        if ending in described.suffixes:
            return name
    raise ConfigurationError(f"-o {file} does not say its format: add --format, one of {', '.join(FORMATS)}")


def suggestion(word: str, known: Iterable[str]) -> str:
    """``, did you mean 'markdown'?``, else what there is to choose from."""
    choices = list(known)
    if close := get_close_matches(word, choices, n=1):
        return f", did you mean {close[0]!r}?"
    return f": one of {', '.join(choices)}"


def check_writable(file: Path) -> None:
    """Complain before the audit runs, not after it."""
    if file.is_dir():
        raise ConfigurationError(f"{file} is a folder")
    if not file.parent.is_dir():
        raise ConfigurationError(f"{file.parent} is no folder: create it, {file.name} goes there")


def write(output: Path | None, text: str) -> None:
    """Write a document as a whole or not at all: who reads at that moment gets the old one or the new one."""
    if output is None:
        emit(text)
        return
    data = text.encode("utf-8", "backslashreplace")
    place = Path(os.path.realpath(output))  # a link stays one
    try:
        if place.exists() and not place.is_file():  # /dev/stderr, a named pipe: nothing to rename over
            place.write_bytes(data)
            return
        # Not `tempfile`: its files are readable by their owner only, and the report is for the team.
        draft = place.with_name(f".{place.name}.{os.urandom(4).hex()}")
        try:
            draft.write_bytes(data)
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"cannot write {output}: {error.strerror or error}") from error
