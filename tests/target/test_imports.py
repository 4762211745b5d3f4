from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from cronaudit.model.source import ImportIndex, ImportSite
from cronaudit.target import Tree, imports, segment_of_module, segment_of_specifier

Walk = Callable[[Mapping[str, str]], Tree]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import { Queue } from 'bullmq';", [(17, "bullmq")]),
        ('import Queue, * as all from "./queue.js"', [(23, "./queue.js")]),
        ("import './register'", [(0, "./register")]),
        ("export * from '../jobs';export{a}from'./a'", [(9, "../jobs"), (33, "./a")]),
        ("import type { A } from '@acme/jobs/types';", [(18, "@acme/jobs/types")]),
        ("import {\n  a,\n  b,\n} from\n  './many';", [(21, "./many")]),
        ("const a = await import('./lazy');", [(16, "./lazy")]),
        ("import(\n  /* webpackChunkName: 'x' */ './chunk'\n)", [(0, "./chunk")]),
        ("import(`./plain`); import(`./${name}`); import(name);", [(0, "./plain")]),
        ("const a = require('./a'), b = require( \"./b\" );", [(10, "./a"), (30, "./b")]),
        ("new Worker(require.resolve('./worker'))", [(11, "./worker")]),
        ("import old = require('./old');", [(13, "./old")]),
        ("Array.from('abc'); xrequire('./no'); myimport './no'", []),
        ("import 'unclosed\n';", []),
        ("from ''", []),
    ],
)
def test_specifiers_of_scripts(tree: Walk, source: str, found: list[tuple[int, str]]) -> None:
    table = imports(tree({"src/a.ts": source}))
    assert table.imports_of("src/a.ts") == tuple(ImportSite("src/a.ts", *site) for site in found)


@pytest.mark.parametrize(
    ("source", "found", "names"),
    [
        ("import os, plane.celery as c\n", [(0, "os"), (0, "plane.celery")], {}),
        ("from plane.bgtasks import cleanup, x as y\n", [(0, "plane.bgtasks")],
         {"cleanup": "plane.bgtasks.cleanup", "x": "plane.bgtasks.x"}),
        ("from . import tasks\n", [(0, ".")], {"tasks": ".tasks"}),
        ("from ..jobs import (  # all\n    a,  # one\n    b,\n)\n", [(0, "..jobs")],
         {"a": "..jobs.a", "b": "..jobs.b"}),
        ("def f():\n    from app.tasks import run\n", [(13, "app.tasks")], {"run": "app.tasks.run"}),
        ("from a.b \\\n    import c, \\\n    d\n", [(0, "a.b")], {"c": "a.b.c", "d": "a.b.d"}),
        ("try: from a import b\nexcept ImportError: pass\n", [(5, "a")], {"b": "a.b"}),
        ("from a import *\n", [(0, "a")], {}),
        ("important = 1\nx = 'please import this'\n", [], {}),
        ("print('copied from x import y')\n", [], {}),
        ("'taken from the import() call'\nimport os\n", [(31, "os")], {}),
    ],
)  # fmt: skip
def test_modules_of_python(
    tree: Walk, source: str, found: list[tuple[int, str]], names: dict[str, str]
) -> None:
    table = imports(tree({"app/a.py": source}))
    assert table.imports_of("app/a.py") == tuple(ImportSite("app/a.py", *site) for site in found)
    assert {name: [site.specifier for site in table.files_importing(name)] for name in names} == {
        name: [joined] for name, joined in names.items()
    }


def test_importers_are_found_by_the_last_segment(tree: Walk) -> None:
    table: ImportIndex = imports(
        tree(
            {
                "src/a.ts": "import { q } from './queue.js';",
                "src/b.ts": "import { q } from '@/lib/queue';\nimport raw from './queue?raw';",
                "src/jobs/c.ts": "import { q } from '..';\nimport x from './';",
                "src/jobs/d.mjs": "import 'my-queue'; import './queue.config';",
                "app/e.py": "from lib import queue\n",
                "app/f.py": "import lib.queue\n",
                "docs/g.ts": "import './queue';",
            }
        )
    )
    assert table.files_importing("queue") == (
        ImportSite("app/e.py", 0, "lib.queue"),
        ImportSite("app/f.py", 0, "lib.queue"),
        ImportSite("src/a.ts", 13, "./queue.js"),
        ImportSite("src/b.ts", 13, "@/lib/queue"),
        ImportSite("src/b.ts", 44, "./queue?raw"),
    )
    assert table.files_importing("..") == (ImportSite("src/jobs/c.ts", 13, ".."),)
    assert table.files_importing("none") == ()
    assert table.segments() == (".", "..", "lib", "my-queue", "queue", "queue.config")


@pytest.mark.parametrize(
    ("specifier", "segment"),
    [
        ("bullmq", "bullmq"),
        ("@acme/jobs", "jobs"),
        ("./queue.mjs", "queue"),
        ("./queue.tsx", "queue"),
        ("./queue.service", "queue.service"),
        ("../..", ".."),
        ("./", "."),
        ("lodash.debounce", "lodash.debounce"),
    ],
)
def test_segments_of_specifiers(specifier: str, segment: str) -> None:
    assert segment_of_specifier(specifier) == segment


@pytest.mark.parametrize(
    ("module", "segment"), [("os", "os"), ("a.b.c", "c"), (".tasks", "tasks"), ("..", ".."), (".", ".")]
)
def test_segments_of_modules(module: str, segment: str) -> None:
    assert segment_of_module(module) == segment


def test_only_the_given_files_are_indexed(tree: Walk) -> None:
    walked = tree({"a.ts": "import './x'", "b.ts": "import './x'"})
    assert imports(walked, walked.files[:1]).files_importing("x") == (ImportSite("a.ts", 0, "./x"),)
