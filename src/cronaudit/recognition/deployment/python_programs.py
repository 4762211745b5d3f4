"""Programs of the Python world, and the supervisors of both: what each of them starts."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from msgspec.structs import replace

from cronaudit.model.deployment import ProcessRole
from cronaudit.recognition.deployment.launch import Follow, Handler
from cronaudit.recognition.deployment.naming import role_of_name
from cronaudit.recognition.deployment.wrappers import options, program_of

_VALUED: Final = frozenset("-X -W --check-hash-based-pycs".split())
_CELERY: Final = frozenset(
    "-A --app -b --broker -l --loglevel -c --concurrency -Q --queues -n --hostname -P --pool -O -f --logfile"
    " --pidfile -s --schedule -S --scheduler --max-memory-per-child --max-tasks-per-child --time-limit"
    " --soft-time-limit --workdir --config --loader --result-backend --uid --gid --autoscale -X --statedb"
    " --prefetch-multiplier".split()
)
_SERVER: Final = frozenset(
    "-w --workers -k --worker-class -b --bind -c --config --chdir --host --port -p -t --timeout --threads --log-level"
    " --access-logfile --error-logfile --max-requests --max-requests-jitter --graceful-timeout --keep-alive --name -n"
    " -e --env -u --user -g --group --pid --log-config --log-file --app-dir --loop --http --ws --lifespan --root-path"
    " --worker-tmp-dir --forwarded-allow-ips --interface --application-close-timeout --websocket_timeout -f".split()
)
_COMMANDS: Final = {
    **dict.fromkeys("runserver runserver_plus daphne".split(), ProcessRole.SERVER),
    **dict.fromkeys(
        "rqworker qcluster process_tasks db_worker run_huey rundramatiq procrastinate celery_worker".split(),
        ProcessRole.WORKER,
    ),
    **dict.fromkeys("rqscheduler runapscheduler runcrons celery_beat".split(), ProcessRole.SCHEDULER),
    **dict.fromkeys(
        "migrate makemigrations collectstatic createsuperuser loaddata compress compilemessages check flush"
        " createcachetable clear_cache wait_for_db clearsessions".split(),
        ProcessRole.SCRIPT,
    ),
    "test": ProcessRole.TEST,
}
"""Management commands that come with Django or a library."""
_PROGRAMS: Final = {
    "rqworker": "rq",
    "rqscheduler": "rq",
    "qcluster": "django-q",
    "run_huey": "huey",
    "rundramatiq": "dramatiq",
    **{name: name for name in ("rq", "dramatiq", "arq", "huey", "procrastinate", "taskiq")},
}
"""Commands and groups of commands that are a library's own program: ``manage.py rqworker``, ``manage.py rq worker``."""


