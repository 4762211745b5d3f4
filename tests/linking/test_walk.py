"""The walk down: what a run calls, in which order, and what surrounds it."""

from __future__ import annotations

from cronaudit.model.trace import EventKind
from tests.linking.conftest import Link


def test_order_and_regions_of_statements(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                import pg from 'pg';
                import { log } from 'logger';
                export async function run() {
                  const client = await pg.connect();
                  try {
                    for (const row of await client.query('select 1')) {
                      if (row.ok) await client.save(row);
                      else { client.skip(row); }
                    }
                    while (client.more()) client.next();
                  } catch (error) {
                    log.error(error);
                    throw error;
                  } finally {
                    client.end();
                  }
                  return log.flush();
                }
            """
        }
    )

    assert tree.events("a.ts", "run") == [
        "> run",
        "await pg:connect",
        "loop [try]",
        "await pg:connect().query [try]",
        "await pg:connect().save [try] [loop] [then]",
        "pg:connect().skip [try] [loop] [else]",
        "loop [try]",
        "pg:connect().more [try]",
        "pg:connect().next [try] [loop]",
        "logger:log.error [catch]",
        "throw [catch]",
        "pg:connect().end [finally]",
        "await logger:log.flush",
    ]


def test_functions_of_the_project_are_entered_where_they_are_called(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                import { save } from './b';
                export async function run() { try { await step(); } catch {} }
                async function step() { await save(1); before(); }
                const before = () => ping();
            """,
            "b.ts": "import db from 'pg'; export const save = async (n: number) => { await db.insert(n); };",
        }
    )
    trace = tree.walk("a.ts", "run")

    assert tree.events("a.ts", "run") == [
        "> run",
        "> step [try]",
        "> save [try]",
        "await pg:insert [try]",
        "> before [try]",
        "await ping [try]",
    ]
    assert (trace.complete, trace.cut) == (True, "")
    assert [f"{at.path}:{at.line}" for at in trace.functions] == ["a.ts:2", "a.ts:3", "b.ts:1", "a.ts:4"]
    assert next(e.path for e in trace.events if e.external == "pg:insert") == ("run", "step", "save")


def test_promise_chains_are_try_catch_and_finally(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                import db from 'pg';
                function run() {
                  db.load().then((rows) => db.save(rows)).catch((error) => log(error)).finally(() => db.end());
                  db.other().then(ok, failed);
                  db.third().catch(console.error);
                }
                function ok() { db.ok(); }
                function failed() { db.failed(); }
            """
        }
    )

    assert tree.events("a.ts", "run") == [
        "> run",
        "await pg:load [try] [try]",
        "> run.<anonymous> [try] [try]",
        "await pg:save [try] [try]",
        "> run.<anonymous> [try] [catch]",
        "await log [try] [catch]",
        "> run.<anonymous> [finally]",
        "await pg:end [finally]",
        "await pg:other [try]",
        "> ok",
        "pg:ok",
        "> failed [catch]",
        "pg:failed [catch]",
        "await pg:third [try]",
        "console.error [catch]",
    ]
    assert [e.passed for e in tree.walk("a.ts", "run").events if e.external == "global:console.error"] == [
        True
    ]


def test_the_callback_of_a_project_wrapper_runs_where_the_wrapper_calls_it(linked: Link) -> None:
    tree = linked(
        {
            "lock.ts": """
                import Redis from 'ioredis';
                const redis = new Redis();
                export async function withLock<T>(key: string, fn: () => Promise<T>) {
                  const got = await redis.set(key, '1', 'PX', 1000, 'NX');
                  if (!got) return;
                  try {
                    return await fn();
                  } finally {
                    await redis.del(key);
                  }
                }
            """,
            "job.ts": """
                import { withLock } from './lock';
                import db from 'pg';
                export const run = () => withLock('sweep', async () => { await db.sweep(); });
            """,
        }
    )

    assert tree.events("job.ts", "run") == [
        "> run",
        "> withLock",
        "await ioredis:().set",
        "> run.<anonymous> [try]",
        "await pg:sweep [try]",
        "await ioredis:().del [finally]",
    ]


def test_a_wrapper_is_walked_again_for_each_callback(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                const twice = async (fn) => { start(); await fn(); end(); };
                export async function run() { await twice(a); await twice(() => b()); await twice(a); }
                async function a() { one(); }
                function b() { two(); }
            """
        }
    )

    assert [e for e in tree.events("a.ts", "run") if not e.startswith(">")] == [
        "start", "one", "end", "start", "two", "end",
    ]  # fmt: skip


