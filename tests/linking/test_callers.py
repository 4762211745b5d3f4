"""The walk up: who calls what, and with which values."""

from __future__ import annotations

import pytest

from tests.linking.conftest import Link


def test_users_are_found_by_what_they_import_never_by_a_bare_name(linked: Link) -> None:
    tree = linked(
        {
            "src/start.ts": "export function start() {}\nexport default function boot() {}",
            "src/index.ts": "export * from './start';",
            "src/a.ts": "import { start } from './start';\nstart();",
            "src/b.ts": "import * as s from '.';\ns.start();",
            "src/c.ts": "import { start as go } from './index';\nif (x) go();",
            "src/d.ts": "const start = () => 1;\nstart();",
            "src/e.ts": "import { start } from 'elsewhere';\nstart();",
            "src/f.ts": "import main from './start';\nmain();",
            "src/a.test.ts": "import { start } from './start';\nstart();",
        }
    )

    assert sorted(tree.users("src/start.ts", "start")) == ["src/a.ts:2", "src/b.ts:2", "src/c.ts:2"]
    assert tree.users("src/start.ts", "boot") == ["src/f.ts:2"]


def test_super_calls_the_method_above_and_none_of_a_sister_class(linked: Link) -> None:
    tree = linked(
        {
            "base.py": "class Command:\n    def handle(self, level):\n        print(level)\n",
            "mail.py": (
                "from base import Command\n\nclass Mail(Command):\n    def handle(self, level):\n"
                "        super().handle(level)\n"
            ),
            "bill.py": (
                "from base import Command\n\nclass Bill(Command):\n    def handle(self, level):\n"
                "        super().handle(level)\n"
            ),
        }
    )

    assert sorted(tree.users("base.py", "Command.handle")) == ["bill.py:5", "mail.py:5"]
    assert tree.users("bill.py", "Bill.handle") == []


def test_a_parameter_bound_through_three_levels_of_callers(linked: Link) -> None:
    tree = linked(
        {
            "lib/arm.ts": "export function arm(expr: string, fn: () => void) {\n  probe(expr, fn);\n}",
            "lib/daily.ts": (
                "import { arm } from './arm';\nexport function daily(hour: number, fn: () => void) {\n"
                "  arm(`0 ${hour} * * *`, fn);\n}"
            ),
            "lib/nightly.ts": (
                "import { daily } from './daily';\nexport const nightly = (fn: () => void) => daily(2, fn);"
            ),
            "jobs.ts": (
                "import { nightly } from './lib/nightly';\nimport { daily } from './lib/daily';\n"
                "function sweep() {}\nfunction bill() {}\nnightly(sweep);\ndaily(7, bill);"
            ),
        }
    )

    assert sorted(map(repr, tree.ways("lib/arm.ts"))) == [
        "['0 2 * * *', 'function sweep']",
        "['0 7 * * *', 'function bill']",
    ]
    assert sorted(tree.chains("lib/arm.ts")) == [
        ["lib/daily.ts:3", "jobs.ts:6"],
        ["lib/daily.ts:3", "lib/nightly.ts:2", "jobs.ts:5"],
    ]


