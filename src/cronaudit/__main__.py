"""The program: what `cronaudit` and `python -m cronaudit` run."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command line."""
    # One short run, whose objects all live to its end: looking for cycles while modules are imported costs 100 ms.
    gc.disable()
    from cronaudit.cli import main as run

    run()


if __name__ == "__main__":
    main()
