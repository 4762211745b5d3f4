from __future__ import annotations

import json
from pathlib import Path

import pytest

from cronaudit.knowledge.form import from_form, to_form
from cronaudit.knowledge.loader import KnowledgeError, compile_libraries, load
from cronaudit.knowledge.parts import FORMS
from cronaudit.knowledge.selectors import ROOTS

EFFECTS = """
effects:
  lock.acquire:
    doc: Locks.
    params:
      key: {type: value, doc: The key.}
      ttl: {type: duration, doc: How long.}
      kind: {type: word, words: [session, row], doc: The kind.}
      renews: {type: flag, doc: Whether.}
options:
  attempts: {type: value, doc: How often.}
settings:
  timezone: {doc: The zone.}
  databases: {doc: The databases., parts: {pool: The pool.}, means: {file: One file.}}
"""
GOOD = """
title: Good
ecosystem: npm
tokens: [good]
schedulers:
  - call: good:schedule
    kind: good
    schedule: [{cron: args.0, dialect: seconds6}, {every: args.0, unit: ms}]
    name: [args.2.name, args.2.id]
    handler: args.1
    when: {args.2.off: {not: true}, args.1: present, args.0: [a, b], has: NX}
    options: {attempts: args.2.attempts}
    traits: {runner.library: in-process, lock.ttl_seconds: 30}
effects:
  - {call: "good:lock", effect: lock.acquire, key: args.0, kind: row, renews: true,
     ttl: [args.1 s, {select: args.2, unit: ms}]}
settings:
  timezone: {names: [GOOD_ZONE, zone], default: UTC}
  databases: {names: [BASES], parts: {pool: OPTIONS.pool}, means: {file: [sqlite, duckdb]}}
"""


def folder(tmp_path: Path, library: str = GOOD, effects: str = EFFECTS, name: str = "good") -> Path:
    (tmp_path / "libraries").mkdir(parents=True, exist_ok=True)
    (tmp_path / "effects.yaml").write_text(effects)
    (tmp_path / "libraries" / f"{name}.yaml").write_text(library)
    return tmp_path


def problems(tmp_path: Path, library: str, effects: str = EFFECTS) -> list[str]:
    with pytest.raises(KnowledgeError) as caught:
        load([folder(tmp_path, library, effects)])
    return [f"{Path(p.path).name}:{p.line}: {p.message}" for p in caught.value.problems]


def test_a_library(tmp_path: Path) -> None:
    (library,) = load([folder(tmp_path)]).libraries
    assert (library.id, library.title, library.ecosystem, library.tokens) == (
        "good",
        "Good",
        "npm",
        ("good",),
    )
    (scheduler,) = library.schedulers
    assert (scheduler.kind, scheduler.how, scheduler.starts, scheduler.family) == (
        "good",
        "call",
        "call",
        None,
    )
    assert [(p.form, p.select.text, p.select.unit, p.dialect) for p in scheduler.schedule] == [
        ("cron", "args.0", None, "seconds6"),
        ("every", "args.0 ms", "ms", "unix5"),
    ]
    assert [s.text for s in scheduler.name] == ["args.2.name", "args.2.id"]
    assert [(c.select.text, c.test, c.values) for c in scheduler.when] == [
        ("args.2.off", "not", (True,)),
        ("args.1", "present", ()),
        ("args.0", "in", ("a", "b")),
        ("args", "has", ("NX",)),
    ]
    assert scheduler.traits == (("runner.library", "in-process"), ("lock.ttl_seconds", 30))
    assert [(n, [s.text for s in v]) for n, v in scheduler.options] == [("attempts", ["args.2.attempts"])]
    (effect,) = library.effects
    assert [(s.text, s.unit) for s in effect.param("ttl")] == [("args.1 s", "s"), ("args.2 ms", "ms")]
    assert (effect.word("kind"), effect.word("renews"), effect.word("key")) == ("row", True, None)
    assert [(s.what, s.names, s.default, s.part("pool")) for s in library.settings] == [
        ("timezone", ("GOOD_ZONE", "zone"), "UTC", ()),
        ("databases", ("BASES",), None, ("OPTIONS", "pool")),
    ]
    assert [s.means for s in library.settings] == [(), (("file", ("sqlite", "duckdb")),)]


def test_the_compiled_form_says_the_same(tmp_path: Path) -> None:
    base = load([folder(tmp_path)])
    assert from_form(json.loads(json.dumps(to_form(base)))) == base


def test_what_a_library_is_found_by(tmp_path: Path) -> None:
    library = """
title: T
ecosystem: npm
aliases: {"a:": ["b:"]}
effects:
  - {call: ["b:x", "c:{d,e}().y"], effect: lock.acquire}
  - {call: "*.{takeLock,holdLock}", effect: lock.acquire}
  - {call: "c:z", effect: lock.acquire, untyped: true}
folds:
  - {call: "f:g", operation: first}
"""
    (found,) = load([folder(tmp_path, library)]).libraries
    assert found.roots == ("a", "c", "f")
    assert found.methods == ("holdLock", "takeLock", "z")


