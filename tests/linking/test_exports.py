"""What modules give to each other."""

from __future__ import annotations

import pytest

from tests.linking.conftest import Link

# ---- ES modules ---------------------------------------------------------------------------------------------------


def test_named_default_and_namespace_imports(linked: Link) -> None:
    tree = linked(
        {
            "src/a.ts": """
                export const EVERY = 5;
                export function tick() {}
                export default class Runner {}
            """,
            "src/b.ts": """
                import Task, { EVERY, tick as beat } from './a';
                import * as all from './a';
                probe(Task, EVERY, beat, all, all.EVERY, all.default);
            """,
        }
    )

    assert tree.probe("src/b.ts") == [
        "class Runner",
        5,
        "function tick",
        "module src/a.ts",
        5,
        "class Runner",
    ]


def test_barrels_and_renamed_re_exports(linked: Link) -> None:
    tree = linked(
        {
            "src/jobs/index.ts": """
                export * from './mail';
                export * as reports from './reports';
                export { default as Sweep, HOURS as SWEEP_HOURS } from './sweep';
            """,
            "src/jobs/mail.ts": "export const MAIL = 'mail';",
            "src/jobs/reports.ts": "export const WEEKLY = 7;",
            "src/jobs/sweep.ts": "export const HOURS = 6; export default function sweep() {}",
            "src/index.ts": "export * from './jobs';",
            "src/main.ts": """
                import { MAIL, Sweep, SWEEP_HOURS, reports } from '.';
                probe(MAIL, Sweep, SWEEP_HOURS, reports.WEEKLY);
            """,
        }
    )

    assert tree.probe("src/main.ts") == ["mail", "function sweep", 6, 7]


def test_barrels_that_import_each_other_come_to_an_end(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": "export * from './b'; export const A = 1;",
            "b.ts": "export * from './a'; export const B = 2;",
            "main.ts": "import { A, B, C } from './a'; probe(A, B, C);",
        }
    )

    assert tree.probe("main.ts")[:2] == [1, 2]
    assert str(tree.probe("main.ts")[2]).startswith("unknown: ")


def test_what_is_imported_and_exported_again(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": "const HOUR = 3600; export { HOUR as default, HOUR };",
            "b.ts": "import hour from './a'; export { hour }; export default { hour };",
            "main.ts": "import all, { hour } from './b'; probe(hour, all.hour);",
        }
    )

    assert tree.probe("main.ts") == [3600, 3600]


def test_symbols_of_packages_and_their_re_exports(linked: Link) -> None:
    tree = linked(
        {
            "lib.ts": "export { Queue as Line } from 'bullmq'; export * as redis from 'ioredis';",
            "main.ts": """
                import cron, { schedule } from 'node-cron';
                import * as fs from 'node:fs';
                import { Line, redis } from './lib';
                probe(cron, schedule, cron.schedule, fs.readFile, Line, new Line('x').add, redis.Cluster);
            """,
        }
    )

    assert tree.probe("main.ts") == [
        "node-cron:",
        "node-cron:schedule",
        "node-cron:schedule",
        "fs:readFile",
        "bullmq:Queue",
        "bullmq:Queue().add",
        "ioredis:Cluster",
    ]


def test_dynamic_import_of_a_literal(linked: Link) -> None:
    tree = linked(
        {
            "a.ts": "export const N = 1; export default 'd';",
            "main.ts": (
                "async function f() { const m = await import('./a'); const { N } = await import('./a'); "
                "probe(m.N, N, m.default); }"
            ),
        }
    )

    assert tree.probe("main.ts") == [1, 1, "d"]


def test_json_modules(linked: Link) -> None:
    tree = linked(
        {
            "settings.json": '{"jobs": [{"cron": "0 1 * * *"}], "on": true}',
            "a.ts": "import settings from './settings.json'; probe(settings.jobs[0].cron, settings.on);",
            "b.js": "const s = require('./settings.json'); probe(s.jobs);",
        }
    )

    assert tree.probe("a.ts") == ["0 1 * * *", True]
    assert tree.probe("b.js") == [[{"cron": "0 1 * * *"}]]


