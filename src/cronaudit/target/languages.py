"""What a file is written in, from its name."""

from __future__ import annotations

from typing import Final

from cronaudit.model.source import Language

_BY_SUFFIX: Final[dict[str, Language]] = {
    "ts": Language.TYPESCRIPT,
    "mts": Language.TYPESCRIPT,
    "cts": Language.TYPESCRIPT,
    "tsx": Language.TSX,
    "js": Language.JAVASCRIPT,
    "mjs": Language.JAVASCRIPT,
    "cjs": Language.JAVASCRIPT,
    "jsx": Language.JAVASCRIPT,
    "es6": Language.JAVASCRIPT,
    "py": Language.PYTHON,
    "pyi": Language.PYTHON,
    "pyw": Language.PYTHON,
    "yml": Language.YAML,
    "yaml": Language.YAML,
    "json": Language.JSON,
    "jsonc": Language.JSON,
    "json5": Language.JSON,
    "webmanifest": Language.JSON,
    "toml": Language.TOML,
    "ini": Language.INI,
    "cfg": Language.INI,
    # Units of systemd are sections of key=value lines.
    "service": Language.INI,
    "timer": Language.INI,
    "dockerfile": Language.DOCKERFILE,
    "sh": Language.SHELL,
    "bash": Language.SHELL,
    "zsh": Language.SHELL,
    "ksh": Language.SHELL,
    "cron": Language.CRONTAB,
    "crontab": Language.CRONTAB,
    "md": Language.MARKDOWN,
    "mdx": Language.MARKDOWN,
    "markdown": Language.MARKDOWN,
    "sql": Language.SQL,
    "prisma": Language.PRISMA,
    "env": Language.ENV,
    "html": Language.HTML,
    "htm": Language.HTML,
    "vue": Language.HTML,
    "svelte": Language.HTML,
    "astro": Language.HTML,
}

_BY_NAME: Final[dict[str, Language]] = {
    "dockerfile": Language.DOCKERFILE,
    "containerfile": Language.DOCKERFILE,
    "procfile": Language.PROCFILE,
    "crontab": Language.CRONTAB,
    "crontabs": Language.CRONTAB,
    "pipfile": Language.TOML,
    ".env": Language.ENV,
}

_BY_PREFIX: Final[tuple[tuple[str, Language], ...]] = (
    ("dockerfile.", Language.DOCKERFILE),
    ("containerfile.", Language.DOCKERFILE),
    ("procfile.", Language.PROCFILE),
    (".env.", Language.ENV),
    ("crontab.", Language.CRONTAB),
    ("crontab-", Language.CRONTAB),
)

_INTERPRETERS: Final[tuple[tuple[bytes, Language], ...]] = (
    (b"python", Language.PYTHON),
    (b"node", Language.JAVASCRIPT),
    (b"bun", Language.TYPESCRIPT),
    (b"deno", Language.TYPESCRIPT),
    (b"tsx", Language.TYPESCRIPT),
    (b"sh", Language.SHELL),
)

SCRIPTS: Final = frozenset({Language.TYPESCRIPT, Language.TSX, Language.JAVASCRIPT})
"""The languages that share npm's packages and imports."""

CODE: Final = frozenset({Language.TYPESCRIPT, Language.TSX, Language.JAVASCRIPT, Language.PYTHON})
"""Languages that are parsed into the intermediate representation."""

CRON_FOLDERS: Final = frozenset({"cron.d", "crontabs"})
"""Folders whose files without a suffix are crontabs (`etc/cron.d`, `var/spool/cron/crontabs`)."""


def language_of(name: str, folder: str) -> Language:
    """Language by file name; `folder` is the name of the folder that the file lies in."""
    lower = name.lower()
    stem, dot, suffix = lower.rpartition(".")
    if dot and stem:
        found = _BY_SUFFIX.get(suffix)
        if found is not None:
            return found
    found = _BY_NAME.get(lower)
    if found is not None:
        return found
    for prefix, language in _BY_PREFIX:
        if lower.startswith(prefix):
            return language
    if not dot and folder in CRON_FOLDERS:
        return Language.CRONTAB
    if suffix == "conf" and lower.startswith("supervisor"):
        return Language.INI
    return Language.OTHER


def language_of_shebang(head: bytes) -> Language:
    """Language of a script without a suffix, from its first line."""
    if not head.startswith(b"#!"):
        return Language.OTHER
    line = head[2:].split(b"\n", 1)[0]
    for word in line.replace(b"/", b" ").split():
        for name, language in _INTERPRETERS:
            rest = word.removeprefix(name)
            if rest != word and not rest.strip(b"0123456789."):
                return language
        if word in {b"bash", b"dash", b"zsh", b"ash", b"ksh"}:
            return Language.SHELL
    return Language.OTHER