def test_a_compiled_form_is_taken_while_it_fits(tmp_path: Path) -> None:
    root = folder(tmp_path / "rules")
    cache = tmp_path / "cache"
    base = load([root], cache)
    (kept,) = cache.iterdir()
    document = json.loads(kept.read_text())
    document["form"][0] = "taken"
    kept.write_text(json.dumps(document))
    assert load([root], cache).digest == "taken"
    folder(root, GOOD + "# a comment")
    assert load([root], cache) == base


def test_a_form_that_is_none_is_made_again(tmp_path: Path) -> None:
    root, cache = folder(tmp_path / "rules"), tmp_path / "cache"
    base = load([root], cache)
    (kept,) = cache.iterdir()
    document = json.loads(kept.read_text())
    kept.write_text(json.dumps({**document, "form": [1]}))
    assert load([root], cache) == base
    kept.write_text("{")
    assert load([root], cache) == base


def test_the_form_in_a_wheel(tmp_path: Path) -> None:
    root = folder(tmp_path / "_rules")
    compile_libraries(root, root / "libraries.json")
    document = json.loads((root / "libraries.json").read_text())
    document["form"][0] = "shipped"
    (root / "libraries.json").write_text(json.dumps(document))
    assert load([root]).digest == "shipped"


def test_a_later_folder_replaces_and_adds(tmp_path: Path) -> None:
    first = folder(tmp_path / "rules")
    own = tmp_path / "own"
    (own / "libraries").mkdir(parents=True)
    (own / "libraries" / "good.yaml").write_text("title: Own\necosystem: npm\n")
    (own / "libraries" / "more.yaml").write_text("title: More\necosystem: pypi\n")
    assert [(li.id, li.title) for li in load([first, own]).libraries] == [("good", "Own"), ("more", "More")]


def test_comments_do_not_change_the_digest(tmp_path: Path) -> None:
    before = load([folder(tmp_path)]).digest
    assert load([folder(tmp_path, "# a comment\n" + GOOD)]).digest == before
    assert load([folder(tmp_path, GOOD.replace("args.1 s", "args.3 s"))]).digest != before


