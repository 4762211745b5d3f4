"""Imports, values, classes and walks of Python."""

from __future__ import annotations

from tests.linking.conftest import Link


def test_python_imports(linked: Link) -> None:
    tree = linked(
        {
            "shop/__init__.py": "from .tasks import sweep\n",
            "shop/tasks.py": "EVERY = 60\ndef sweep():\n    pass\n",
            "shop/consts.py": "from .tasks import *\nDAY = 24 * 60 * EVERY\n",
            "shop/beat.py": (
                "import shop.tasks\nimport shop.tasks as t\nfrom shop import sweep, tasks\nfrom . import consts\n"
                "from .consts import DAY, EVERY as E\nfrom celery.schedules import crontab\n"
                "probe(shop.tasks.EVERY, t.sweep, sweep, tasks.EVERY, consts.DAY, DAY, E, crontab)\n"
            ),
        }
    )

    assert tree.probe("shop/beat.py") == [
        60,
        "function sweep",
        "function sweep",
        60,
        86400,
        86400,
        60,
        "celery.schedules.crontab",
    ]


def test_python_values(linked: Link) -> None:
    tree = linked(
        {
            "app/conf.py": (
                "import os\nEVERY = int(os.environ.get('EVERY', '15'))\nZONE = os.getenv('TZ', 'UTC')\n"
                "HOST = os.environ['HOST']\nBASE = {'a': 1}\nALL = {**BASE, 'b': 2}\n"
                "NAMES = [f'job-{n}' for n in ('x', 'y')]\ndef mins(n, scale=60):\n    return n * scale\n"
                "probe(EVERY * 60, ZONE, HOST, ALL, NAMES, mins(5), mins(n=2, scale=10), ALL['b'], 'a %s' % 'b')\n"
            )
        }
    )
    found = tree.probe("app/conf.py")

    assert found[:8] == [900, "UTC", "env HOST", {"a": 1, "b": 2}, ["job-x", "job-y"], 300, 20, 2]


def test_python_classes(linked: Link) -> None:
    tree = linked(
        {
            "jobs.py": (
                "class Base:\n    every = 60\n    def __init__(self, name, retries=3):\n        self.name = name\n"
                "        self.retries = retries\n    @property\n    def label(self):\n"
                "        return f'{self.name}/{self.every}'\nclass Fast(Base):\n    every = 5\n"
                "    def __init__(self):\n        super().__init__('fast', retries=1)\nf = Fast()\n"
                "probe(f.every, f.name, f.retries, Base('b').retries, f.label)\n"
            )
        }
    )

    assert tree.probe("jobs.py") == [5, "fast", 1, 3, "fast/5"]


def test_python_with_try_and_super(linked: Link) -> None:
    tree = linked(
        {
            "jobs.py": (
                "import redis\nfrom app import db\nclient = redis.Redis()\nclass Base:\n    def run(self):\n"
                "        with client.lock('x', timeout=5):\n            self.work()\nclass Job(Base):\n"
                "    def work(self):\n        try:\n            db.save()\n        except ValueError as e:\n"
                "            db.fail(e)\n            raise\n        finally:\n            db.close()\n"
            )
        }
    )

    assert tree.events("jobs.py", "Base.run", of="Job") == [
        "> Base.run",
        "redis.Redis().lock",
        "> Job.work [with redis.Redis().lock]",
        "app.db.save [with redis.Redis().lock] [try]",
        "app.db.fail [with redis.Redis().lock] [catch]",
        "throw [with redis.Redis().lock] [catch]",
        "app.db.close [with redis.Redis().lock] [finally]",
    ]


def test_a_branch_that_only_the_environment_opens_is_no_default(linked: Link) -> None:
    tree = linked(
        {
            "env.py": (
                "import os\ndef setting(name, default):\n    if path := os.environ.get(f'{name}_FILE'):\n"
                "        with open(path) as handle:\n            result = handle.read()\n    else:\n"
                "        result = os.environ.get(name, default)\n    return result\n"
                "probe(setting('ZONE', 'UTC'))\n"
            )
        }
    )
    assert tree.probe("env.py") == [("UTC", "builtins.open().read()")]


