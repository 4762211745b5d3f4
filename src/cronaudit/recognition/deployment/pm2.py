"""PM2: ecosystem files in JavaScript, JSON or YAML."""

from __future__ import annotations

import posixpath
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import (
    Command,
    Environment,
    MemoryLimit,
    ProcessKind,
    Replicas,
    Stated,
    Variable,
)
from cronaudit.model.source import Language, SourceFile
from cronaudit.recognition.deployment import shell
from cronaudit.recognition.deployment.assembly import Assembly, Draft
from cronaudit.recognition.deployment.documents import Item, documents
from cronaudit.recognition.deployment.launch import Managed
from cronaudit.recognition.deployment.literals import literal
from cronaudit.recognition.deployment.quantities import size

_NAME: Final = lazy_regex(r"(?:ecosystem|pm2|processes)(?:[.-][\w.-]+)?\.(?:[cm]?js|json|ya?ml)")
_APPS: Final = lazy_regex(r"""['"]?\bapps['"]?\s*:\s*(?=\[)|\bapps\s*=\s*(?=\[)""")


def is_pm2(file: SourceFile) -> bool:
    """Whether a file is one, by its name."""
    name = posixpath.basename(file.path)
    return _NAME.fullmatch(name) is not None and file.language in {
        Language.JAVASCRIPT,
        Language.JSON,
        Language.YAML,
    }


def read(assembly: Assembly, managed: Managed) -> list[Draft]:
    """The apps of an ecosystem file."""
    path = managed.path
    text = assembly.files.text(path)
    if path.endswith((".yml", ".yaml")):
        found, problem = documents(path, text)
        if problem is not None:
            assembly.files.note(path, problem)
        apps = found[0].at("apps").each() if found else ()
    else:
        apps = ()
        for match in _APPS.finditer(text):
            value = literal(path, text, match.end())
            apps = apps or tuple(one for one in (value.each() if value else ()) if one.at("script").there)
    return [draft for app in apps if (draft := _app(assembly, managed, app)) is not None]


def _app(assembly: Assembly, managed: Managed, app: Item) -> Draft | None:
    script = app.at("script")
    if script.scalar is None:
        return None
    words = _words(app, script.text)
    place = (
        managed.place if managed.place.stage is not None else assembly.host(posixpath.dirname(managed.path))
    )
    folder = app.at("cwd")
    if folder.scalar is not None:
        place = place.cd(folder.text)
    environment = assembly.environment(managed.path)
    draft = Draft(
        app.at("name").text or posixpath.basename(script.text),
        ProcessKind.PM2,
        app.place,
        Environment.PRODUCTION if environment is Environment.UNKNOWN else environment,
        place,
        command=Command(" ".join((script.text, *_texts(app.at("args")))), words, script.place),
    )
    limit = app.at("max_memory_restart")
    if limit.scalar is not None:
        draft.limits.append(MemoryLimit("restart", limit.text, size(limit.text), limit.place))
    draft.replicas = _instances(app)
    grace = app.at("kill_timeout")
    if grace.scalar is not None:
        # In milliseconds.
        wait = float(grace.text) / 1000 if grace.text.isdigit() else None
        draft.stop_grace = Stated(wait, grace.text, grace.place)
    restart = app.at("autorestart")
    if restart.scalar is not None:
        draft.restart = Stated(restart.text, restart.text, restart.place)
    cron = app.at("cron_restart")
    if cron.scalar is not None:
        draft.schedule = Stated(cron.text, cron.text, cron.place)
    for key in ("env_production", "env"):
        for name, value in app.at(key).pairs():
            draft.variables.append(Variable(name, value.scalar, value.place))
    return draft


def _texts(item: Item) -> tuple[str, ...]:
    return item.words() if item.items is not None else shell.words(item.text)


def _words(app: Item, script: str) -> tuple[str, ...]:
    arguments = _texts(app.at("args"))
    options = _texts(app.at("node_args")) or _texts(app.at("interpreter_args"))
    interpreter = app.at("interpreter").text
    if " " in script:
        return ("sh", "-c", script)
    if not interpreter and script.endswith((".js", ".cjs", ".mjs", ".ts")):
        interpreter = "node"
    if not interpreter and script.endswith(".py"):
        interpreter = "python"
    head = (interpreter, *options) if interpreter and interpreter != "none" else ()
    return (*head, script, *arguments)


def _instances(app: Item) -> Replicas | None:
    count = app.at("instances")
    if count.scalar is None:
        return None
    if count.text in {"max", "0", "-1"}:
        return Replicas("many", None, "instances", count.text, count.place)
    value = int(count.text) if count.text.isdigit() else None
    return Replicas("unresolved" if value is None else "exact", value, "instances", count.text, count.place)
