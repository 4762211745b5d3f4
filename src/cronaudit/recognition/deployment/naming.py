"""What names say: the environment of a manifest, the role of a service, script or program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import Entry, Environment, ProcessRole
from cronaudit.model.source import Role

_WORD: Final = lazy_regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_PART: Final = lazy_regex(r"[A-Za-z0-9]+")
_WHOLE: Final = frozenset({"e2e", "k8s", "i18n"})
_ENVIRONMENTS: Final = {
    **dict.fromkeys(
        "test tests testing e2e ci integration cypress playwright smoke loadtest perf benchmark benchmarks".split(),
        Environment.TEST,
    ),
    **dict.fromkeys(
        "dev develop development devcontainer local debug override localhost sandbox devel".split(),
        Environment.DEVELOPMENT,
    ),
    **dict.fromkeys(
        "example examples sample samples demo demos docs doc documentation tutorial tutorials".split(),
        Environment.EXAMPLE,
    ),
    **dict.fromkeys(
        "prod production deploy deployment deployments release live k8s kubernetes helm charts swarm stack".split(),
        Environment.PRODUCTION,
    ),
}
_CLEAREST: Final = (
    Environment.TEST,
    Environment.DEVELOPMENT,
    Environment.EXAMPLE,
    Environment.PRODUCTION,
)

_ROLES: Final = {
    ProcessRole.TEST: """test tests testing e2e spec cypress playwright jest vitest pytest""",
    ProcessRole.BUILD: """build builder lint format typecheck prepare postinstall preinstall clean codegen generate
        generator compile bundle webpack storybook docs release version publish dev develop development watch debug""",
    ProcessRole.SCRIPT: """migrate migrator migration migrations seed seeder init setup backup backfill collectstatic
        bootstrap createsuperuser provision""",
    ProcessRole.SCHEDULER: """scheduler schedulers schedule beat celerybeat cron crons crond clock timer timers cronjob
        cronjobs rqscheduler""",
    ProcessRole.WORKER: """worker workers queue queues consumer consumers job jobs background bg bgworker processor
        processors processing task tasks celery sidekiq resque runner daemon""",
    ProcessRole.SERVER: """web api server http https www frontend backend gateway graphql rest site wsgi asgi uwsgi
        serve websocket ws""",
}
"""Words in names; of several the first role here is taken."""
_ROLE_OF_WORD: Final = {word: role for role, words in _ROLES.items() for word in words.split()}
_ORDER: Final = {role: number for number, role in enumerate(_ROLES)}

_ANYTHING: Final = frozenset(
    "node nodejs tsx ts-node ts-node-esm ts-node-script ts-node-transpile-only ts-node-dev tsnd esno esmo babel-node"
    " swc-node sucrase-node vite-node jiti bun deno python django flask nest nx".split()
)
"""Programs whose name does not tell what runs."""
_STARTING: Final = frozenset(
    "start serve prod production worker workers scheduler cron queue consumer server daemon beat run launch".split()
)
_NOT_STARTING: Final = frozenset(
    "db docker compose deploy prisma typeorm knex sequelize drizzle i18n translate stripe storybook email"
    " electron tunnel ngrok mock mocks ios android expo native desktop check".split()
)


def words(name: str) -> list[str]:
    """Lower-case words of a name in any case: `start:worker`, `beat-worker`, `runJobs`."""
    found: list[str] = []
    for part in _PART.findall(name):
        inner = [word.lower() for word in _WORD.findall(part)]
        found.extend([part.lower()] if part.lower() in _WHOLE else inner)
    return found


def environment_of_name(name: str) -> Environment:
    """What a name says: a profile, a project's name, a stage."""
    found = {_ENVIRONMENTS[word] for word in words(name) if word in _ENVIRONMENTS}
    return next((environment for environment in _CLEAREST if environment in found), Environment.UNKNOWN)


def environment_of(path: str, role: Role | None = None) -> Environment:
    """What the path of a manifest says. The file's own name decides before its folders, the inner before the outer.

    A folder counts by its whole name: `integration-service` is no place for tests.
    """
    *folders, name = path.split("/")
    found = environment_of_name(name)
    for folder in reversed(folders):
        if found is Environment.UNKNOWN:
            found = _ENVIRONMENTS.get(folder.lower().lstrip("."), Environment.UNKNOWN)
    if found is not Environment.UNKNOWN:
        return found
    if role is Role.TEST:
        return Environment.TEST
    if role is Role.DOCS:
        return Environment.EXAMPLE
    return Environment.UNKNOWN


def weaker(first: Environment, second: Environment) -> Environment:
    """Of what two things say: what speaks against production wins."""
    for environment in (
        Environment.TEST,
        Environment.DEVELOPMENT,
        Environment.EXAMPLE,
        Environment.PRODUCTION,
    ):
        if environment in {first, second}:
            return environment
    return Environment.UNKNOWN


def role_of_name(name: str) -> ProcessRole:
    """The role that a service, script or file is called after; of several, what says more about jobs."""
    found = {_ROLE_OF_WORD[word] for word in words(name) if word in _ROLE_OF_WORD}
    return min(found, key=_ORDER.__getitem__, default=ProcessRole.UNKNOWN)


def role_of_entries(entries: Iterable[Entry], name: str) -> ProcessRole:
    """The role of a process. One that serves requests beside its jobs is a server.

    A program that is for one thing (celery, gunicorn) decides. Where any file may be run (`node dist/main.js`), the
    names do, that of the process before that of the file; if one of them says server, it is one.
    """
    mains = [entry for entry in entries if entry.main]
    clear = {entry.role for entry in mains if entry.program not in _ANYTHING}
    for role in (ProcessRole.SERVER, ProcessRole.SCHEDULER, ProcessRole.WORKER):
        if role in clear:
            return role
    called = [role_of_name(name), *(entry.role for entry in mains)]
    if ProcessRole.SERVER in called:
        return ProcessRole.SERVER
    return next((role for role in called if role is not ProcessRole.UNKNOWN), ProcessRole.UNKNOWN)


def starts_a_service(script: str) -> bool:
    """Whether a script of package.json is one that runs in production, by its name."""
    if script.startswith(("pre", "post")) and script not in {"prod", "production"}:
        return False
    found = words(script)
    if not found or _STARTING.isdisjoint(found[:2]) or not _NOT_STARTING.isdisjoint(found):
        return False
    return not any(
        _ROLE_OF_WORD.get(word) in {ProcessRole.TEST, ProcessRole.BUILD, ProcessRole.SCRIPT}
        or _ENVIRONMENTS.get(word) in {Environment.TEST, Environment.DEVELOPMENT}
        for word in found
    )