def test_keywords_of_dict_and_names_of_functions(linked: Link) -> None:
    tree = linked(
        {
            "app/jobs.py": (
                "from celery import shared_task\ndef plain():\n    pass\n@shared_task\ndef sweep():\n    pass\n"
                "@shared_task(name='billing.close')\ndef close():\n    pass\n"
                "probe(dict(a=1, b=dict(c=2)), dict({'a': 1}, b=2), plain.__name__, sweep.name, close.name)\n"
            )
        }
    )

    assert tree.probe("app/jobs.py") == [
        {"a": 1, "b": {"c": 2}},
        {"a": 1, "b": 2},
        "plain",
        "app.jobs.sweep",
        "billing.close",
    ]


def test_a_module_does_not_import_itself(linked: Link) -> None:
    tree = linked({"app/celery.py": "from celery import Celery\nprobe(Celery)\n"})

    assert tree.probe("app/celery.py") == ["celery.Celery"]


def test_submodules_that_are_taken_from_a_package_are_imported(linked: Link) -> None:
    tree = linked(
        {
            "shop/__init__.py": "",
            "shop/tasks.py": "def sweep(): pass\n",
            "shop/jobs/nightly.py": "def close(): pass\n",
            "shop/main.py": "from shop import tasks\nfrom shop.jobs import nightly\nfrom .tasks import sweep\n",
        }
    )

    assert tree.index.imported_files("shop/main.py") == (
        "shop/__init__.py",
        "shop/jobs/nightly.py",
        "shop/tasks.py",
    )


def test_a_walk_enters_what_decorators_of_the_project_have_made(linked: Link) -> None:
    tree = linked(
        {
            "shop/wrap.py": (
                "import functools\nfrom vendor import begin, end\n"
                "def named(name):\n    def decorate(func):\n        @functools.wraps(func)\n"
                "        def run(*args):\n            begin(name)\n"
                "            try:\n                return func(*args)\n"
                "            finally:\n                end(name)\n        return run\n    return decorate\n"
                "def listed(func):\n    LIST.append(func)\n    return func\n"
            ),
            "shop/tasks.py": (
                "from vendor import task, one, two\nfrom shop.wrap import listed, named\n"
                "@task\n@listed\n@named('a')\ndef first():\n    one()\n    second()\n"
                "@named('b')\ndef second():\n    two()\n"
            ),
        }
    )

    assert tree.events("shop/tasks.py", "first") == [
        "> named.decorate.run",
        "vendor.begin",
        "> first [try]",
        "vendor.one [try]",
        "> named.decorate.run [try]",
        "vendor.begin [try]",
        "> second [try] [try]",
        "vendor.two [try] [try]",
        "vendor.end [try] [finally]",
        "vendor.end [finally]",
    ]


def test_a_conversion_that_fails_takes_the_default_of_its_handler(linked: Link) -> None:
    """A variable that nobody has set is no number; ``try: … except: return default`` is the default of it."""
    tree = linked(
        {
            "app/env.py": (
                "import os\ndef read(name, other=None):\n    got = os.environ.get(name) or other\n"
                "    return got.strip() if got else got\n"
                "def number(text, otherwise=0):\n    try:\n        return int(text)\n"
                "    except (TypeError, ValueError):\n        return otherwise\n"
                "def guess(text):\n    try:\n        return int(text)\n    except ValueError:\n        return ask()\n"
                "probe(number(read('LIMIT'), 5 * 60), number('7', 9), number(read('N', '3'), 9), guess('x'))\n"
                "LIMIT = number(read('LIMIT'), 5 * 60)\n"
                "class Task:\n    def __init__(self, title, limit: int = LIMIT):\n        self.limit = limit\n"
                "class Periodic(Task):\n    def __init__(self, *args, func, **kwargs):\n"
                "        super().__init__(*args, **kwargs)\n"
                "class Sweep(Periodic):\n    def __init__(self):\n        super().__init__(title='s', func='f')\n"
                "measure(Sweep().limit)\n"
            )
        }
    )

    assert tree.probe("app/env.py")[:3] == [300, 7, 3]
    assert tree.probe("app/env.py", "measure") == [300]


