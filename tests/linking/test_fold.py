"""What expressions come to."""

from __future__ import annotations

import pytest

from cronaudit.model.value import Known, Lazy
from tests.linking.conftest import Link


def probe(linked: Link, code: str, **files: str) -> list[object]:
    others = {name.replace("__", "/") + ".ts": text for name, text in files.items()}
    return linked({"src/main.ts": code, **{f"src/{k}": v for k, v in others.items()}}).probe("src/main.ts")


# ---- numbers and texts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("5 * 60 * 1000", 300_000),
        ("60 * 60 * 24 * 7", 604_800),
        ("1000 * 60 / 2", 30_000),
        ("(2 + 3) * 10", 50),
        ("2 ** 10", 1024),
        ("7 % 4", 3),
        ("-5", -5),
        ("~~5.5 === 0", "unknown: "),
        ("1_000_000", 1_000_000),
        ("6e4", 60_000),
        ("0x10", 16),
        ("1 << 4", 16),
        ("1 / 0", "unknown: "),
        ("Number('5') * 60", 300),
        ("parseInt('15', 10)", 15),
        ("+'7'", 7),
        ("Math.floor(2.9) + Math.max(1, 2)", 4),
        ("Number('five')", "unknown: "),
        ("'a' + 1 + 'b'", "a1b"),
        ("`every ${2 + 3} s`", "every 5 s"),
        ("['0', '*/' + 5, '*', '*', '*'].join(' ')", "0 */5 * * *"),
        ("'  x '.trim().toUpperCase()", "X"),
        ("'a_b_c'.replace('_', '-')", "a-b_c"),
        ("'a_b_c'.replaceAll('_', '-')", "a-b-c"),
        ("'a_b_c'.replace(/_/g, '-')", "unknown: replace of a text"),
        ("true ? 1 : 2", 1),
        ("'' || 'd'", "d"),
        ("0 || 5", 5),
        ("0 ?? 5", 0),
        ("null ?? 5", 5),
        ("undefined ?? 5", 5),
        ("(1, 2)", 2),
        ("3 as unknown as number", 3),
        ("<number>4", 4),
        ("five!", "five"),
    ],
)
def test_expressions(linked: Link, code: str, value: object) -> None:
    (found,) = probe(linked, f"probe({code});")

    if value == "unknown: ":
        assert str(found).startswith("unknown: ")
    else:
        assert (type(found), found) == (type(value), value)


def test_constants_across_files_keep_where_they_are_stated(linked: Link) -> None:
    tree = linked(
        {
            "src/time.ts": "export const MINUTE = 60 * 1000;\nexport const HOUR =\n  60 * MINUTE;",
            "src/config.ts": (
                "import { HOUR } from './time';\nexport const config = {\n  sweep: { every: 2 * HOUR },\n};"
            ),
            "src/main.ts": "import { config } from './config';\nprobe(config.sweep.every);",
        }
    )
    call, node = tree.calls("src/main.ts", "probe")[0]
    (every,) = tree.index.arguments(call, tree.index.scope_of(node)).positional
    value = tree.index.force(every)

    assert isinstance(every, Lazy)
    assert isinstance(value, Known)
    assert value.value == 7_200_000
    assert value.at is not None
    assert (value.at.path, value.at.line) == ("src/time.ts", 1)


def test_templates_with_parts_that_stay_open(linked: Link) -> None:
    code = "function f(id: string) { probe(`lock:${id}:${process.env.STAGE}:${1}`, 'a' + id); }"

    assert probe(linked, code) == ["lock:${?id}:${env STAGE}:1", "a${?id}"]


# ---- objects and lists --------------------------------------------------------------------------------------------


def test_spread_takes_the_later_value(linked: Link) -> None:
    code = """
        const DEFAULTS = { every: 5, on: true, nested: { a: 1 } };
        const opts = { ...DEFAULTS, every: 10, ['ke' + 'y']: 3 };
        const list = [1, ...[2, 3], 4];
        const { every, missing = 7, ...rest } = opts;
        const [first, , third] = list;
        probe(opts, list, every, missing, first, third, opts.nested.a, opts['on'], list[1], list.length, opts.absent);
    """

    assert probe(linked, code) == [
        {"every": 10, "on": True, "nested": {"a": 1}, "key": 3},
        [1, 2, 3, 4],
        10,
        7,
        1,
        3,
        1,
        True,
        2,
        4,
        None,
    ]