REGISTRIES = {
    "a written list, for-of": """
        const jobs = [{ name: 'a', every: 1 }, { name: 'b', every: 2 }];
        for (const job of jobs) { probe(job.name, job.every); }
    """,
    "destructured": """
        const jobs = [{ name: 'a', every: 1 }, { name: 'b', every: 2 }];
        for (const { name, every } of jobs) probe(name, every);
    """,
    "forEach": """
        const jobs = [{ name: 'a', every: 1 }, { name: 'b', every: 2 }];
        jobs.forEach((job) => { probe(job.name, job.every); });
    """,
    "map with destructuring": """
        [{ name: 'a', every: 1 }, { name: 'b', every: 2 }].map(({ name, every }) => probe(name, every));
    """,
    "an index loop over entries": """
        const jobs = { a: { every: 1 }, b: { every: 2 } };
        for (const [name, job] of Object.entries(jobs)) { probe(name, job.every); }
    """,
    "values": """
        const jobs = { x: { name: 'a', every: 1 }, y: { name: 'b', every: 2 } };
        Object.values(jobs).forEach(function (job) { probe(job.name, job.every); });
    """,
    "pushed": """
        const jobs: Job[] = [];
        jobs.push({ name: 'a', every: 1 });
        jobs.push({ name: 'b', every: 2 });
        for (const job of jobs) probe(job.name, job.every);
    """,
    "registered by a function": """
        const jobs: Job[] = [];
        function register(name: string, every: number) { jobs.push({ name, every }); }
        function startAll() { for (const job of jobs) probe(job.name, job.every); }
        register('a', 1);
        register('b', 2);
        startAll();
    """,
    "a map": """
        const jobs = new Map<string, number>();
        jobs.set('a', 1);
        jobs.set('b', 2);
        for (const [name, every] of jobs) probe(name, every);
    """,
    "a map's forEach": """
        const jobs = new Map<string, { every: number }>();
        jobs.set('a', { every: 1 });
        jobs.set('b', { every: 2 });
        jobs.forEach((job, name) => probe(name, job.every));
    """,
    "keys that are assigned": """
        const jobs: Record<string, number> = {};
        jobs['a'] = 1;
        jobs['b'] = 2;
        for (const [name, every] of Object.entries(jobs)) probe(name, every);
    """,
    "a class that collects": """
        class Scheduler {
          private jobs: Job[] = [];
          add(name: string, every: number) { this.jobs.push({ name, every }); return this; }
          start() { for (const job of this.jobs) { probe(job.name, job.every); } }
        }
        const scheduler = new Scheduler();
        scheduler.add('a', 1);
        scheduler.add('b', 2);
        scheduler.start();
    """,
    "a class that collects in a map": """
        class Scheduler {
          private readonly jobs = new Map<string, Job>();
          register(job: Job) { this.jobs.set(job.name, job); }
          start() { this.jobs.forEach((job) => this.arm(job)); }
          private arm(job: Job) { probe(job.name, job.every); }
        }
        export const scheduler = new Scheduler();
        scheduler.register({ name: 'a', every: 1 });
        scheduler.register({ name: 'b', every: 2 });
        scheduler.start();
    """,
    "a list of instances": """
        class Job { constructor(public name: string, public every: number) {} }
        const jobs = [new Job('a', 1), new Job('b', 2)];
        for (const job of jobs) probe(job.name, job.every);
    """,
    "a method of each instance": """
        class Job {
          constructor(public name: string, public every: number) {}
          start() { probe(this.name, this.every); }
        }
        for (const job of [new Job('a', 1), new Job('b', 2)]) job.start();
    """,
    "spread together": """
        const fast = [{ name: 'a', every: 1 }];
        const slow = [{ name: 'b', every: 2 }];
        [...fast, ...slow].forEach((job) => probe(job.name, job.every));
    """,
}


@pytest.mark.parametrize("registry", REGISTRIES)
def test_each_item_of_a_registry_is_a_way(linked: Link, registry: str) -> None:
    tree = linked({"src/main.ts": REGISTRIES[registry]})

    assert sorted(map(repr, tree.ways("src/main.ts"))) == ["['a', 1]", "['b', 2]"]


def test_a_registry_in_a_file_of_its_own_filled_by_others(linked: Link) -> None:
    tree = linked(
        {
            "registry.ts": (
                "const jobs = [];\nexport const register = (job) => jobs.push(job);\n"
                "export const start = () => jobs.forEach((j) => probe(j.name, j.run));"
            ),
            "a.ts": "import { register } from './registry';\nregister({ name: 'a', run: () => {} });",
            "b.ts": "import { register } from './registry';\nregister({ name: 'b', async run() {} });",
            "main.ts": "import './a';\nimport './b';\nimport { start } from './registry';\nstart();",
        }
    )

    assert sorted(str(w[0]) for w in tree.ways("registry.ts")) == ["a", "b"]
    assert sorted(tree.chains("registry.ts")) == [["main.ts:4", "a.ts:2"], ["main.ts:4", "b.ts:2"]]


def test_a_list_of_classes_from_a_barrel(linked: Link) -> None:
    tree = linked(
        {
            "jobs/a.ts": "export class A { name = 'a'; }",
            "jobs/b.ts": "export default class B { name = 'b'; }",
            "jobs/index.ts": "import { A } from './a';\nimport B from './b';\nexport default [A, B];",
            "main.ts": "import jobs from './jobs';\nfor (const J of jobs) { const j = new J(); probe(j.name); }",
        }
    )

    assert sorted(map(repr, tree.ways("main.ts"))) == ["['a']", "['b']"]