def test_the_last_assignment_on_every_way_to_a_use_counts(linked: Link) -> None:
    tree = linked(
        {
            "plan.py": (
                "def one(kind):\n"
                "    if kind == 'every':\n"
                "        fields = {'every': 5}\n"
                "        return fields\n"
                "    fields = {'hour': 2}\n"
                "    return fields\n\n"
                "def maybe(late):\n"
                "    hour = 1\n"
                "    hour = 2\n"
                "    if late:\n"
                "        hour = 3\n"
                "    found = hour\n"
                "    hour = 4\n"
                "    return found\n\n"
                "def around():\n"
                "    zone = 'UTC'\n"
                "    for _ in range(3):\n"
                "        found = zone\n"
                "        zone = 'CET'\n"
                "    return found\n\n"
                "def later():\n"
                "    zone = 'UTC'\n"
                "    found = lambda: zone\n"
                "    zone = 'CET'\n"
                "    return found()\n\n"
                "probe(one('x'), maybe(flag()), around(), later())\n"
            )
        }
    )

    assert tree.probe("plan.py") == [
        {"hour": 2},
        (2, 3),
        ("UTC", "CET"),
        ("UTC", "CET"),
    ]


def test_format_of_a_text(linked: Link) -> None:
    tree = linked(
        {
            "app/names.py": (
                "NAME = '{f.__module__}.{f.__name__}'\nPAIR = '{0}:{1}:{0}'\nBRACES = '{{{}}}'\nOPEN = '{missing}'\n\n"
                "def sweep():\n    pass\n\n"
                "probe(NAME.format(f=sweep), PAIR.format('a', 2), BRACES.format(1), OPEN.format())\n"
            )
        }
    )

    assert tree.probe("app/names.py") == [
        "app.names.sweep",
        "a:2:a",
        "{1}",
        "unknown: format of a text",
    ]


def test_settings_that_a_framework_gathers(linked: Link) -> None:
    tree = linked(
        {
            "one/settings/base.py": (
                "HOUR = 60 * 60\nKEEP = 6 * HOUR\nEVERY = 5\nOFF = 0\nZONE = 'UTC'\nLIMITS = {'mail': 9}\n"
            ),
            "one/settings/production.py": "from one.settings.base import *\nEVERY = 15\n",
            "one/settings/local.py": "from one.settings.base import *\nZONE = 'CET'\n",
            "one/jobs.py": (
                "from frame.conf import settings\n"
                "probe(settings.KEEP, settings.EVERY, settings.OFF, settings.ZONE, settings.LIMITS['mail'],\n"
                "      settings.NAMED_NOWHERE, settings.configured)\n"
            ),
            "two/settings.py": "KEEP = 7\n",
            "two/jobs.py": "from frame.conf import settings\nprobe(settings.KEEP)\n",
        }
    )

    assert tree.probe("one/jobs.py") == [
        21600,
        "frame.conf.settings.EVERY",
        "frame.conf.settings.OFF",
        "UTC",
        9,
        "frame.conf.settings.NAMED_NOWHERE",
        "frame.conf.settings.configured",
    ]
    assert tree.probe("two/jobs.py") == [7]


def test_fields_of_classes_without_a_constructor(linked: Link) -> None:
    tree = linked(
        {
            "tasks.py": (
                "from dataclasses import dataclass, field\n\n"
                "@dataclass\nclass Base:\n    name: str\n    every: int = 60\n\n"
                "@dataclass\nclass Task(Base):\n    work: object = field(compare=False)\n    kind = 'plain'\n\n"
                "class Made:\n    every: int\n    def __init__(self, number):\n        self.every = number * 2\n\n"
                "def run():\n    pass\n\n"
                "a = Task('a', 5, run)\nb = Task(work=run, name='b')\nc = Base(*rest(), every=7)\n"
                "probe(a.name, a.every, a.work, a.kind, b.name, b.every, b.work, c.every, Made(4).every)\n"
            )
        }
    )

    assert tree.probe("tasks.py") == ["a", 5, "function run", "plain", "b", 60, "function run", 7, 8]


def test_a_member_that_is_named_by_a_text(linked: Link) -> None:
    tree = linked(
        {
            "a.py": """
                import logging

                LOGGER = logging.getLogger("a")

                def report(level="warning", *, other):
                    log = getattr(LOGGER, level)
                    log("failed")
                    getattr(LOGGER, other)("failed")

                def run(kind):
                    report(other=kind)
            """
        }
    )
    assert tree.events("a.py", "run") == [
        "> run",
        "> report",
        "builtins.getattr",
        "logging.getLogger().warning",
        "builtins.getattr",
        "builtins.getattr()",
    ]
