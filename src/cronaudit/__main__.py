"""The program: what `cronaudit` and `python -m cronaudit` run."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line."""
    # One short run, whose objects all live to its end: looking for cycles while modules are imported costs 100 ms.
    gc.disable()
    from cronaudit.cli import main as run

    try:
        run()
    except SystemExit as end:
        if isinstance(end.code, str):  # the interpreter prints it
            raise
        code = end.code or 0
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    # Nor are they taken apart one by one, which takes 200 ms: they go with the process, as mypy's do.
    os._exit(code)


if __name__ == "__main__":
    main()