def test_all_exports_of_a_namespace(linked: Link) -> None:
    tree = linked(
        {
            "jobs.ts": "export const a = { every: 1 };\nexport const b = { every: 2 };",
            "main.ts": "import * as jobs from './jobs';\nObject.values(jobs).forEach((job) => probe(job.every));",
        }
    )

    assert sorted(map(repr, tree.ways("main.ts"))) == ["[1]", "[2]"]


def test_template_methods_once_for_each_object_that_is_made(linked: Link) -> None:
    tree = linked(
        {
            "base.ts": """
                export abstract class Base {
                  abstract name: string;
                  every = 60;
                  start() { setInterval(() => this.tick(), this.every); probe(this.name, this.every); }
                  async tick() { await this.run(); }
                  protected abstract run(): Promise<void>;
                }
            """,
            "a.ts": "import { Base } from './base';\nexport class A extends Base { name = 'a'; async run() {} }",
            "b.ts": (
                "import { Base } from './base';\n"
                "export class B extends Base { name = 'b'; every = 5; async run() {} }"
            ),
            "c.ts": "import { Base } from './base';\nexport class C extends Base { name = 'never'; async run() {} }",
            "main.ts": "import { A } from './a';\nimport { B } from './b';\nnew A().start();\nnew B().start();",
        }
    )

    assert sorted(map(repr, tree.ways("base.ts"))) == ["['a', 60]", "['b', 5]"]
    assert sorted(map(repr, (v.cls.name for v in tree.index.subclasses(tree.cls("base.ts", "Base"))))) == [
        "'A'",
        "'B'",
        "'C'",
    ]


def test_one_class_with_several_instances(linked: Link) -> None:
    tree = linked(
        {
            "poller.ts": """
                export interface Options { name: string; every?: number }
                export class Poller {
                  private readonly every: number;
                  constructor(private readonly options: Options) { this.every = options.every ?? 30; }
                  start() { probe(this.options.name, this.every); }
                }
            """,
            "main.ts": """
                import { Poller } from './poller';
                const mail = new Poller({ name: 'mail' });
                const bills = new Poller({ name: 'bills', every: 5 });
                mail.start();
                bills.start();
            """,
        }
    )

    assert sorted(map(repr, tree.ways("poller.ts"))) == ["['bills', 5]", "['mail', 30]"]


def test_what_is_armed_in_a_constructor(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                class Cache { constructor(name: string, every = 9) { probe(name, every); } }
                class Users extends Cache { constructor() { super('users', 3); } }
                new Cache('plain');
                new Users();
            """
        }
    )

    assert sorted(map(repr, tree.ways("a.ts"))) == ["['plain', 9]", "['users', 3]"]


def test_a_method_called_through_an_interface(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                abstract class Task { abstract arm(every: number): void; }
                class Real extends Task { arm(every: number) { probe(every); } }
                function boot(task: Task) { task.arm(4); }
                boot(new Real());
            """
        }
    )

    assert tree.ways("a.ts") == [[4]]


def test_a_function_that_nobody_calls_is_one_open_way(linked: Link) -> None:
    tree = linked({"a.ts": "export function arm(every: number) { probe(every); }"})

    assert tree.ways("a.ts") == [["?every"]]


def test_functions_that_call_each_other_end(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": (
                "function ping(n: number) { probe(n); pong(n + 1); }\nfunction pong(n: number) { ping(n); }\n"
                "function boot() { ping(1); }\nboot();"
            ),
        }
    )

    assert [1] in tree.ways("a.ts")


def test_mixins_of_2015(linked: Link) -> None:
    tree = linked(
        {
            "src/topics.js": "var Topics = {};\nrequire('./topics/jobs')(Topics);\nmodule.exports = Topics;",
            "src/topics/jobs.js": (
                "module.exports = function (Topics) {\n  Topics.start = function (every) { probe(every); };\n};"
            ),
            "app.js": "var topics = require('./src/topics');\ntopics.start(15);",
        }
    )

    assert tree.ways("src/topics/jobs.js") == [[15]]


def test_instances_with_their_places(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": "export class A { constructor(public n: number) {} }",
            "b.ts": "import { A } from './a';\nexport const make = (n: number) => new A(n);",
            "c.ts": "import { make } from './b';\nmake(1);\nmake(2);",
        }
    )
    found = tree.index.instances(tree.cls("a.ts", "A"))

    assert [tree.plain(tree.index.member(made, "n")) for made, _ in found] == [1, 2]
    assert [[f"{at.path}:{at.line}" for at in chain] for _, chain in found] == [
        ["b.ts:2", "c.ts:2"],
        ["b.ts:2", "c.ts:3"],
    ]