HEAD = "title: T\necosystem: npm\ntokens: [t]\n"


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        ("ecosystem: npm\n", ["good.yaml:1: library without `title`"]),
        ("title: T\necosystem: nmp\n", ["good.yaml:2: unknown ecosystem 'nmp'; did you mean 'npm'?"]),
        ("title: T\necosystem: npm\ntitel: x\n",
         ["good.yaml:3: unknown key `titel` in library; did you mean 'title'?"]),
        ("title: 3\necosystem: npm\n", ["good.yaml:1: `title` must be a text, not 3: quote it"]),
        ("title: T\necosystem: npm\nversions: new\n",
         ["good.yaml:3: `new` is no range of versions: like >=1 <6"]),
        ("[]", ["good.yaml:1: library must be a mapping"]),
        ("", ["good.yaml:1: empty file"]),
        ("title: T\ntitle: U\necosystem: npm\n", ["good.yaml:2: `title` is stated twice"]),
        (HEAD + "effects:\n  - {call: 'a:b', effect: lock.aquire, key: args.0}\n",
         ["good.yaml:5: unknown effect 'lock.aquire'; did you mean 'lock.acquire'?"]),
        (HEAD + "effects:\n  - {call: 'a:b', effect: lock.acquire, kye: args.0}\n",
         ["good.yaml:5: lock.acquire has no parameter `kye`; did you mean 'key'?"]),
        (HEAD + "effects:\n  - {call: 'a:b', effect: lock.acquire, kind: lease}\n",
         ["good.yaml:5: kind: unknown word 'lease' (one of session, row)"]),
        (HEAD + "effects:\n  - {call: 'a:b', effect: lock.acquire, renews: maybe}\n",
         ["good.yaml:5: `renews` must be true or false"]),
        (HEAD + "effects:\n  - {call: 'a:b', effect: lock.acquire, key: arg.0}\n",
         [f"good.yaml:5: `arg.0`: a selector begins with one of {', '.join(ROOTS)}"]),
        (HEAD + "effects:\n  - {call: 'a:b', effect: lock.acquire, ttl: {select: args.0, unit: sec}}\n",
         ["good.yaml:5: unknown unit 'sec' (one of ms, s, min, h, d)"]),
        (HEAD + "effects:\n  - {call: a.b, effect: lock.acquire}\n",
         ["good.yaml:5: `a.b` is no path: like package:member().method"]),
        (HEAD + "effects:\n  - {effect: lock.acquire}\n", ["good.yaml:5: effect without `call`"]),
        (HEAD + "effects:\n  - {call: 'a:b', effect: lock.acquire, when: {args.0: {iss: 1}}}\n",
         ["good.yaml:5: unknown test 'iss'; did you mean 'is'?"]),
        (HEAD + "effects:\n  - {call: 'a:b', effect: lock.acquire, when: {args.0: {kind: str}}}\n",
         ["good.yaml:5: unknown kind 'str' (one of text, number, bool, function, object, list)"]),
        (HEAD + "effects:\n  - {call: 'a:b', effect: lock.acquire, when: {args.0: {matches: '('}}}\n",
         ["good.yaml:5: `(` is no regular expression: missing ), unterminated subpattern at position 0"]),
        (HEAD + "schedulers:\n  - {call: 'a:b', kind: k, schedule: [{cron: args.0, dialect: unix6}]}\n",
         ["good.yaml:5: unknown dialect 'unix6'; did you mean 'unix5'?"]),
        (HEAD + "schedulers:\n  - {call: 'a:b', kind: k, schedule: [{crn: args.0}]}\n",
         ["good.yaml:5: a schedule is stated as one of " + ", ".join(FORMS)]),
        (HEAD + "schedulers:\n  - {call: 'a:b', kind: k, name: value.a.*}\n",
         ["good.yaml:5: `*` goes over the rows of `entries` only"]),
        (HEAD + "schedulers:\n  - {call: 'a:b', kind: k, how: cal}\n",
         ["good.yaml:5: unknown how 'cal'; did you mean 'call'?"]),
        (HEAD + "schedulers:\n  - {call: 'a:b', kind: k, options: {attempt: args.0}}\n",
         ["good.yaml:5: unknown option 'attempt'; did you mean 'attempts'?"]),
        (HEAD + "schedulers:\n  - {call: 'a:b', kind: k, traits: {runner.libary: own}}\n",
         ["good.yaml:5: unknown field 'runner.libary'; did you mean 'runner.library'?"]),
        (HEAD + "schedulers:\n  - {call: 'a:b', kind: k, traits: {runner.library: mine}}\n",
         ["good.yaml:5: runner.library: unknown word 'mine' (one of production, in-process, own-queue, own)"]),
        (HEAD + "schedulers:\n  - {call: 'a:b', kind: k, traits: {lock.ttl_seconds: '30'}}\n",
         ["good.yaml:5: lock.ttl_seconds: '30' is not of its type"]),
        ("title: T\necosystem: npm\nschedulers:\n  - {call: 'a:b', kind: k}\n",
         ["good.yaml:1: a library with schedulers needs `tokens`, or no file is ever searched for it"]),
        (HEAD + "schedulers:\n  - {call: 'config.x', how: export, kind: k}\n",
         ["good.yaml:5: `config.x`: an export is written `export:name`"]),
        (HEAD + "folds:\n  - {call: 'a:b', operation: duration}\n",
         ["good.yaml:5: unknown operation 'duration'; did you mean 'duration-text'?"]),
        (HEAD + "settings:\n  timezon: {names: [TZ]}\n",
         ["good.yaml:5: unknown setting 'timezon'; did you mean 'timezone'?"]),
        (HEAD + "settings:\n  timezone: {default: UTC}\n", ["good.yaml:5: setting without `names`"]),
        (HEAD + "settings:\n  databases: {names: [D], parts: {pol: p}}\n",
         ["good.yaml:5: databases has no part `pol`; did you mean 'pool'?"]),
        (HEAD + "settings:\n  databases: {names: [D], means: {fil: [sqlite]}}\n",
         ["good.yaml:5: databases cannot mean `fil`; did you mean 'file'?"]),
        (HEAD + "aliases: {'a:': ['a:']}\n", ["good.yaml:4: `a:` is its own alias"]),
        (HEAD + "effects: {}\n", ["good.yaml:4: `effects` must be a list"]),
        (HEAD + "effects: [x]\n", ["good.yaml:4: an entry of `effects` must be a mapping"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, library: str, expected: list[str]) -> None:
    assert problems(tmp_path, library) == expected


def test_what_is_no_yaml_is_said_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "title: T\necosystem: [")
    assert problem.startswith("good.yaml:")
    assert ": not YAML: " in problem


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    library = "titel: T\necosystem: npm\neffects:\n  - {call: 'a:b', effect: x}\n"
    assert problems(tmp_path, library) == [
        "good.yaml:1: library without `title`",
        "good.yaml:1: unknown key `titel` in library; did you mean 'title'?",
        "good.yaml:4: unknown effect 'x'",
    ]


def test_the_vocabulary_is_checked_too(tmp_path: Path) -> None:
    params = "      b: {type: wrod, doc: B.}\n      c: {type: word, doc: C.}\n"
    effects = f"effects:\n  a:\n    doc: A.\n    params:\n{params}"
    assert problems(tmp_path, "title: T\necosystem: npm\n", effects) == [
        "effects.yaml:5: unknown type 'wrod'; did you mean 'word'?",
        "effects.yaml:6: `words` go with `type: word`",
    ]


def test_files_that_would_not_be_read(tmp_path: Path) -> None:
    root = folder(tmp_path)
    (root / "libraries" / "x.yml").write_text("")
    with pytest.raises(KnowledgeError) as caught:
        load([root])
    assert [p.message for p in caught.value.problems] == ["would not be read: library files are .yaml"]