def test_an_interface_is_known_as_a_type(linked: Link) -> None:
    tree = linked({"a.ts": "export interface X { a: number }", "b.ts": "import { X } from './a'; probe(X);"})

    assert tree.probe("b.ts") == ["type X"]


# ---- CommonJS -----------------------------------------------------------------------------------------------------

COMMONJS = {
    "object literal": ("const N = 1; function go() {} module.exports = { N, go, deep: { x: 2 } };"),
    "members of module.exports": (
        "module.exports.N = 1; module.exports.go = function go() {}; module.exports.deep = {x: 2};"
    ),
    "members of exports": "exports.N = 1; exports.go = function go() {}; exports.deep = { x: 2 };",
    "both names at once": (
        "exports = module.exports = { N: 1 }; exports.go = function go() {}; exports.deep = {x: 2};"
    ),
    "an alias": "const api = module.exports = {}; api.N = 1; api.go = function go() {}; api.deep = { x: 2 };",
    "an alias that is exported last": (
        "var api = {}; api.N = 1; api.go = function go() {}; api.deep = {x: 2}; module.exports = api;"
    ),
    "called on the spot": (
        "(function (api) { 'use strict'; api.N = 1; api.go = function go() {}; api.deep = {x: 2}; "
        "}(exports));"
    ),
    "called on the spot, module.exports": (
        "(function (api) { api.N = 1; api.go = function go() {}; api.deep = {x: 2}; })(module.exports);"
    ),
    "called on the spot, with call": (
        "(function (api) { api.N = 1; api.go = function go() {}; api.deep = {x: 2}; }).call(this, exports);"
    ),
    "the bang": "!function (api) { api.N = 1; api.go = function go() {}; api.deep = {x: 2}; }(exports);",
    "one assigned to the other": (
        "function go() {} exports.N = 1; exports.go = exports.run = go; exports.deep = {x: 2};"
    ),
    "first void as compilers do": (
        "Object.defineProperty(exports, '__esModule', { value: true }); exports.deep = exports.go "
        "= exports.N = void 0; exports.N = 1; function go() {} exports.go = go; exports.deep = { x: 2 };"
    ),
    "Object.assign": "Object.assign(exports, { N: 1, go: function go() {}, deep: { x: 2 } });",
    "spread": "const base = { N: 1 }; module.exports = { ...base, go() {}, deep: { x: 2 } };",
    "a class's namespace": "const own = { N: 1, go: function go() {} }; own.deep = { x: 2 }; module.exports = own;",
}


@pytest.mark.parametrize("form", COMMONJS)
def test_common_js_exports(linked: Link, form: str) -> None:
    tree = linked(
        {
            "a.js": COMMONJS[form],
            "b.js": "const a = require('./a'); const { N, deep: { x } } = require('./a.js'); probe(N, a.go, x, a.N);",
        }
    )

    one, go, two, same = tree.probe("b.js")
    assert (one, two, same) == (1, 2, 1)
    assert go in {"function go", "function <anonymous>.go"}


def test_a_function_a_class_and_an_object_made_by_new_as_the_whole_module(linked: Link) -> None:
    tree = linked(
        {
            "f.js": "module.exports = function start() { return 4; }; module.exports.EVERY = 60;",
            "g.js": "function start() {} start.EVERY = 60; module.exports = start;",
            "c.js": "module.exports = class Runner { every() { return 5; } };",
            "n.js": "class Runner { constructor() { this.ms = 100; } } module.exports = new Runner();",
            "main.js": """
                const f = require('./f'), g = require('./g');
                const Runner = require('./c');
                const runner = require('./n');
                probe(f, f(), f.EVERY, g.EVERY, Runner, new Runner().every(), runner, runner.ms);
            """,
        }
    )

    assert tree.probe("main.js") == ["function start", 4, 60, 60, "class Runner", 5, "new Runner", 100]