def test_callbacks_of_packages_run_inside_the_call(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                import { prisma } from 'prisma';
                import retry from 'async-retry';
                export async function run() {
                  await prisma.$transaction(async (tx) => { await prisma.order.update({}); });
                  await retry(load, { onRetry: () => warn() });
                }
                const load = async () => fetch('https://api.example.com');
            """
        }
    )

    assert tree.events("a.ts", "run") == [
        "> run",
        "await prisma:prisma.$transaction",
        "> run.<anonymous> [callback prisma:prisma.$transaction]",
        "await prisma:prisma.order.update [callback prisma:prisma.$transaction]",
        "await async-retry:",
        "> load [callback async-retry:]",
        "await fetch [callback async-retry:]",
        "> run.onRetry [callback async-retry:]",
        "await warn [callback async-retry:]",
    ]


def test_template_methods_run_the_method_of_the_subclass(linked: Link) -> None:
    tree = linked(
        {
            "base.ts": """
                export abstract class Base {
                  protected abstract work(): Promise<void>;
                  async execute() {
                    await this.before();
                    try { await this.work(); } catch (e) { this.failed(e); }
                  }
                  protected async before() { begin(); }
                  private failed(e: unknown) { report(e); }
                }
            """,
            "job.ts": """
                import { Base } from './base';
                import db from 'pg';
                export class Job extends Base {
                  protected async work() { await db.sweep(); }
                  protected async before() { await super.before(); more(); }
                }
            """,
        }
    )

    assert tree.events("base.ts", "Base.execute", of="job.ts:Job") == [
        "> Base.execute",
        "> Job.before",
        "> Base.before",
        "begin",
        "more",
        "> Job.work [try]",
        "await pg:sweep [try]",
        "> Base.failed [catch]",
        "report [catch]",
    ]


def test_injected_services_and_constructors(linked: Link) -> None:
    tree = linked(
        {
            "orders.ts": "import db from 'pg'; export class Orders { async expire() { await db.update(); } }",
            "job.ts": """
                import { Orders } from './orders';
                class Audit { constructor() { open(); } write() { line(); } }
                export class Job {
                  constructor(private readonly orders: Orders) {}
                  async run() { await this.orders.expire(); new Audit().write(); }
                }
            """,
        }
    )

    assert tree.events("job.ts", "Job.run", of="Job") == [
        "> Job.run",
        "> Orders.expire",
        "await pg:update",
        "> Audit.constructor",
        "open",
        "> Audit.write",
        "line",
    ]


def test_bound_functions_and_calls_with_another_this(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                class Job {
                  private tick = this.step.bind(this);
                  run() { this.tick(); other.call(this, 1); [1].forEach(this.each, this); }
                  step() { one(); }
                  each() { three(); }
                }
                function other() { two(); }
            """
        }
    )

    assert [e for e in tree.events("a.ts", "Job.run", of="Job") if not e.startswith((">", "method"))] == [
        "one",
        "two",
        "three [callback method forEach]",
    ]


def test_gathered_promises_are_awaited(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                import db from 'pg';
                export async function run(rows: string[]) {
                  await Promise.all(rows.map((row) => db.save(row)));
                  await Promise.all(rows.map(async (row) => { db.forgotten(row); }));
                  await Promise.allSettled([db.one(), db.two()]);
                  void db.three();
                  db.four();
                }
            """
        }
    )
    seen = {
        e.external: e.awaited
        for e in tree.walk("a.ts", "run").events
        if e.kind is EventKind.CALL and e.external
    }

    assert seen["pg:save"] is True
    assert seen["pg:forgotten"] is False
    assert (seen["pg:one"], seen["pg:two"]) == (True, True)
    assert (seen["pg:three"], seen["pg:four"]) == (False, False)


def test_iterating_over_objects_of_the_project_calls_the_method_of_each(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                class A { stop() { a(); } }
                class B { stop() { b(); } }
                const jobs = [new A(), new B()];
                export function shutdown() { for (const job of jobs) job.stop(); }
                export async function other() { await Promise.all(jobs.map((job) => job.stop())); }
            """
        }
    )

    assert [e.split(" ")[0] for e in tree.events("a.ts", "shutdown") if not e.startswith(">")] == [
        "loop",
        "a",
        "b",
    ]
    names = [e.external for e in tree.walk("a.ts", "other").events if e.kind is EventKind.CALL]
    assert [n for n in names if n in {"global:a", "global:b"}] == ["global:a", "global:b"]


