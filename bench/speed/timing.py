"""Times commands with hyperfine, or by itself where that is not installed."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall-clock seconds of one command."""

    median: float
    fastest: float
    exit_code: int


def timer() -> str:
    """What does the timing, in words for the report."""
    if shutil.which("hyperfine"):
        return "hyperfine"
    return "a loop of the benchmark itself: hyperfine is not installed"


def measure(command: list[str], *, runs: int, warmup: int = 1) -> Timing:
    """Runs a command; its median over the runs that follow the warm-up."""
    return (_hyperfine if shutil.which("hyperfine") else _loop)(command, runs, warmup)


def _hyperfine(command: list[str], runs: int, warmup: int) -> Timing:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "timing.json"
        # -N: no shell between, whose own start would be most of what a small tree costs.
        options = ["--warmup", str(warmup), "--runs", str(runs), "--ignore-failure", "-N", "--style", "none"]
        quoted = " ".join(f"'{word}'" for word in command)
        subprocess.run(
            ["hyperfine", *options, "--export-json", str(report), quoted], check=True, capture_output=True
        )
        (result,) = json.loads(report.read_text(encoding="utf-8"))["results"]
    return Timing(result["median"], result["min"], max(result["exit_codes"]))


def _loop(command: list[str], runs: int, warmup: int) -> Timing:
    times = []
    code = 0
    for run in range(warmup + runs):
        began = time.perf_counter()
        code = subprocess.run(command, check=False, capture_output=True).returncode
        if run >= warmup:
            times.append(time.perf_counter() - began)
    return Timing(statistics.median(times), min(times), code)
