"""Work that is reached through an object which a program hands around, or another process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recognition.small_trees import discover

PACKAGE = '{"main": "main.js", "dependencies": {"pg": "8"}}'


def test_what_another_part_puts_on_the_object_that_is_handed_around(tmp_path: Path) -> None:
    files = {
        "package.json": PACKAGE,
        "main.js": """
            const Env = require('./env').create();
            require('./store').install(Env);
            require('./keeper').create(Env);
        """,
        "env.js": "exports.create = () => { const Env = { limit: 3 }; return Env; };",
        "store.js": """
            const { Pool } = require('pg');
            const pool = new Pool();
            exports.install = (Env) => {
              Env.sweepOld = (done) => { pool.query('delete from pads').then(() => done()); };
              Env.countActive = () => Env.limit + 1;
            };
        """,
        "keeper.js": """
            exports.create = (Env) => {
              setInterval(() => { Env.sweepOld((err) => { if (err) { console.error(err); } }); }, 300000);
              setInterval(() => { Env.countActive(); }, 10000);
            };
        """,
    }
    found = discover(tmp_path, files)
    assert [(j.schedule, j.at) for j in found.jobs] == [("300 s", "keeper.js:2")]


@pytest.mark.parametrize(
    ("work", "is_job"),
    [
        ("parts.index.rebuild((err) => { if (err) throw err; })", True),
        ("parts.index.getSize((err, size) => { report(size); })", False),
        ("parts.channel.send('getStatus', (err, status) => { report(status); })", False),
        ("parts.index.rebuild((size) => { report(size); })", False),
        ("parts.worker.send({ order: 'sweep' })", True),
        ("parts.socket.send({ order: 'sweep' })", False),
        ("await parts.tokens.delete('old')", True),
        ("parts.tokens.delete('old')", False),
    ],
)
def test_what_a_call_of_something_unknown_tells(tmp_path: Path, work: str, is_job: bool) -> None:
    files = {
        "package.json": PACKAGE,
        "main.js": """
            const report = (size) => { report.last = size; };
            module.exports = (parts) => { setInterval(async () => { WORK; }, 60000); };
        """.replace("WORK", work),
    }
    assert [j.schedule for j in discover(tmp_path, files).jobs] == (["60 s"] if is_job else [])


def test_the_work_and_not_what_is_told_of_its_failure(tmp_path: Path) -> None:
    files = {
        "package.json": PACKAGE,
        "main.js": """
            const quota = require('./quota');
            const Env = { limits: {}, warn: (label, e) => { console.error(label, e); } };
            exports.start = (Env) => {
              const ping = () => { quota.pingAll(Env, (e) => { if (e) { Env.warn('ping', e); } }); };
              setInterval(ping, 86400000);
            };
            exports.start(Env);
        """,
        "quota.js": """
            const { Pool } = require('pg');
            const pool = new Pool();
            exports.pingAll = (Env, done) => {
              if (!Env.limits) { return void done(); }
              pool.query('update accounts set seen = now()').then(() => done());
            };
        """,
    }
    job = discover(tmp_path, files).only()
    assert (job.runs, job.schedule) == ("pingAll", "86400 s")
