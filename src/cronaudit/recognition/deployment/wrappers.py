"""Programs that run another one: what is left when they are taken away."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from cronaudit.lazy_regex import lazy_regex

_ASSIGNMENT: Final = lazy_regex(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)

_VALUED: Final = {
    "env": "-u -C -S --unset --chdir",
    "nice": "-n --adjustment",
    "ionice": "-c -n",
    "timeout": "-s -k --signal --kill-after",
    "sudo": "-u -g -h -p --user --group",
    "chpst": "-u -U -e -m -d -o",
    "stdbuf": "-i -o -e",
    "tini": "-p -e",
    "dumb-init": "-r",
    "npx": "-p --package -c --call",
    "dotenv": "-e -f -c -v -p",
    "env-cmd": "-f -e -r --file --environments --rc-file",
    "dockerize": "-wait -timeout -template -stdout -stderr -wait-retry-interval",
    "wait-for-it": "-h -p -t --host --port --timeout",
    "wait-for": "-t --timeout",
    "taskset": "-c",
    "setpriv": "--reuid --regid --groups",
    "conda": "-n -p --name --prefix",
    "su": "-s -c -g --shell --command",
    "flock": "-w -E --timeout",
    "uv": "--with --python -p --extra --group --project --directory --env-file --package",
    "nodemon": "-w --watch -e --ext -i --ignore --delay --signal --config",
}
_PLAIN: Final = frozenset(
    "exec command nohup time nice ionice setsid stdbuf env tini tini-static catatonit dumb-init docker-init cross-env"
    " cross-env-shell env-cmd npx pnpx bunx ddtrace-run opentelemetry-instrument sudo xvfb-run dockerize wait-for-it"
    " wait-for dotenv dotenv-cli tsdotenv with-contenv setpriv doas catchsegv pidproxy logexec node-tini"
    " newrelic-admin scout-launcher jemalloc builtin".split()
)
_SKIPPING: Final = {
    # One word of their own stands before the command: a user, a duration, a lock file.
    **dict.fromkeys("gosu su-exec s6-setuidgid setuidgid timeout flock taskset chpst".split(), 1),
}
_RUNNING: Final = {
    "poetry": "run",
    "pipenv": "run",
    "pdm": "run",
    "rye": "run",
    "hatch": "run",
    "uv": "run",
    "conda": "run",
    "micromamba": "run",
    "mamba": "run",
    "dotenvx": "run",
    "doppler": "run",
    "infisical": "run",
    "op": "run",
    "aws-vault": "exec",
    "chamber": "exec",
    "vault": "exec",
    "sops": "exec-env",
    "teller": "run",
    "newrelic-admin": "run-program",
    "pnpm": "exec dlx",
    "npm": "exec x",
    "yarn": "exec dlx node",
    "bun": "x",
    "watchmedo": "auto-restart",
}
"""Programs of which one subcommand runs another program."""


def program_of(word: str) -> str:
    """Name of a program without its folder and version: `/usr/bin/python3.12` is `python`."""
    name = posixpath.basename(word.rstrip("/")).lower()
    if name.startswith("python"):
        return "python"
    return (
        name.removesuffix(".sh") if name in {"wait-for-it.sh", "wait-for.sh"} else name.removesuffix(".cmd")
    )


def unwrapped(argv: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, str], bool]:
    """The command inside, the variables that are set on the way, and whether `exec` stands in front."""
    variables: dict[str, str] = {}
    handed = False
    for _ in range(len(argv)):
        if not argv:
            break
        assigned = _ASSIGNMENT.fullmatch(argv[0])
        if assigned is not None:
            variables[assigned[1]] = assigned[2]
            argv = argv[1:]
            continue
        program = program_of(argv[0])
        rest = _inner(program, argv[1:])
        if rest is None:
            break
        handed = handed or program == "exec"
        argv = rest
    return argv, variables, handed


def _inner(program: str, rest: tuple[str, ...]) -> tuple[str, ...] | None:
    subcommands = _RUNNING.get(program, "").split()
    if subcommands:
        inside = _past_options(program, rest)
        if not inside or inside[0] not in subcommands:
            return None
        if inside[0] == "node":
            return inside
        return _past_options(program, inside[1:], words=1 if program in {"aws-vault", "chamber"} else 0)
    if program in _SKIPPING:
        return _past_options(program, rest, words=_SKIPPING[program])
    if program in {"wait-for-it", "wait-for"}:
        return rest[rest.index("--") + 1 :] if "--" in rest else ()
    if program in _PLAIN:
        return _past_options(program, rest)
    return None


def _past_options(program: str, rest: tuple[str, ...], words: int = 0) -> tuple[str, ...]:
    """What follows the options of a program and so many words of its own."""
    valued = frozenset(_VALUED.get(program, "").split())
    at = 0
    while at < len(rest):
        word = rest[at]
        if word == "--":
            return rest[at + 1 :]
        if word.startswith("-") and len(word) > 1:
            at += 2 if word in valued else 1
        elif words > 0:
            words -= 1
            at += 1
        else:
            break
    return rest[at:]


def options(words: tuple[str, ...], valued: frozenset[str]) -> tuple[dict[str, str], list[str]]:
    """Options with their values, and the words that are none. A flag has the empty value.

    `valued` are the options that take the next word; `--name=value` needs no such knowledge.
    """
    found: dict[str, str] = {}
    plain: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            plain.extend(words[at + 1 :])
            break
        if word.startswith("-") and len(word) > 1:
            name, equals, value = word.partition("=")
            if not equals and name in valued and at + 1 < len(words):
                at += 1
                value = words[at]
            elif not equals and not name.startswith("--") and len(name) > 2 and name[:2] in valued:
                name, value = name[:2], name[2:]
            found.setdefault(name, value)
        else:
            plain.append(word)
        at += 1
    return found, plain