def test_a_mixin_fills_the_object_that_it_is_given(linked: Link) -> None:
    tree = linked(
        {
            "topic/index.js": "const Topic = module.exports; require('./sweep')(Topic); Topic.limit = 20;",
            "topic/sweep.js": (
                "module.exports = function (Topic) { Topic.sweep = async function () {}; Topic.days = 3; };"
            ),
            "main.js": "const topic = require('./topic'); probe(topic.limit, topic.days, topic.sweep);",
        }
    )

    assert tree.probe("main.js") == [20, 3, "function sweep"]


def test_a_module_that_exports_a_factory_given_its_dependencies(linked: Link) -> None:
    tree = linked(
        {
            "jobs.js": "module.exports = ({ cron, every }) => ({ every, start() { return cron; } });",
            "main.js": (
                "const jobs = require('./jobs')({ cron: require('node-cron'), every: 9 }); "
                "probe(jobs.every, jobs.start());"
            ),
        }
    )

    assert tree.probe("main.js") == [9, "node-cron:"]


def test_typescript_compiled_to_common_js(linked: Link) -> None:
    tree = linked(
        {
            "dist/a.js": """
                "use strict";
                Object.defineProperty(exports, "__esModule", { value: true });
                exports.tick = exports.EVERY = void 0;
                exports.EVERY = 30;
                const tick = () => exports.EVERY;
                exports.tick = tick;
                class Runner {}
                exports.default = Runner;
            """,
            "dist/b.js": """
                "use strict";
                var __importDefault = (this && this.__importDefault) || function (mod) {
                    return (mod && mod.__esModule) ? mod : { "default": mod };
                };
                Object.defineProperty(exports, "__esModule", { value: true });
                const node_cron_1 = __importDefault(require("node-cron"));
                const a_1 = __importDefault(require("./a"));
                const a_2 = require("./a");
                probe(a_1.default, (0, a_2.tick)(), a_2.EVERY, node_cron_1.default.schedule);
            """,
        }
    )

    assert tree.probe("dist/b.js") == ["class Runner", 30, 30, "node-cron:schedule"]


def test_compiled_barrels(linked: Link) -> None:
    tree = linked(
        {
            "dist/index.js": """
                "use strict";
                Object.defineProperty(exports, "__esModule", { value: true });
                exports.EVERY = void 0;
                var a_1 = require("./a");
                Object.defineProperty(exports, "EVERY", { enumerable: true, get: function () { return a_1.EVERY; } });
                __exportStar(require("./b"), exports);
            """,
            "dist/a.js": "exports.EVERY = 30;",
            "dist/b.js": "exports.AT = '0 3 * * *';",
            "dist/main.js": "const { EVERY, AT } = require('.'); probe(EVERY, AT);",
        }
    )

    assert tree.probe("dist/main.js") == [30, "0 3 * * *"]


def test_an_es_import_of_a_common_js_module_and_back(linked: Link) -> None:
    tree = linked(
        {
            "old.js": "module.exports = { N: 1 };",
            "made.js": "exports.default = 8;",
            "new.mjs": "export const M = 2; export default 3;",
            "a.mjs": "import old, { N } from './old.js'; import made from './made.js'; probe(N, old.N, made);",
            "b.js": "const { M, default: three } = require('./new.mjs'); probe(M, three);",
        }
    )

    assert tree.probe("a.mjs") == [1, 1, 8]
    assert tree.probe("b.js") == [2, 3]


def test_what_a_common_js_module_does_not_export_is_absent(linked: Link) -> None:
    tree = linked(
        {"a.js": "module.exports = { N: 1 };", "b.js": "const a = require('./a'); probe(a.missing);"}
    )

    assert tree.probe("b.js") == [None]


def test_a_computed_module_name_is_open(linked: Link) -> None:
    tree = linked({"a.js": "const a = require(`./jobs/${name}`); probe(a.run);"})

    assert tree.probe("a.js") == ["unknown: a module whose name is computed"]