def test_what_a_spread_leaves_open_is_not_absent(linked: Link) -> None:
    code = "function f(given) { const o = { every: 5, ...given }; probe(o.timeout); }"

    assert str(probe(linked, code)[0]).startswith("unknown: ")


def test_an_open_spread_behind_leaves_the_default_and_a_known_one_replaces_it(linked: Link) -> None:
    code = """
        const make = (given) => ({ every: 5, ...given });
        function f(given) { probe(make(given).every, make({ every: 9 }).every, make(undefined).every); }
    """

    assert probe(linked, code) == [5, 9, 5]


def test_listings_of_objects(linked: Link) -> None:
    code = """
        const jobs = { a: { n: 1 }, b: { n: 2 } };
        probe(Object.keys(jobs), Object.values(jobs).map((j) => j.n), Object.entries(jobs)[1][0],
              Object.fromEntries([['x', 1]]), Object.assign({}, { y: 1 }, { z: 2 }), [3, 1].concat([2]));
    """

    assert probe(linked, code) == [["a", "b"], [1, 2], "b", {"x": 1}, {"y": 1, "z": 2}, [3, 1, 2]]


def test_an_object_that_is_filled_afterwards(linked: Link) -> None:
    code = "const api: any = {}; api.every = 5; api.run = function run() {}; probe(api.every, api.run);"

    assert probe(linked, code) == [5, "function run"]


def test_a_member_that_is_assigned_again_is_one_of_several(linked: Link) -> None:
    code = "const o = { ms: 5 }; if (fast) o.ms = 1; probe(o.ms);"

    assert probe(linked, code) == [(5, 1)]


def test_frozen_objects_and_const_assertions(linked: Link) -> None:
    code = "const T = Object.freeze({ A: 1 } as const); const U = { B: 2 } satisfies X; probe(T.A, U.B);"

    assert probe(linked, code) == [1, 2]


def test_enums(linked: Link) -> None:
    code = """
        import { Queue } from './names';
        enum Every { Minute = 60, Hour = Minute * 60, Day = 24 * Every.Hour }
        const enum Level { Low, High }
        probe(Every.Hour, Every.Day, Queue.Mail, Level.High);
    """

    assert probe(linked, code, names="export enum Queue { Mail = 'mail' }") == [3600, 86400, "mail", 1]


# ---- defaults -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "value", "default_of"),
    [
        ("process.env.EVERY || '5'", "5", "EVERY"),
        ("process.env.EVERY ?? 5", 5, "EVERY"),
        ("process.env['EVERY'] ?? 5", 5, "EVERY"),
        ("Number(process.env.EVERY || 5) * 60", 300, "EVERY"),
        ("parseInt(process.env.EVERY ?? '5', 10) * 1000", 5000, "EVERY"),
        ("process.env.CRON ? process.env.CRON : '0 1 * * *'", "0 1 * * *", "CRON"),
        ("+(process.env.EVERY || 9)", 9, "EVERY"),
        ("Number(process.env.EVERY) || 30", 30, "EVERY"),
    ],
)
def test_environment_defaults(linked: Link, code: str, value: object, default_of: str) -> None:
    tree = linked({"a.ts": f"probe({code});"})
    call, node = tree.calls("a.ts", "probe")[0]
    found = tree.index.force(tree.index.arguments(call, tree.index.scope_of(node)).positional[0])

    assert tree.plain(found) in (value, (value, f"env {default_of}"), (f"env {default_of}", value))
    if isinstance(found, Known):
        assert found.default_of == default_of


def test_the_environment_without_a_default_stays_open(linked: Link) -> None:
    code = """
        const { CRON, ZONE = 'UTC' } = process.env;
        probe(process.env.EVERY, Number(process.env.EVERY), CRON, ZONE, env(), process.env[name()]);
        function env() { return process.env.INSIDE; }
    """
    found = probe(linked, code)

    assert found[:3] == ["env EVERY", "env EVERY", "env CRON"]
    assert found[3] == "UTC"
    assert found[4] == "env INSIDE"
    assert str(found[5]).startswith("unknown: ")


