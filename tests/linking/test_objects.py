"""Classes, instances, and what their fields come to."""

from __future__ import annotations

from tests.linking.conftest import Link


def test_constructor_defaults_parameter_properties_and_fields(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                class Job {
                  static readonly unit = 'ms';
                  retries = 3;
                  private label: string;
                  constructor(private readonly name: string, public every = 60, opts: { zone?: string } = {}) {
                    this.label = `job:${name}`;
                    this.zone = opts.zone ?? 'UTC';
                  }
                  get key() { return `${this.label}:${this.every}`; }
                  describe() { return this.key; }
                }
                const a = new Job('a'), b = new Job('b', 5, { zone: 'Europe/Berlin' });
                probe(a.every, b.every, a.retries, b.name, b.label, a.zone, b.zone, b.key, b.describe(), Job.unit);
            """
        }
    )

    assert tree.probe("a.ts") == [
        60, 5, 3, "b", "job:b", "UTC", "Europe/Berlin", "job:b:5", "job:b:5", "ms",
    ]  # fmt: skip


def test_base_classes_and_what_a_subclass_overrides(linked: Link) -> None:
    tree = linked(
        {
            "base.ts": """
                export abstract class Base {
                  protected timeout = 1000;
                  abstract readonly name: string;
                  constructor(protected readonly every: number, protected lock = true) {}
                  get interval() { return this.every * 1000; }
                  title() { return `base ${this.name}`; }
                  abstract run(): Promise<void>;
                  start() { return this.run; }
                }
            """,
            "jobs.ts": """
                import { Base } from './base';
                export class Fast extends Base {
                  readonly name = 'fast';
                  timeout = 50;
                  constructor() { super(5, false); }
                  async run() {}
                }
                export class Slow extends Base {
                  name = 'slow';
                  title() { return 'slow ' + super.title(); }
                  async run() {}
                }
                export class Slower extends Slow { get every() { return 7200; } }
            """,
            "main.ts": """
                import { Fast, Slow, Slower } from './jobs';
                const f = new Fast(), s = new Slow(3600), t = new Slower(1);
                probe(f.interval, s.interval, t.interval, f.timeout, s.timeout, f.lock, s.lock, f.title(), s.title(),
                      f.start(), s.start());
            """,
        }
    )

    assert tree.probe("main.ts") == [
        5000, 3_600_000, 7_200_000, 50, 1000, False, True, "base fast", "slow base slow",
        "function Fast.run", "function Slow.run",
    ]  # fmt: skip


def test_static_singletons(linked: Link) -> None:
    tree = linked(
        {
            "store.ts": """
                import Redis from 'ioredis';
                export class Store {
                  private static instance: Store | null = null;
                  client = new Redis();
                  ttl = 30;
                  static getInstance(): Store {
                    if (!Store.instance) { Store.instance = new Store(); }
                    return Store.instance;
                  }
                  static get shared() { return (this.instance ??= new Store()); }
                }
                export const store = Store.getInstance();
            """,
            "main.ts": """
                import { Store, store } from './store';
                probe(Store.getInstance().ttl, store.ttl, store.client.set, Store.getInstance(), Store.shared.ttl);
            """,
        }
    )

    assert tree.probe("main.ts") == [30, 30, "ioredis:().set", "new Store", 30]


def test_fields_that_methods_set(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                import { Queue } from 'bullmq';
                class Mailer {
                  private queue: Queue | undefined;
                  private timer: NodeJS.Timeout | null = null;
                  async connect() { this.queue = new Queue('mail', { prefix: 'x' }); }
                  plan() { probe(this.queue.add, this.queue!.name, this.nothing); }
                }
            """
        }
    )

    assert tree.probe("a.ts") == ["bullmq:Queue().add", "bullmq:Queue().name", "?this.nothing"]


def test_injected_services_by_their_declared_type(linked: Link) -> None:
    tree = linked(
        {
            "orders.ts": "export class Orders { limit = 20; async expire() {} }",
            "ports.ts": "import type { Redis } from 'ioredis'; export interface Clock { now(): number }",
            "job.ts": """
                import { Orders } from './orders';
                import type { Redis } from 'ioredis';
                import { Model } from 'mongoose';
                export class Job {
                  @Inject() private readonly other: Orders;
                  constructor(private readonly orders: Orders, private redis: Redis, late: Promise<Orders>) {
                    this.late = late;
                  }
                  async run() {
                    probe(this.orders.expire, this.orders.limit, this.redis.set, this.other.expire);
                  }
                }
            """,
        }
    )

    assert tree.probe("job.ts") == [
        "function Orders.expire",
        20,
        "ioredis:Redis().set",
        "function Orders.expire",
    ]


def test_old_style_classes(linked: Link) -> None:
    tree = linked(
        {
            "a.js": """
                function Runner(every) { this.every = every; }
                Runner.prototype.start = function () { return this.every; };
                Runner.create = function () { return new Runner(5); };
                module.exports = Runner;
            """,
            "b.js": "const Runner = require('./a'); probe(Runner.create, Runner.prototype);",
        }
    )

    assert tree.probe("b.js")[0] == "function create"


def test_objects_with_methods_know_themselves(linked: Link) -> None:
    tree = linked(
        {
            "a.js": """
                const jobs = {
                  every: 5,
                  get ms() { return this.every * 1000; },
                  plan() { return this.every; },
                };
                probe(jobs.plan(), jobs.every);
            """
        }
    )

    assert tree.probe("a.js") == [5, 5]


def test_classes_that_packages_define(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                import { EventEmitter } from 'node:events';
                import { Queue as Base } from 'bullmq';
                class Bus extends EventEmitter {}
                class Mail extends Base { constructor() { super('mail'); } plan() { probe(this.add, super.add); } }
                probe2(new Bus().on, new Mail().add);
            """
        }
    )

    assert tree.probe("a.ts") == ["bullmq:Queue().add", "bullmq:Queue().add"]
    assert tree.probe("a.ts", "probe2") == ["events:EventEmitter().on", "bullmq:Queue().add"]


def test_a_class_given_as_a_value_and_made_by_a_factory(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                class A { n = 1; }
                class B { n = 2; }
                const kinds = { a: A, b: B };
                function make(kind: keyof typeof kinds) { return new kinds[kind](); }
                probe(make('b').n, new kinds.a().n, [A, B].map((C) => new C().n));
            """
        }
    )

    assert tree.probe("a.ts") == [2, 1, [1, 2]]


def test_classes_made_by_functions(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": """
                const Timed = (Base: any, every: number) => class extends Base { get every() { return every; } };
                class Root { root = 'r'; }
                class Job extends Timed(Root, 9) {}
                probe(new Job().every, new Job().root);
            """
        }
    )

    assert tree.probe("a.ts") == [9, "r"]
