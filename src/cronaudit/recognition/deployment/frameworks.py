"""Frameworks that load files by their place: what a server of theirs starts without importing it."""

from __future__ import annotations

import posixpath
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.source import NOT_RUN
from cronaudit.recognition.deployment.files import Files

_SCRIPT: Final = r"\.[cm]?[jt]sx?"

CONVENTIONS: Final = {
    "next": rf"(?:src/)?(?:(?:instrumentation(?:[-.]node)?|middleware|proxy|server){_SCRIPT}"
    rf"|app/(?:.+/)?(?:route|page|layout){_SCRIPT}|pages/.+{_SCRIPT})",
    "nuxt": rf"(?:src/)?server/(?:.+){_SCRIPT}|nuxt\.config{_SCRIPT}",
    "remix": rf"(?:app/)?(?:entry\.server|root){_SCRIPT}|app/(?:routes\b.*|.*routes){_SCRIPT}|server{_SCRIPT}",
    "sveltekit": rf"src/(?:hooks\.server|instrumentation\.server){_SCRIPT}|src/routes/.+\+[\w.]*server{_SCRIPT}",
    "astro": rf"src/(?:middleware|pages/.+){_SCRIPT}",
    "nest": r"(?:src/|apps/[^/]+/src/)?main\.[jt]s",
    "strapi": rf"(?:\./)?(?:src/index|config/(?:cron-tasks|cron|server|functions/(?:cron|bootstrap))|src/api/.+|"
    rf"src/extensions/.+|src/plugins/.+){_SCRIPT}",
    "medusa": rf"src/(?:jobs|subscribers|api|workflows|loaders|modules|links)/.+{_SCRIPT}|medusa-config{_SCRIPT}",
    "sails": rf"app{_SCRIPT}|config/.+{_SCRIPT}|api/.+{_SCRIPT}",
    "adonis": rf"(?:bin/)?server{_SCRIPT}|start/.+{_SCRIPT}|providers/.+{_SCRIPT}|adonisrc{_SCRIPT}",
    "meteor": rf"server/.+{_SCRIPT}|imports/startup/server/.+{_SCRIPT}",
    "payload": rf"(?:src/)?payload\.config{_SCRIPT}",
    "redwood": rf"api/src/(?:functions|jobs|server).*{_SCRIPT}",
}
"""Regular expressions for paths below the package's folder."""

CONFIGURATION: Final = {
    "next.config": "next",
    "nuxt.config": "nuxt",
    "svelte.config": "sveltekit",
    "astro.config": "astro",
    "react-router.config": "remix",
    "remix.config": "remix",
    "nest-cli": "nest",
}
"""Frameworks by the file that configures them."""

DEPENDENCIES: Final = {
    "next": "next",
    "nuxt": "nuxt",
    "@remix-run/node": "remix",
    "@remix-run/serve": "remix",
    "@react-router/node": "remix",
    "@react-router/serve": "remix",
    "@sveltejs/kit": "sveltekit",
    "astro": "astro",
    "@nestjs/core": "nest",
    "@strapi/strapi": "strapi",
    "@medusajs/medusa": "medusa",
    "sails": "sails",
    "@adonisjs/core": "adonis",
}
"""Frameworks by the package that a package.json depends on."""

_COMPILED: Final = {name: lazy_regex(pattern) for name, pattern in CONVENTIONS.items()}


def conventions(files: Files, folder: str, framework: str) -> tuple[str, ...]:
    """The files of a package that its framework loads by their place, sorted."""
    known = files.conventions.get((folder, framework))
    if known is None:
        known = files.conventions[folder, framework] = _conventions(files, folder, framework)
    return known


def _conventions(files: Files, folder: str, framework: str) -> tuple[str, ...]:
    pattern = _COMPILED.get(framework)
    if pattern is None:
        return ()
    start = len(folder) + 1 if folder else 0
    found = []
    for path in files.below(folder):
        file = files.get(path)
        if pattern.fullmatch(path, start) and file is not None and file.role not in NOT_RUN:
            found.append(path)
    return tuple(found)


def framework_in(files: Files, folder: str) -> str | None:
    """The framework whose configuration lies in a folder."""
    for path in files.inside(folder):
        name = posixpath.basename(path)
        for start, framework in CONFIGURATION.items():
            if name.startswith(start + "."):
                return framework
    return None


def frameworks_of(files: Files, manifest: str) -> list[str]:
    """The frameworks that a package.json depends on."""
    depends = files.document(manifest).get("dependencies")
    names = depends if isinstance(depends, dict) else {}
    return list(dict.fromkeys(framework for name, framework in DEPENDENCIES.items() if name in names))