def test_an_open_option_takes_the_default_behind_it(linked: Link) -> None:
    code = "function f(config: { x?: number }) { probe(config.x ?? 300000, config.x || 5); }"

    assert probe(linked, code) == [("?config.x", 300000), ("?config.x", 5)]


def test_a_default_behind_a_test_of_the_name_itself(linked: Link) -> None:
    code = """
        let hour = Number(process.env.HOUR);
        if (isNaN(hour)) hour = 17;
        let zone = process.env.ZONE;
        if (!zone) { zone = 'UTC'; }
        probe(hour, zone);
    """

    assert probe(linked, code) == [17, "UTC"]


def test_a_name_that_is_changed_as_it_goes_is_open(linked: Link) -> None:
    (found,) = probe(linked, "let n = 1; n += 5; probe(n);")

    assert found == "unknown: n is changed as it goes"


def test_a_name_with_two_values_is_one_of_both(linked: Link) -> None:
    assert probe(linked, "let cron = '0 1 * * *'; if (fast()) cron = '* * * * *'; probe(cron);") == [
        ("0 1 * * *", "* * * * *")
    ]


def test_a_conditional_that_is_open_is_one_of_both(linked: Link) -> None:
    assert probe(linked, "probe(process.env.FAST ? 1 : 60, isProd() ? 'a' : 'b');") == [(1, 60), ("a", "b")]


# ---- functions ----------------------------------------------------------------------------------------------------


def test_what_functions_return(linked: Link) -> None:
    code = """
        const minutes = (n: number) => n * 60_000;
        function at(hour: number, minute = 0) { return `${minute} ${hour} * * *`; }
        const opts = ({ every = 5, unit = 's' } = {}) => `${every}${unit}`;
        const rest = (...all: number[]) => all.length;
        probe(minutes(5), at(3), at(3, 30), opts(), opts({ every: 9 }), rest(1, 2, 3));
    """

    assert probe(linked, code) == [300_000, "0 3 * * *", "30 3 * * *", "5s", "9s", 3]


def test_returns_follow_the_branch_that_is_taken(linked: Link) -> None:
    code = """
        function every(kind: string) {
          if (kind === 'fast') return 1;
          if (kind === 'slow') { return 3600; }
          return 60;
        }
        function pick(kind: string) {
          switch (kind) {
            case 'a': return 'A';
            case 'b': return 'B';
            default: return 'other';
          }
        }
        probe(every('fast'), every('slow'), every('x'), pick('b'), pick('z'), every(process.env.KIND));
    """

    assert probe(linked, code) == [1, 3600, 60, "B", "other", (1, 3600, 60)]


def test_a_taken_branch_that_throws_ends_the_function(linked: Link) -> None:
    code = "function f(n: number) { if (n < 0) { throw new Error(); } return n; } probe(f(3));"

    assert probe(linked, code) == [3]


def test_bind_call_apply_and_currying(linked: Link) -> None:
    code = """
        function scale(a: number, b: number) { return a * b; }
        const hours = scale.bind(null, 3600);
        const curry = (a: number) => (b: number) => a + b;
        probe(hours(2), scale.call(null, 2, 3), scale.apply(null, [4, 5]), curry(1)(2));
    """

    assert probe(linked, code) == [7200, 6, 20, 3]


def test_closures_keep_what_they_were_made_with(linked: Link) -> None:
    code = """
        function make(name: string) { return { name, describe: () => `job ${name}` }; }
        const a = make('a'), b = make('b');
        probe(a.describe(), b.describe(), b.name);
    """

    assert probe(linked, code) == ["job a", "job b", "b"]


def test_async_functions_and_awaited_values(linked: Link) -> None:
    code = (
        "async function load() { return { every: 5 }; } async function f() { const c = await "
        "load(); probe(c.every); }"
    )

    assert probe(linked, code) == [5]


