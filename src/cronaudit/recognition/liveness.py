"""Whether anything starts a job: from its registration up through callers and importers to an entry point."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.ir import Call, Class, Function, Module, Object, Return
from cronaudit.model.linker import Linker
from cronaudit.model.source import Language
from cronaudit.model.value import Choice, Closure, Known, Namespace, Record, Value
from cronaudit.model.walking import expressions
from cronaudit.recognition.found import Registration

_SPOKEN = lazy_regex(r"[a-z]+[A-Z]\w{6,}$|[a-z]+_\w{6,}$")
"""A name that no other text is by chance."""
_QUOTED = lazy_regex(r"'[^']*'|\"[^\"]*\"")
_DEPTH = 8
_FILES = 400


class Liveness(Struct, frozen=True):
    """The verdict on one registration."""

    is_live: bool
    reason: str
    entries: tuple[str, ...] = ()
    """Entry points from which it is reached; empty where nothing can be said."""


class Starts(Struct, eq=False):
    """Answers who starts what. Where nothing can be said (a library), a job counts as live (ruling 1)."""

    linker: Linker
    entry_points: frozenset[str]
    """Files that a manifest or a framework starts."""
    is_convention: Callable[[str], bool]
    """Whether a framework picks a file up by its place or name."""
    mentioned: Callable[[str, str], bool]
    """Whether another file than the second names a word: loaders that go through folders."""
    is_hook: Callable[[str], bool]
    """Whether several files define a function of that name: a loader calls them by it."""
    _files: dict[str, Liveness] = {}
    _nodes: dict[int, Liveness] = {}

    def of(self, node: Function | Module) -> Liveness:
        """Whether the code of `node` runs."""
        found = self._node(node, 0, frozenset())
        if not found.is_live or found.entries:
            return found
        # Not every call of it could be followed up: then what loads its file runs it.
        entries = self.file(node.path if isinstance(node, Module) else node.module.path).entries
        return Liveness(is_live=True, reason=found.reason, entries=entries) if entries else found

    def listed(self, name: str, module: Module) -> Liveness | None:
        """That what a variable of a file keeps is in no list; None where somebody speaks of the variable."""
        word = re.compile(rf"\b{re.escape(name)}\b")
        lines = (_QUOTED.sub("", _without_comment(line)) for line in self._text(module.path).splitlines())
        if sum(len(word.findall(line)) for line in lines) > 1:
            return None
        if self.is_convention(module.path) or self._is_whole(module, name):
            return None
        code = (_code_only(self.linker.source(path), name) for path in self._importers(module.path))
        if any(name.encode() in text for text in code):
            return None
        return Liveness(is_live=False, reason=f"{name} is in no list of jobs")

    def started(self, registration: Registration, liveness: Liveness) -> Liveness:
        """A job that is made stopped lives only where something calls the method that starts it."""
        enabled = registration.options.get("enabled")
        if enabled is not None and _is_off(enabled):
            return Liveness(is_live=False, reason="it is switched off where it is stated")
        scheduler = registration.scheduler
        if scheduler is None or scheduler.starts in ("", "call", "setting"):
            return liveness
        method = scheduler.starts.rsplit(".", 1)[-1]
        path = registration.site.path
        spoken = re.compile(rb"\b" + re.escape(method.encode()) + rb"\s*\(")
        for other in (path, *self._importers(path)):
            if any(spoken.search(_without_comment(line).encode()) for line in self._text(other).splitlines()):
                return liveness
        return Liveness(is_live=False, reason=f"it is made stopped and nothing calls {method}()")

    def _text(self, path: str) -> str:
        return self.linker.source(path).decode("utf-8", "replace")

    def _node(self, node: Function | Module, depth: int, active: frozenset[int]) -> Liveness:
        if isinstance(node, Module):
            return self.file(node.path)
        known = self._nodes.get(id(node))
        if known is not None:
            return known
        if depth > _DEPTH or id(node) in active:
            return Liveness(is_live=True, reason="who calls it was not followed further")
        found = self._function(node, depth, active | {id(node)})
        if depth == 0:
            self._nodes[id(node)] = found
        return found

    def _function(self, node: Function, depth: int, active: frozenset[int]) -> Liveness:
        if isinstance(node.parent, Function) and node.owner is None and not self._is_local_dead(node):
            return self._node(node.parent, depth + 1, active)
        if node.name is None and node.owner is None:
            return self._module_of(node)
        if node.is_constructor:
            return self._class(node.owner) if node.owner is not None else self._module_of(node)
        sites = self.linker.call_sites(node)
        dead: Liveness | None = None
        for _call, where in sites:
            if where is node:
                continue
            state = self._node(where, depth + 1, active)
            if state.is_live:
                return state
            dead = dead or state
        if sites and dead is not None:
            return dead
        if is_handed_over(node):  # ``once(function startCleanup() {…})``: its name is its own
            return self._module_of(node)
        return self._referenced(node)

    def _is_local_dead(self, node: Function) -> bool:
        """A named inner function that its own outer function never speaks of again."""
        if node.name is None or not isinstance(node.parent, Function):
            return False
        text = self._lines(node.parent)
        return text.count(node.name) <= 1

    def _lines(self, node: Function) -> str:
        lines = self._text(node.module.path).splitlines()
        return "\n".join(_without_comment(line) for line in lines[node.line - 1 : node.end_line])

    def _class(self, cls: Class) -> Liveness:
        if self.linker.instances(cls) or self.linker.subclasses(cls):
            return self.file(cls.module.path)
        return self._mentioned_symbol(cls.name, cls.module, "never instantiated") or self.file(
            cls.module.path
        )

    def _referenced(self, node: Function) -> Liveness:
        """Where no call was resolved: whether the function is spoken of anywhere else at all."""
        if node.decorators or (node.owner is not None and node.owner.decorators):
            return self.file(node.module.path)
        if node.owner is not None:
            dead = self._mentioned_symbol(node.owner.name, node.module, "whose class nothing uses")
            if dead is not None and not self._speaks(node.module, node.name or ""):
                return dead
            return self.file(node.module.path)
        dead = self._mentioned_symbol(node.name, node.module, "never called")
        if dead is not None and node.module.language is Language.PYTHON and self.is_hook(node.name or ""):
            dead = None
        return dead or self.file(node.module.path)

    def _mentioned_symbol(self, name: str | None, module: Module, why: str) -> Liveness | None:
        """None where somebody speaks of the symbol; else that it is dead."""
        if name is None or self._speaks(module, name):
            return None
        if self.is_convention(module.path) or self._is_whole(module, name):
            return None
        for path in self._importers(module.path):
            if name.encode() in _code_only(self.linker.source(path), name):
                return None
        if _SPOKEN.match(name) and self.mentioned(name, module.path):
            return None  # ``client.start('nightlyReportWorkflow')``: a runner finds it by its name
        return Liveness(is_live=False, reason=f"{name} is {why}")

    def _is_whole(self, module: Module, name: str) -> bool:
        """Whether an importer may call the symbol anything: the default export, ``module.exports = f``."""
        if any(e.name == "default" and getattr(e.value, "name", None) == name for e in module.exports):
            return True
        whole = self.linker.member(Namespace(module), "default")
        if isinstance(whole, Record | Closure) and not self.linker.importing(module.path):
            # The hooks of an object that a framework loads: ``export default {bootstrap() {…}}``, or that it makes.
            return name in (whole.entries if isinstance(whole, Record) else _made_by(whole.function))
        return getattr(getattr(whole, "function", None), "name", None) == name or (
            getattr(getattr(whole, "cls", None), "name", None) == name
        )

    def _speaks(self, module: Module, name: str) -> bool:
        """Whether the module itself uses a name beyond defining and exporting it."""
        uses = 0
        for line in self._text(module.path).splitlines():
            text = _without_comment(line)
            if name in text and not _is_definition(text, name):
                uses += 1
        return uses > 0

    def _importers(self, path: str) -> tuple[str, ...]:
        order = [path]
        seen = {path}
        for current in order:
            for importer in self.linker.importing(current):
                if importer not in seen and len(seen) < _FILES:
                    seen.add(importer)
                    order.append(importer)
        return tuple(order[1:])

    def _module_of(self, node: Function) -> Liveness:
        return self.file(node.module.path)

    def file(self, path: str) -> Liveness:
        """Whether the top-level code of a file runs."""
        found = self._files.get(path)
        if found is None:
            found = self._file(path)
            self._files[path] = found
        return found

    def _file(self, path: str) -> Liveness:
        chain = (path, *self._importers(path))
        entries = tuple(sorted(p for p in chain if p in self.entry_points))
        if entries:
            return Liveness(is_live=True, reason=f"reached from {entries[0]}", entries=entries)
        if any(self.is_convention(p) for p in chain):
            return Liveness(is_live=True, reason="a framework loads it by its place")
        if not self.entry_points:
            return Liveness(is_live=True, reason="the tree names no entry point")
        stem = posixpath.basename(path).split(".")[0]
        folder = posixpath.basename(posixpath.dirname(path))
        if len(chain) > 1 or self.mentioned(stem, path) or (folder and self.mentioned(folder, path)):
            return Liveness(is_live=True, reason="nothing says that it does not run")
        return Liveness(is_live=False, reason="no file imports it and no entry point starts it")


def _is_off(value: Value) -> bool:
    """Whether a value is written as False, whichever of several it is; the default of a variable is not written."""
    if isinstance(value, Choice):
        return bool(value.options) and all(_is_off(option) for option in value.options)
    return isinstance(value, Known) and value.value is False and value.default_of is None


def is_handed_over(node: Function) -> bool:
    """Whether a function is written as an argument of a call, or in an object that is one: ``task({ run() {…} })``."""
    calls = (e for e in expressions(node.parent.body) if isinstance(e, Call))
    given = (argument.value for call in calls for argument in call.args)
    return any(
        value is node or (isinstance(value, Object) and any(e.value is node for e in value.entries))
        for value in given
    )


def _made_by(function: Function) -> frozenset[str]:
    """The members of the object that a function gives back: ``module.exports = (app) => ({ start() {…} })``."""
    made = (s.value for s in function.body if isinstance(s, Return) and isinstance(s.value, Object))
    return frozenset(e.key for one in made for e in one.entries if isinstance(e.key, str))


_IMPORTS = lazy_regex(
    rb"""^[ \t]*(?:import\b[^;'"()]*?\bfrom\s*['"][^'"\n]*['"]"""
    rb"""|export\s*\{[^}]*\}\s*from\s*['"][^'"\n]*['"]"""
    rb"""|(?:const|let|var)\s*\{[^}]*\}\s*=\s*require\([^)\n]*\)"""
    rb"""|from\s+[\w.]+\s+import\s+(?:\([^)]*\)|[^\n]*))""",
    re.MULTILINE,
)


def _without_comment(line: str) -> str:
    stripped = line.lstrip()
    if stripped.startswith(("//", "#", "*", "/*")):
        return ""
    return line.split("//", 1)[0] if "://" not in line else line


def _is_definition(text: str, name: str) -> bool:
    stripped = text.strip().removeprefix("export ").removeprefix("default ").removeprefix("async ")
    keywords = ("function", "function*", "class", "abstract class", "def")
    heads = (
        *(f"{keyword} {name}" for keyword in keywords),
        *(f"{keyword} {name} " for keyword in ("const", "let", "var")),
        *(f"const {name}:", f"exports.{name} =", f"module.exports.{name} =", f"{name} = "),
    )
    bare = stripped.rstrip(",;{} ")
    if stripped.startswith(f"{name}(") and stripped.endswith("{"):
        return True
    modifiers = r"(?:(?:public|private|protected|static|async|override|get|set)\s+)*"
    method = rf"{modifiers}{re.escape(name)}\s*\(.*\)\s*(?::[^{{=]+)?\{{"
    if "function" not in stripped and re.match(method, stripped):
        return True
    lists = ("export {", "module.exports =", "{ ")
    return stripped.startswith((*heads, *lists)) or bare == name


def _code_only(source: bytes, name: str) -> bytes:
    """Source without comments, and without imports: what is imported and then left alone starts nothing."""
    lines = source.splitlines()
    code = b"\n".join(
        line for line in lines if not line.lstrip().startswith((b"//", b"#", b"*", b"/*", b"import type"))
    )
    renamed = re.compile(
        rb"\b" + re.escape(name.encode()) + rb"\s+as\b|\b" + re.escape(name.encode()) + rb"\s*:"
    )
    return _IMPORTS.sub(lambda m: m.group() if renamed.search(m.group()) else b"", code)
