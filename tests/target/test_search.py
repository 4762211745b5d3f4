from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping

import pytest

from cronaudit.model.source import Language, Role
from cronaudit.target import Edges, Tree, search
from cronaudit.target.search import HAS_AUTOMATON, AhoMatcher, AlternationMatcher, matcher

Walk = Callable[[Mapping[str, str]], Tree]

SOURCE = {
    "src/jobs.ts": "import cron from 'node-cron';\ncron.schedule('* * * * *', run);\nmicron(); cronjob();\n",
    "src/timer.js": "setInterval(run, 1000); window.clearInterval(x);\n",
    "src/poll.js": "setInterval(run, 1000);\n",
    "app/tasks.py": "@app.task\ndef run(): ...\n",
    "test/jobs.test.ts": "cron.schedule()\n",
    "Dockerfile": "RUN cron\n",
}


def test_tokens_are_found_as_words_by_file_and_offset(tree: Walk) -> None:
    hits = search(tree(SOURCE), [b"cron", b"cron.schedule", b"node-cron", b"setInterval", b"@app.task"])
    assert dict(hits.by_file) == {
        "app/tasks.py": ((b"@app.task", 0),),
        "src/jobs.ts": (
            (b"cron", 7),
            (b"node-cron", 18),
            (b"cron", 23),
            (b"cron", 30),
            (b"cron.schedule", 30),
        ),
        "src/poll.js": ((b"setInterval", 0),),
    }
    assert list(hits) == ["app/tasks.py", "src/jobs.ts", "src/poll.js"]
    assert hits.in_file("src/poll.js") == ((b"setInterval", 0),)
    assert hits.in_file("src/timer.js") == ()
    assert hits.files_with(b"setInterval", b"@app.task") == ("app/tasks.py", "src/poll.js")
    assert hits.files_with(b"unknown") == ()
    assert len(hits) == 3


def test_any_edges_find_parts_of_words(tree: Walk) -> None:
    hits = search(tree(SOURCE), [b"cron"], edges=Edges.ANY)
    assert hits.in_file("src/jobs.ts") == tuple((b"cron", offset) for offset in (7, 23, 30, 65, 73))


def test_roles_and_languages_narrow_the_search(tree: Walk) -> None:
    walked = tree(SOURCE)
    assert list(search(walked, [b"cron"], roles=frozenset({Role.TEST}))) == ["test/jobs.test.ts"]
    assert list(
        search(walked, [b"cron"], languages=frozenset({Language.DOCKERFILE}), roles=frozenset({Role.DEPLOY}))
    ) == ["Dockerfile"]
    assert list(search(walked, [b"setInterval"], roles=frozenset({Role.BROWSER}))) == ["src/timer.js"]


def test_nothing_wanted_nothing_found(tree: Walk) -> None:
    assert len(search(tree(SOURCE), [])) == 0


def test_an_empty_token_is_an_error(tree: Walk) -> None:
    with pytest.raises(ValueError, match="an empty token is in every file"):
        search(tree(SOURCE), [b"cron", b""])


@pytest.mark.skipif(not HAS_AUTOMATON, reason="no wheel of ahocorasick_rs")
@pytest.mark.parametrize(
    ("tokens", "content", "found"),
    [
        ([b"cron", b"cron.schedule", b"schedule"], b"cron.schedule", [(0, 0), (1, 0), (2, 5)]),
        ([b"aa", b"a"], b"aaa", [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]),
        ([b"abcd", b"bc", b"cde"], b"abcde", [(0, 0), (1, 1), (2, 2)]),
        ([b"@Cron(", b"a.b*"], b"x @Cron( a.b* aXb", [(0, 2), (1, 9)]),
        ([b"none"], b"nothing here", []),
        ([b"caf\xc3\xa9", b"\xff"], b"caf\xc3\xa9 \xff\x00", [(0, 0), (1, 6)]),
    ],
)
def test_both_matchers_agree(tokens: list[bytes], content: bytes, found: list[tuple[int, int]]) -> None:
    assert sorted(AhoMatcher(tokens).find(content)) == found
    assert sorted(AlternationMatcher(tokens).find(content)) == found


def test_without_the_wheel_the_alternation_is_used(tree: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = [b"cron", b"cron.schedule", b"node-cron", b"setInterval"]
    expected = search(tree(SOURCE), tokens)
    monkeypatch.setattr(importlib.import_module("cronaudit.target.search"), "HAS_AUTOMATON", False)
    assert isinstance(matcher(tokens), AlternationMatcher)
    assert search(tree(SOURCE), tokens).by_file == expected.by_file
