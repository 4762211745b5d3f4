"""Writing into somebody's source: as a whole or not at all, and only over what was read."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


class UntouchedError(Exception):
    """A file that was not written; the message says why."""


def replace_content(file: Path, before: bytes, after: bytes) -> None:
    """Replace the content of a file in one move, its mode kept.

    Raises:
        UntouchedError: the file is not what was read any more, or cannot be written.

    """
    try:
        state = file.lstat()
        if not stat.S_ISREG(state.st_mode):
            raise UntouchedError("it is no regular file any more")
        if not os.access(file, os.W_OK):
            raise UntouchedError("it is read-only")
        draft = file.with_name(f".{file.name}.{os.urandom(4).hex()}")
        try:
            _write(draft, after, state)
            # As late as can be: whoever saved the file since it was read keeps what they wrote.
            if file.read_bytes() != before:
                raise UntouchedError("it changed meanwhile; run fix again")
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UntouchedError(error.strerror or str(error)) from error


def _write(draft: Path, content: bytes, state: os.stat_result) -> None:
    with draft.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.chmod(stat.S_IMODE(state.st_mode))
    if hasattr(os, "chown") and (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):
            os.chown(draft, state.st_uid, state.st_gid)