def test_the_top_level_of_a_module_is_walked(linked: Link) -> None:
    tree = linked({"a.ts": "import db from 'pg';\nfunction main() { db.sweep(); }\nmain();\nawait db.end();"})
    trace = tree.index.walk(tree.module("a.ts"))

    assert [e.external for e in trace.events if e.kind is EventKind.CALL and e.external] == [
        "pg:sweep",
        "pg:end",
    ]


def test_recursion_ends_and_a_huge_walk_is_cut_and_says_so(linked: Link) -> None:
    many = "\n".join(f"function f{n}() {{ f{n + 1}(); }}" for n in range(60))
    tree = linked(
        {
            "a.ts": "function ping() { pong(); }\nfunction pong() { ping(); }\n"
            + many
            + "\nfunction f60() { end(); }"
        }
    )
    round_trip = tree.walk("a.ts", "ping")
    deep = tree.walk("a.ts", "f0")

    assert (round_trip.complete, [f.line for f in round_trip.functions]) == (True, [1, 2])
    assert not deep.complete
    assert deep.cut.startswith("the walk was cut at f4")


def test_a_choice_of_functions_follows_each(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                const handlers = { a: () => one(), b: () => two() };
                export function run(kind: 'a' | 'b') { const work = fast() ? quick : slow; work(); handlers[kind](); }
                function quick() { q(); }
                function slow() { s(); }
            """
        }
    )

    assert [e for e in tree.events("a.ts", "run") if e.split(" ")[-1] in {"q", "s", "one", "two"} and ">" not in e] == [
        "q", "s", "await one", "await two",
    ]  # fmt: skip


def test_branches_that_the_call_closes_are_not_walked(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                import db from 'pg';
                let verbose = false;
                export const louder = () => { verbose = true; };
                async function read(force = false, owner?: string) {
                  if (force && db.stale()) await db.refresh();
                  if (owner !== undefined) await db.mine(owner);
                  else await db.all();
                }
                async function both(deep: boolean) { if (deep) db.deep(); else db.flat(); }
                async function tell(loud: boolean) { if (loud) db.loud(); else db.quiet(); }
                async function again(left = 2) { if (left === 0) throw 1; db.step(); await again(left - 1); }
                export async function run() { await read(); }
                export async function forced() { await read(true, 'me'); }
                export async function twice() { await both(true); await both(false); await both(true); }
                export async function open(event: Event) { await both(event.deep); }
                export async function variable() { await tell(verbose); }
                export async function counted() { await again(); }
                async function handOn(deep = false) { await both(deep); }
                export async function handed() { await handOn(); }
                async function changed(deep = false) { if (db.busy()) deep = true; if (deep) db.deep(); }
                export async function assigned() { await changed(); }
            """
        }
    )

    def calls(name: str) -> list[str]:
        found = [e.replace("await ", "").split(" ")[0] for e in tree.events("a.ts", name)]
        return [e.removeprefix("pg:") for e in found if e.startswith("pg:")]

    assert calls("run") == ["stale", "all"]
    assert calls("forced") == ["stale", "refresh", "mine"]
    assert calls("twice") == ["deep", "flat"]
    # What only the run tells keeps both, and so does a variable, which may have changed.
    assert calls("open") == ["deep", "flat"]
    assert calls("variable") == ["loud", "quiet"]
    assert calls("handed") == ["flat"]
    assert calls("assigned") == ["busy", "deep"]
    # A number counts the tries of what calls itself.
    assert "throw [then]" in tree.events("a.ts", "counted")


def test_a_function_that_is_called_in_many_ways_is_walked_as_a_whole(linked: Link) -> None:
    calls = " ".join(f"await one('{name}');" for name in "abcdef")
    tree = linked(
        {
            "a.ts": f"""
                import db from 'pg';
                async function one(kind: string) {{
                  if (kind === 'a') db.a();
                  if (kind === 'b') db.b();
                  if (kind === 'c') db.c();
                  if (kind === 'd') db.d();
                  if (kind === 'e') db.e();
                }}
                export async function run() {{ {calls} }}
            """
        }
    )
    events = tree.events("a.ts", "run")
    assert [next(e for e in events if f"pg:{name}" in e) for name in "abcde"]


def test_defaults_of_python_close_branches(linked: Link) -> None:
    tree = linked(
        {
            "a.py": """
                import boto3

                def sweep(dry_run=False, owner=None):
                    if not dry_run:
                        boto3.delete()
                    if owner is not None:
                        boto3.of(owner)

                def run():
                    sweep()

                def rehearse():
                    sweep(dry_run=True)
            """
        }
    )
    assert tree.events("a.py", "run") == ["> run", "> sweep", "boto3.delete"]
    assert tree.events("a.py", "rehearse") == ["> rehearse", "> sweep"]
