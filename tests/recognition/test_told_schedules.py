"""Schedules that branches choose: told where the word is known, and open where it is one of several."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

HEAD = """
    const cron = require('node-cron');
    const { readFile, unlink } = require('fs/promises');
    const patternOf = (every) => {
      let pattern = false;
      if (every === 'hourly') {
        pattern = '0 * * * *';
      }
      if (every === 'daily') {
        pattern = '0 0 * * *';
      }
      return pattern;
    };
    const sweep = async () => { await unlink('old'); };
    const settings = JSON.parse(process.argv[2]);
"""


def _schedules(tmp_path: Path, code: str) -> list[str]:
    files = {
        "package.json": '{"main": "main.js", "dependencies": {"node-cron": "3", "pg": "8"}}',
        "main.js": f"{HEAD}    {code}\n",
    }
    return [j.schedule for j in discover(tmp_path, files).jobs]


@pytest.mark.parametrize(
    ("code", "schedule"),
    [
        ("cron.schedule(patternOf('hourly'), sweep);", "0 * * * *"),
        ("cron.schedule(patternOf('daily'), sweep);", "0 0 * * *"),
        ("const every = settings.every || 'daily'; cron.schedule(patternOf(every), sweep);", "0 0 * * *"),
        ("cron.schedule(patternOf(settings.every), sweep);", "open"),
        (
            "const every = settings.every ? settings.every : false; cron.schedule(patternOf(every), sweep);",
            "open",
        ),
        ("cron.schedule(patternOf(settings.early ? 'hourly' : settings.every), sweep);", "open"),
        ("cron.schedule(settings.often ? '* * * * *' : '0 * * * *', sweep);", "open"),
        ("setInterval(sweep, process.env.NODE_ENV === 'test' ? 2 : 10000);", "10 s"),
        ("setInterval(sweep, process.env.NODE_ENV !== 'production' ? 2 : 10000);", "10 s"),
        (
            (
                "const stage = process.env.NODE_ENV || 'development';"
                " setInterval(sweep, stage === 'development' ? 2 : 10000);"
            ),
            "10 s",
        ),
        ("setInterval(sweep, process.env.REGION === 'eu' ? 2000 : 10000);", "open"),
        (
            "const rest = next() - Date.now(); setInterval(sweep, rest > 0 ? rest : 1000);",
            "open",
        ),
    ],
)
def test_what_a_branch_says(tmp_path: Path, code: str, schedule: str) -> None:
    assert _schedules(tmp_path, code) == [schedule]
