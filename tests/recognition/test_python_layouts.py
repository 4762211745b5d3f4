"""Shapes of whole Python services: copied libraries, scripts in packages, hooks that a loader calls by their name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from cronaudit.audit import audit
from cronaudit.model.options import AuditOptions
from tests.recognition.small_trees import discover

DB = (
    "import psycopg2\nconn = psycopg2.connect('')\n\ndef sweep():\n    conn.execute('delete from sessions')\n"
)
SCHEDULER = "from apscheduler.schedulers.background import BackgroundScheduler\n"


def copied(folder: str, *names: str) -> dict[str, str]:
    """Copies of packages, of which one arms a timer of its own."""
    engine = "import time\n\ndef loop():\n    while True:\n        work()\n        time.sleep(1)\n"
    files = {f"{folder}/{name}/__init__.py": "" for name in names}
    library = f"{folder}/apscheduler"
    return files | {
        f"{library}/__init__.py": "",
        f"{library}/schedulers/__init__.py": "",
        f"{library}/schedulers/background.py": f"class BackgroundScheduler: pass\n{engine}",
    }


def test_a_folder_of_copied_packages_is_the_libraries_themselves(tmp_path: Path) -> None:
    files = {
        "main.py": SCHEDULER + "from jobs import sweep\n\nsched = BackgroundScheduler()\n"
        "sched.add_job(sweep, 'interval', minutes=5, id='sweep')\nsched.start()\n",
        "jobs.py": DB,
        **copied("ext", "certifi", "idna", "chardet"),
    }
    seen = discover(tmp_path, files).only()
    assert (seen.kind, seen.name, seen.schedule, seen.handler) == ("apscheduler", "sweep", "300 s", "sweep")


def test_two_names_that_a_project_may_use_itself_make_no_copy(tmp_path: Path) -> None:
    files = {
        "main.py": "from shop.loop import main\nmain()\n",
        "shop/__init__.py": "",
        "shop/loop.py": "import time\n"
        + DB
        + "\ndef main():\n    while True:\n        sweep()\n        time.sleep(60)\n",
        "shop/idna/__init__.py": "",
        "shop/decorator.py": "",
    }
    assert discover(tmp_path, files).only().schedule == "60 s"


def test_a_script_in_a_package_imports_what_lies_beside_it(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/main.py": "from app.plan import sched\nsched.start()\n",
        "shop/app/__init__.py": "",
        "shop/app/plan.py": SCHEDULER + "from sync.users import sweep\n\nsched = BackgroundScheduler()\n"
        "sched.add_job(sweep, 'interval', hours=1)\n",
        "shop/sync/__init__.py": "",
        "shop/sync/users.py": DB,
    }
    assert discover(tmp_path, files).only().handler == "sweep"


def test_jobs_of_one_name_in_branches_that_exclude_each_other_are_one(tmp_path: Path) -> None:
    code = (
        SCHEDULER + DB + "\nimport settings\nsched = BackgroundScheduler()\n\ndef plan():\n"
        "    if settings.often == 'daily':\n        sched.add_job(sweep, 'cron', hour=settings.hour, id='sweep')\n"
        "    elif settings.often == 'hourly':\n        sched.add_job(sweep, 'interval', hours=1, id='sweep')\n\n"
        "plan()\nsched.start()\n"
    )
    assert discover(tmp_path, {"main.py": code}).only().schedule == "3600 s"


def test_jobs_of_one_name_that_are_both_made_stay_two(tmp_path: Path) -> None:
    code = (
        SCHEDULER + DB + "\nimport settings\nsched = BackgroundScheduler()\n\ndef plan():\n"
        "    if settings.nights:\n        sched.add_job(sweep, 'cron', hour=3, id='sweep')\n"
        "    sched.add_job(sweep, 'interval', hours=1, id='sweep')\n\nplan()\nsched.start()\n"
    )
    assert [j.schedule for j in discover(tmp_path, {"main.py": code}).jobs] == ["0 3 * * *", "3600 s"]


def test_a_duration_of_which_a_part_is_open_is_open(tmp_path: Path) -> None:
    code = (
        SCHEDULER + DB + "\nfrom outside import settings\nsched = BackgroundScheduler()\n"
        "sched.add_job(sweep, 'interval', hours=1, minutes=int(settings.more), id='sweep')\nsched.start()\n"
    )
    seen = discover(tmp_path, {"main.py": code}).only()
    assert (seen.name, seen.schedule) == ("sweep", "open")


def test_a_spread_hides_no_argument_that_stands_before_it(tmp_path: Path) -> None:
    code = (
        SCHEDULER + DB + "\nfrom outside import settings\nsched = BackgroundScheduler()\n"
        "if settings.often:\n    fields = {'hour': 3}\nelse:\n    fields = {'day_of_week': 1, 'hour': 4}\n"
        "sched.add_job(sweep, 'cron', **fields, id='sweep')\nsched.start()\n"
    )
    seen = discover(tmp_path, {"main.py": code}).only()
    assert (seen.name, seen.schedule, seen.handler) == ("sweep", "open", "sweep")


HOOKED = {
    "web.py": "from pyramid.config import Configurator\nconfig = Configurator()\nconfig.include('.a')\n",
    "Procfile": "web: python web.py\n",
    **{f"parts/{part}.py": "def includeme(config):\n    pass\n" for part in ("b", "c")},
    "parts/a.py": "import schedule\nfrom jobs import sweep\n\n"
    "def includeme(config):\n    schedule.every(5).minutes.do(sweep)\n",
    "jobs.py": DB,
    "run.py": "import parts.a\n",
}


def test_a_function_that_several_files_define_is_called_by_a_loader(tmp_path: Path) -> None:
    assert discover(tmp_path, HOOKED).only().live is True


def test_a_name_of_its_own_that_nothing_calls_is_dormant(tmp_path: Path) -> None:
    files = HOOKED | {"parts/a.py": HOOKED["parts/a.py"].replace("includeme", "plan")}
    assert discover(tmp_path, files).only().live is False


def test_calls_that_cross_in_many_ways_are_followed_once(tmp_path: Path) -> None:
    layers = [
        "\n".join(
            f"def f{layer}_{n}():\n" + "".join(f"    f{layer - 1}_{m}()\n" for m in range(6))
            for n in range(6)
        )
        for layer in range(1, 11)
    ]
    (tmp_path / "main.py").write_text(
        "import schedule\n" + DB + "\n"
        + "\n".join(f"def f0_{n}():\n    schedule.every(5).minutes.do(sweep)\n" for n in range(6))
        + "\n".join(layers) + "\nif __name__ == '__main__':\n    f10_0()\n"
    )  # fmt: skip
    (tmp_path / "Procfile").write_text("clock: python main.py\n")
    result = audit(tmp_path, AuditOptions(date=date(2026, 11, 23))).result
    row = next(c for c in result.checks if c.id == "NODE-06")
    assert (len(result.jobs), row.status.value) == (6, "PASS")
