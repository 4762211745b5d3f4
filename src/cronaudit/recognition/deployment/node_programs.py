"""Programs of the Node.js world: what each of them starts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import ProcessRole
from cronaudit.model.source import Role
from cronaudit.recognition.deployment.frameworks import conventions, framework_in
from cronaudit.recognition.deployment.launch import Follow, Handler, Launched
from cronaudit.recognition.deployment.naming import role_of_name
from cronaudit.recognition.deployment.quantities import size
from cronaudit.recognition.deployment.wrappers import options, program_of

_CODE: Final = frozenset(
    "-r --require --import --loader --experimental-loader -C --conditions --env-file --env-file-if-exists"
    " --max-old-space-size --max_old_space_size --max-semi-space-size --stack-size --title --tsconfig -P --project"
    " --icu-data-dir --input-type --watch-path --diagnostic-dir --dir -c --cwd --config --preload --allow-read"
    " --ignore --respawn-delay -e --ext -w".split()
)
_INLINE: Final = frozenset({"-e", "--eval", "-p", "--print"})
_MANAGERS: Final = frozenset({"npm", "pnpm", "yarn", "bun"})
_OWN: Final = frozenset(
    "install ci i add remove rm update up audit link unlink publish pack version config cache dedupe prune rebuild"
    " init create help login set import store import outdated why list ls info view fund root bin".split()
)
_VALUED: Final = frozenset(
    "-w --workspace --prefix -C --dir --filter -F --cwd --scope -p --parallel --project".split()
)
_SERVING: Final = frozenset("start serve preview server develop dev run lift".split())
_FRAMEWORKS: Final = {
    "next": "next",
    "nuxt": "nuxt",
    "nuxi": "nuxt",
    "nest": "nest",
    "remix-serve": "remix",
    "react-router-serve": "remix",
    "strapi": "strapi",
    "medusa": "medusa",
    "sails": "sails",
    "meteor": "meteor",
    "astro": "astro",
    "svelte-kit": "sveltekit",
    "redwood": "redwood",
    "rw": "redwood",
}
_BUNDLED: Final = lazy_regex(
    r"(?:^|/)(?:\.output/server/index\.mjs|server\.js|build(?:/index\.js)?|dist/server/entry\.mjs)$"
)


def node(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`node`, `tsx`, `ts-node`, `deno run`, `bun run` and the like, with a file."""
    program = program_of(follow.argv[0])
    if program == "deno" and rest[:1] in {("run",), ("serve",)}:
        rest = rest[1:]
    if program == "tsx" and rest[:1] == ("watch",):
        rest = rest[1:]
    follow.heap(" ".join(rest))
    if any(word in _INLINE for word in _before_file(rest)):
        return False
    found, plain = options(rest, _CODE - _INLINE)
    if not plain:
        return False
    target = plain[0]
    started = follow.place.source(target)
    if started is None:
        folder, framework = _packaged(follow, target)
        if framework is not None:
            files = conventions(follow.files, folder, framework)
            return follow.add(framework, target, None, ProcessRole.SERVER, files)
    if "test" in found or "--test" in found:
        return follow.add(program, target, started, ProcessRole.TEST)
    return follow.add(program, target, started, _role_of_arguments(plain[1:]))


def _before_file(rest: tuple[str, ...]) -> list[str]:
    before: list[str] = []
    for word in rest:
        if not word.startswith("-"):
            break
        before.append(word)
    return before


def _role_of_arguments(words: list[str]) -> ProcessRole:
    """One program may hold several: `node dist/main.js worker`."""
    return role_of_name(words[0]) if words and re.fullmatch(r"[\w:-]+", words[0]) else ProcessRole.UNKNOWN


def _packaged(follow: Follow, target: str) -> tuple[str, str | None]:
    """The folder and framework of a server that only the build makes (`.next/standalone/server.js`)."""
    if _BUNDLED.search(posixpath.normpath(target)):
        for candidate in dict.fromkeys(follow.place.candidates(target)):
            folder = posixpath.dirname(candidate)
            while True:
                framework = framework_in(follow.files, folder)
                if framework is not None and framework != "nest":
                    return folder, framework
                if not folder or posixpath.basename(folder) not in {
                    ".output",
                    "server",
                    "dist",
                    "build",
                    "standalone",
                }:
                    break
                folder = posixpath.dirname(folder)
    return "", None


def framework(follow: Follow, rest: tuple[str, ...]) -> bool:
    """A framework's own command: `next start`, `nest start worker`."""
    program = program_of(follow.argv[0])
    name = _FRAMEWORKS[program]
    _, plain = options(rest, frozenset({"-p", "--port", "-H", "--hostname", "-c", "--config"}))
    verb = plain[0] if plain else ""
    if program.endswith("-serve"):
        verb = "start"
    if verb not in _SERVING and not (program == "meteor" and not verb):
        return _built(follow, program)
    folders = follow.place.folders()
    folder = next(
        (one for one in folders if framework_in(follow.files, one) == name), folders[0] if folders else ""
    )
    if len(plain) > 1 and verb == "start" and name == "nest":
        inner = f"apps/{plain[1]}/src/main.ts"
        path = follow.place.find(inner)
        return follow.add(name, " ".join(plain), path, role_of_name(plain[1]))
    if len(plain) > 1 and name == "next":
        folder = follow.files.join(folder, plain[1]) or folder
    files = conventions(follow.files, folder, name)
    path = files[0] if name == "nest" and len(files) == 1 else None
    role = ProcessRole.BUILD if verb in {"dev", "develop"} else ProcessRole.SERVER
    if name == "nest":
        role = ProcessRole.UNKNOWN
    return follow.add(name, " ".join((program, *plain)), path, role, () if path else files)