def test_equal_calls_are_one_and_what_asks_nothing_of_a_call_is_folded_once(linked: Link) -> None:
    # Each stage asks the one below four times: worked out anew for each call, the last takes 4 ** 6 calls.
    stages = "".join(f"const f{n} = (by) => `{f'${{f{n - 1}(by)}}' * 4}`;\n" for n in range(1, 7))
    tree = linked(
        {"a.ts": f"const sign = '-'; const f0 = (by) => by + sign;\n{stages}probe(f6('a'), f6('b'));"}
    )

    assert tree.probe("a.ts") == ["a-" * 4**6, "b-" * 4**6]


def test_calls_that_differ_are_not_one(linked: Link) -> None:
    code = """
        const unit = 60;
        class Job { every = 1; constructor(n) { this.every = n; } period() { return this.every * unit; } }
        function shadowed(unit) { return unit + 1; }
        function local(n) { const unit = n; return (() => unit)(); }
        function later(n) { return { unit, of: () => n * unit }; }
        function named(name, f = () => name) { return f(); }
        probe(
          new Job(2).period(), new Job(3).period(), shadowed(1), shadowed(2), local(5), local(6),
          later(2).of(), later(3).of(), later(4).unit, named('a'), named('b'), named('a', () => 'c'),
        );
    """

    assert probe(linked, code) == [120, 180, 2, 3, 5, 6, 120, 180, 60, "a", "b", "c"]


# ---- what does not end --------------------------------------------------------------------------------------------


def test_constants_and_functions_that_go_in_circles(linked: Link) -> None:
    code = """
        import { B } from './b';
        export const A = B + 1;
        function even(n: number): any { return odd(n - 1); }
        function odd(n: number): any { return even(n - 1); }
        const self = () => self();
        const list: any[] = []; list.push(list);
        class Loop { next = new Loop(); it = this.it; }
        probe(A, even(4), self(), list.length, new Loop().next.next, new Loop().it);
    """
    found = probe(linked, code, b="import { A } from './main'; export const B = A + 1;")

    assert [str(f).startswith("unknown: ") for f in found[:3]] == [True, True, True]
    assert found[4] == "new Loop"


@pytest.mark.usefixtures("deep")
def test_two_thousand_else_ifs(linked: Link) -> None:
    arms = " else ".join(f"if (kind === 'k{n}') {{\n return {n};\n}}" for n in range(2000))
    tree = linked(
        {"a.ts": f"function pick(kind) {{ {arms}\n return -1; }} probe(pick('k1999'), pick('none'));"}
    )

    last, none = tree.probe("a.ts")
    assert last == 1999 or str(last).startswith("unknown: ")
    assert none == -1 or str(none).startswith("unknown: ")


def test_one_of_a_large_table_is_open_and_equal_rows_are_one(linked: Link) -> None:
    large = ", ".join(f"k{n}: {n}" for n in range(300))
    equal = ", ".join(f"k{n}: {n % 2}" for n in range(300))
    tree = linked({"a.ts": f"function f(key) {{ probe({{ {large} }}[key], {{ {equal} }}[key]); }}"})
    of_large, of_equal = tree.probe("a.ts")

    assert of_large == (0, 1, 2, 3, 4, 5, 6, 7, "unknown: one of more than 8 values")
    assert of_equal == (0, 1)


@pytest.mark.usefixtures("deep")
def test_a_very_long_sum_and_a_very_deep_chain(linked: Link) -> None:
    total, chain = " +\n".join(["1"] * 1500), "o" + "\n.x" * 1500
    tree = linked({"a.ts": f"const s = {total}; const c = {chain}; probe(s, c);"})
    found = tree.probe("a.ts")

    assert found[0] == 1500 or str(found[0]).startswith("unknown: ")
    assert str(found[1]).startswith(("o.x", "unknown: "))


@pytest.mark.parametrize(("depth", "calls"), [(80, ["ping"]), (1000, [])])
@pytest.mark.usefixtures("deep")
def test_deeply_nested_blocks_are_walked_as_deep_as_they_are_lowered(
    linked: Link, depth: int, calls: list[str]
) -> None:
    nested = "if (x) {\n" * depth + "ping();\n" + "}\n" * depth
    tree = linked({"a.ts": f"function f() {{ {nested} }}"})

    assert [e.split(" ")[0] for e in tree.events("a.ts", "f")] == [">", *calls]