def python(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`python -m package.module`, `python manage.py command`, `python file.py`, `./manage.py command`."""
    if program_of(follow.argv[0]) != "python":
        rest = follow.argv  # the file itself was run
    at = 0
    while at < len(rest) and rest[at].startswith("-"):
        if rest[at] == "-m" and at + 1 < len(rest):
            return _module(follow, rest[at + 1], rest[at + 2 :])
        if rest[at] == "-c":
            return False
        at += 2 if rest[at] in _VALUED else 1
    if at >= len(rest):
        return False
    target, arguments = rest[at], rest[at + 1 :]
    if posixpath.basename(target) == "manage.py":
        return django(follow, arguments, follow.place.source(target))
    return follow.add("python", target, follow.place.source(target), _role(arguments))


def _role(arguments: tuple[str, ...]) -> ProcessRole:
    word = arguments[0] if arguments else ""
    return role_of_name(word) if re.fullmatch(r"[\w:-]+", word) else ProcessRole.UNKNOWN


def _module(follow: Follow, name: str, rest: tuple[str, ...]) -> bool:
    handler = HANDLERS.get(name.split(".", maxsplit=1)[0])
    if handler is not None and name != "python":
        inner = replace(follow, argv=(name.split(".", maxsplit=1)[0], *rest))
        return handler(inner, rest)
    path = follow.place.module(name + ".__main__") or follow.place.module(name)
    return follow.add("python", name, path, _role(rest))


def django(follow: Follow, arguments: tuple[str, ...], manage: str | None) -> bool:
    """A management command: its own file, else `manage.py`."""
    _, plain = options(arguments, frozenset({"--settings", "--pythonpath", "-v", "--verbosity"}))
    name = plain[0] if plain else ""
    if name == "celery":
        return celery(follow, arguments[arguments.index(name) + 1 :])
    near = [posixpath.dirname(manage)] if manage is not None else []
    path = follow.launcher.sources.django_command(name, [*near, *follow.place.folders()])
    role = _COMMANDS.get(name, role_of_name(name))
    if role is ProcessRole.UNKNOWN and len(plain) > 1:
        role = _role(tuple(plain[1:]))  # a group of commands: ``manage.py rq worker``
    return follow.add(_PROGRAMS.get(name, "django"), name, path or manage, role)


def django_admin(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`django-admin command`."""
    return django(follow, rest, follow.place.source("manage.py"))


def celery(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`celery -A project worker`, `celery -A project beat`."""
    found, plain = options(rest, _CELERY)
    verb = next((word for word in plain if word in {"worker", "beat", "multi", "flower", "events"}), "")
    if "--max-memory-per-child" in found:
        text = found["--max-memory-per-child"]
        kilobytes = int(text) * 1024 if text.isdigit() else None
        follow.limit("child", f"--max-memory-per-child={text}", kilobytes)
    name = found.get("-A") or found.get("--app") or ""
    place = follow.place.cd(found["--workdir"]) if "--workdir" in found else follow.place
    module = name.partition(":")[0]
    path = next(
        (
            one
            for candidate in (f"{module}.celery", f"{module}.celery_app", module, module.rpartition(".")[0])
            if candidate and (one := place.module(candidate)) is not None
        ),
        None,
    )
    if verb == "beat":
        role = ProcessRole.SCHEDULER
    elif verb in {"worker", "multi"}:
        role = ProcessRole.WORKER
        if "-B" in found or any(option.startswith("--beat") for option in found):
            follow.out.notes.append("the worker runs the beat too (-B)")
    elif verb == "flower":
        return follow.add(verb, name, None, ProcessRole.UNKNOWN)  # what it shows, rules/libraries know
    else:
        role = ProcessRole.SCRIPT
    return follow.add("celery", name, path, role)


def server(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`gunicorn app.wsgi:application`, `uvicorn app.main:app`."""
    found, plain = options(rest, _SERVER)
    place = follow.place
    for name in ("--chdir", "--app-dir"):
        if found.get(name):
            place = place.cd(found[name])
    # Which options take a word differs from server to server; `module:name` is told by its form.
    clear = (word for word in rest if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(?:\(.*\))?", word))
    target = next(clear, None) or next((word for word in plain if re.fullmatch(r"[\w.]+", word)), "")
    path = place.module(target.partition(":")[0]) if target else None
    return follow.add(program_of(follow.argv[0]), target, path, ProcessRole.SERVER)


def flask(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`flask --app app run`, `fastapi run app/main.py`; other commands of flask run to their end."""
    found, plain = options(rest, frozenset({"--app", "-A", "-h", "--host", "-p", "--port", "--env-file"}))
    if plain[:1] in (["run"], ["dev"]):
        target = (
            found.get("--app") or found.get("-A") or follow.variables.get("FLASK_APP") or "".join(plain[1:2])
        )
        name = target.partition(":")[0]
        path = follow.place.source(name) if name.endswith(".py") else follow.place.module(name or "app")
        return follow.add(program_of(follow.argv[0]), target, path, ProcessRole.SERVER)
    name = found.get("--app") or found.get("-A") or follow.variables.get("FLASK_APP", "app")
    return follow.add(
        "flask", " ".join(plain), follow.place.module(name.partition(":")[0]), _role(tuple(plain))
    )


def worker(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`rq worker`, `dramatiq tasks`, `arq tasks.Settings`, `huey_consumer app.huey`, `taskiq scheduler app:s`."""
    program = program_of(follow.argv[0]).removesuffix(".py")
    _, plain = options(
        rest, frozenset("-u --url -c --config -p --processes -t --threads -w --workers -k -n -Q".split())
    )
    role = ProcessRole.WORKER
    if "scheduler" in program or plain[:1] == ["scheduler"]:
        role = ProcessRole.SCHEDULER
    path = None
    for word in plain:
        module = word.partition(":")[0]
        path = follow.place.module(module) or follow.place.module(module.rpartition(".")[0])
        if path is not None and "." in word + "." and word not in {"worker", "scheduler"}:
            return follow.add(program, word, path, role)
    return follow.add(program, " ".join(plain), None, role)


def supervisord(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`supervisord -c /etc/supervisord.conf`."""
    found, _ = options(rest, frozenset({"-c", "--configuration", "-u", "-j", "-l", "-e", "-d"}))
    named = found.get("-c") or found.get("--configuration")
    for candidate in (
        (named,)
        if named
        else ("/etc/supervisord.conf", "/etc/supervisor/supervisord.conf", "supervisord.conf")
    ):
        path = follow.place.find(candidate)
        if path is not None:
            return follow.manage("supervisor", path)
    follow.out.notes.append("supervisord runs here, its configuration is not in the tree")
    return False


def init(follow: Follow, _rest: tuple[str, ...]) -> bool:
    """`/init` of s6-overlay: it runs the services of a folder."""
    for folder in ("/etc/s6-overlay/s6-rc.d", "/etc/services.d"):
        for candidate in follow.place.candidates(folder):
            if follow.files.is_folder(candidate):
                return follow.manage("s6", candidate)
    return False


def uwsgi(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`uwsgi uwsgi.ini`, `uwsgi --ini app.ini`, `uwsgi --module app.wsgi`."""
    found, plain = options(
        rest, frozenset("--ini --module -w --wsgi --wsgi-file --http --socket -s -H --chdir -p".split())
    )
    for candidate in (found.get("--ini"), *plain):
        if candidate and candidate.endswith(".ini"):
            path = follow.place.find(candidate)
            if path is not None:
                return follow.manage("uwsgi", path)
    target = found.get("--module") or found.get("-w") or found.get("--wsgi-file") or ""
    place = follow.place.cd(found["--chdir"]) if found.get("--chdir") else follow.place
    path = place.source(target) if target.endswith(".py") else place.module(target.partition(":")[0])
    return follow.add("uwsgi", target, path, ProcessRole.SERVER)


def procfile(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`honcho start`, `foreman start -f Procfile`."""
    found, plain = options(rest, frozenset({"-f", "--procfile", "-e", "-p"}))
    path = follow.place.find(found.get("-f") or found.get("--procfile") or "Procfile")
    return plain[:1] == ["start"] and path is not None and follow.manage("procfile", path)


def crond(follow: Follow, rest: tuple[str, ...]) -> bool:
    """A cron daemon in the container; the crontab it reads, where the command names it."""
    _, plain = options(rest, frozenset({"-c", "-L", "-l", "-d"}))
    path = follow.place.find(plain[0]) if plain else None
    return follow.add(program_of(follow.argv[0]), "".join(plain[:1]), path, ProcessRole.SCHEDULER)


HANDLERS: Final[dict[str, Handler]] = {
    **dict.fromkeys(("python", "pypy", "pypy3", "manage.py"), python),
    "django-admin": django_admin,
    "django": django_admin,
    "celery": celery,
    **dict.fromkeys(
        "gunicorn uvicorn hypercorn daphne granian waitress-serve waitress litestar sanic".split(), server
    ),
    **dict.fromkeys(("flask", "fastapi"), flask),
    **dict.fromkeys(
        "rq rqworker rqscheduler dramatiq arq huey_consumer huey_consumer.py procrastinate taskiq dramatiq-gevent"
        " saq streaq".split(),
        worker,
    ),
    "supervisord": supervisord,
    "init": init,
    "uwsgi": uwsgi,
    **dict.fromkeys(("honcho", "foreman", "overmind", "hivemind", "goreman"), procfile),
    **dict.fromkeys(("crond", "cron", "supercronic", "go-crond"), crond),
}