def _built(follow: Follow, program: str) -> bool:
    return follow.add(program, " ".join(follow.argv), None, ProcessRole.BUILD)


def bundler(follow: Follow, _rest: tuple[str, ...]) -> bool:
    """A development server or a build tool: nothing that runs in production."""
    return _built(follow, program_of(follow.argv[0]))


def manager(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`npm run start:worker`, `yarn workspace api start`, `pnpm --filter api start`, `bun src/index.ts`."""
    program = program_of(follow.argv[0])
    cut = rest.index("--") if "--" in rest else len(rest)
    found, plain = options(rest[:cut], _VALUED)
    arguments = rest[cut + 1 :]
    wanted = [found[name] for name in ("-w", "--workspace", "--filter", "-F", "--scope") if found.get(name)]
    folders = [follow.place.folders()[0] if follow.place.folders() else ""]
    inside = next((found[name] for name in ("--prefix", "-C", "--dir", "--cwd") if found.get(name)), None)
    if inside:
        folders = follow.place.cd(inside).folders()
    if plain[:1] == ["workspace"] and len(plain) > 2:
        wanted, plain = [plain[1]], plain[2:]
    if plain[:1] in (["exec"], ["dlx"], ["x"]) and len(plain) > 1:
        # options() has taken the workspace away; what is left is a command in its folder
        folder = _folder(follow, wanted[0]) if wanted else None
        inner = follow if folder is None else replace(follow, place=follow.place.at(folder))
        return inner.words((*plain[1:], *arguments))
    if plain[:1] in (["run"], ["run-script"], ["rum"]):
        plain = plain[1:]
    elif program == "bun" and plain and ("." in plain[0] or "/" in plain[0]):
        return node(follow, rest)
    if not plain or (plain[0] in _OWN and program != "yarn"):
        return False
    folders = [folder for name in wanted if (folder := _folder(follow, name)) is not None] or (
        [] if wanted else folders
    )
    more = tuple(plain[1:]) + arguments
    done = [follow.package_script(folder, plain[0], more) for folder in _with_manifest(follow, folders)]
    if any(done):
        return True
    if program == "bun" and follow.place.source(plain[0]) is not None:
        return node(follow, rest)
    return program in {"yarn", "pnpm"} and not wanted and follow.words(tuple(plain) + arguments)


def _with_manifest(follow: Follow, folders: list[str]) -> list[str]:
    kept = [folder for folder in folders if follow.files.has(posixpath.join(folder, "package.json"))]
    if kept or not follow.place.foreign:
        return kept
    return [""] if follow.files.has("package.json") else []


def _folder(follow: Follow, name: str) -> str | None:
    """The folder of a workspace package by its name, its path or a filter (`...`, `^`, `{./apps/api}`)."""
    plain = name.strip("{}").replace("...", "").strip("^").removesuffix("/")
    if plain.startswith(("./", "apps/", "packages/", "services/")):
        joined = follow.files.normal(plain)
        if joined is not None and follow.files.is_folder(joined):
            return joined
    return follow.launcher.sources.package(plain)


def workspaces(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`turbo run start --filter=api`, `lerna run start --scope api`, `nx serve api`, `nx run api:serve`."""
    program = program_of(follow.argv[0])
    found, plain = options(rest, _VALUED)
    if program == "nx":
        verb, _, project = (plain[1] if plain[:1] == ["run"] and len(plain) > 1 else "").rpartition(":")
        if plain[:1] != ["run"] and len(plain) > 1:
            project, verb = plain[0], plain[1]
        else:
            verb, project = project, verb
        folder = _folder(follow, verb)
        if folder is None:
            folder = next(
                (one for one in (f"apps/{verb}", verb) if verb and follow.files.is_folder(one)), None
            )
        path = None if folder is None else follow.place.at(folder).source("src/main.ts")
        role = ProcessRole.UNKNOWN if project in _SERVING else ProcessRole.BUILD
        return path is not None and follow.add("nx", " ".join(rest), path, role)
    if plain[:1] == ["run"]:
        plain = plain[1:]
    # A filter may stand several times, which the options do not keep.
    wanted = [word.partition("=")[2] for word in rest if word.startswith(("--filter=", "--scope="))]
    wanted += [found[name] for name in ("--filter", "-F", "--scope") if found.get(name) and not wanted]
    folders = [folder for name in wanted if (folder := _folder(follow, name)) is not None]
    if not wanted:
        folders = [posixpath.dirname(path) for path in follow.files.named("package.json") if "/" in path]
    done = False
    for script in plain[:1]:
        for folder in folders:
            file = follow.files.get(posixpath.join(folder, "package.json"))
            if file is not None and file.role not in {Role.VENDORED, Role.TEST, Role.DOCS}:
                done = follow.package_script(folder, script) or done
    return done


def several(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`concurrently "a" "b"`, `run-p start:*`: all of them, in one container. `run-s a b`: one after the other."""
    program = program_of(follow.argv[0])
    parallel = program in {"concurrently", "conc", "run-p"} or not {"-p", "--parallel"}.isdisjoint(rest)
    valued = "-n --names -c --prefix-colors --max-processes" + (" -p --prefix" if "conc" in program else "")
    _, plain = options(rest, frozenset(valued.split()))
    done = False
    folder = next(iter(follow.place.folders()), "")
    scripts = follow.files.document(posixpath.join(folder, "package.json")).get("scripts")
    names = list(scripts) if isinstance(scripts, Mapping) else []
    for word in plain:
        name = word.removeprefix("npm:")
        if program == "concurrently" and name == word:
            inner = replace(follow, out=Launched())
            if inner.text(word):
                done = True
                follow.out.entries.extend(inner.out.entries)
                follow.out.limits.extend(inner.out.limits)
            continue
        pattern = re.escape(name).replace(r"\*\*", ".+").replace(r"\*", "[^:]+")
        for script in names:
            if re.fullmatch(pattern, script):
                if not parallel:
                    # The one before has run to its end.
                    follow.finish()
                done = follow.package_script(folder, script) or done
    return done


def pm2(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`pm2-runtime ecosystem.config.js`, `pm2 start dist/index.js -i 2`."""
    found, plain = options(
        rest, frozenset("-i --instances -n --name --only --env --max-memory-restart --node-args".split())
    )
    if plain[:1] and plain[0] in {"start", "startOrRestart", "startOrReload", "reload"}:
        plain = plain[1:]
    if not plain:
        return False
    if "--max-memory-restart" in found:
        text = found["--max-memory-restart"]
        follow.limit("restart", f"--max-memory-restart {text}", size(text))
    follow.heap(found.get("--node-args", ""))
    if plain[0] in _MANAGERS:
        script = rest[rest.index("--") + 1 :] if "--" in rest else tuple(plain[1:])
        return follow.words((plain[0], *script))
    target = plain[0]
    config = follow.place.find(target)
    if config is not None and (
        posixpath.basename(config).startswith(("ecosystem", "pm2", "process"))
        or config.endswith((".json", ".yml", ".yaml"))
    ):
        return follow.manage("pm2", config)
    return follow.add("node", target, follow.place.source(target), ProcessRole.UNKNOWN)


def nodemon(follow: Follow, rest: tuple[str, ...]) -> bool:
    """A watcher: for development, whatever it starts."""
    found, plain = options(
        rest, frozenset("-w --watch -e --ext -i --ignore -x --exec --delay --config".split())
    )
    inner = found.get("--exec") or found.get("-x")
    if inner:
        return follow.text(" ".join((inner, *plain)))
    return node(follow, tuple(plain))


def graphile(follow: Follow, rest: tuple[str, ...]) -> bool:
    """`graphile-worker`: tasks are the files of a folder."""
    found, _ = options(rest, frozenset("-c --connection -j --jobs --crontab --watch".split()))
    folder = next(iter(follow.place.folders()), "")
    tasks = tuple(
        path
        for path in follow.files.below(posixpath.join(folder, "tasks").strip("/"))
        if path.endswith((".js", ".ts", ".mjs"))
    )
    return follow.add("graphile-worker", found.get("--crontab", "tasks"), None, ProcessRole.WORKER, tasks)


HANDLERS: Final[dict[str, Handler]] = {
    **dict.fromkeys(
        "node nodejs tsx ts-node ts-node-esm ts-node-script ts-node-transpile-only esno esmo babel-node swc-node"
        " sucrase-node deno vite-node jiti ts-node-dev tsnd iojs node-dev".split(),
        node,
    ),
    **dict.fromkeys(_FRAMEWORKS, framework),
    **dict.fromkeys(
        "vite webpack webpack-dev-server ng react-scripts rollup esbuild tsc tsup tsdown parcel expo storybook vitest"
        " jest mocha cypress playwright eslint prettier biome react-router remix gatsby vue-cli-service craco"
        " swc babel turbopack rspack rsbuild nodemon-watch oxlint husky wrangler".split(),
        bundler,
    ),
    **dict.fromkeys(_MANAGERS, manager),
    **dict.fromkeys(("turbo", "lerna", "nx", "wsrun"), workspaces),
    **dict.fromkeys(("concurrently", "npm-run-all", "npm-run-all2", "run-p", "run-s", "conc"), several),
    **dict.fromkeys(("pm2", "pm2-runtime", "pm2-docker", "forever"), pm2),
    "nodemon": nodemon,
    "graphile-worker": graphile,
}
