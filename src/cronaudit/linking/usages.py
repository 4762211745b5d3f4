"""Who uses a symbol: call sites, classes that inherit, places that make an object.

Users are found through the import index and then by folding the callee, never by a bare name.
"""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.linking import holders, instances, iterables
from cronaudit.linking.builtins import EACH_METHODS
from cronaudit.linking.fold import Evaluator
from cronaudit.linking.program import Program
from cronaudit.linking.put_on import PutOn
from cronaudit.model.ir import (
    Call,
    Class,
    Export,
    Expr,
    Function,
    Interface,
    Loop,
    Member,
    Module,
    Name,
    Super,
)
from cronaudit.model.source import Language
from cronaudit.model.value import (
    Builtin,
    Choice,
    ClassValue,
    Closure,
    Instance,
    Lazy,
    Record,
    Sequence,
    Shape,
    Symbol,
    Text,
    Unknown,
    Value,
)

_CLOSURE_DEPTH = 3
_CLOSURE_FILES = 150
_SOUGHT_FILES = 300
_SYMBOL_DEPTH = 4


def symbols(value: Value | Lazy, evaluator: Evaluator, depth: int = 0) -> Iterator[Symbol]:
    """The open symbols inside a folded value."""
    if depth > _SYMBOL_DEPTH:
        return
    if isinstance(value, Lazy):
        value = evaluator.force(value)
    if isinstance(value, Symbol):
        yield value
    elif isinstance(value, Text):
        for part in value.parts:
            if not isinstance(part, str):
                yield from symbols(part, evaluator, depth + 1)
    elif isinstance(value, Choice):
        for option in value.options:
            yield from symbols(option, evaluator, depth + 1)
    elif isinstance(value, Record):
        for entry in value.entries.values():
            yield from symbols(entry, evaluator, depth + 1)
    elif isinstance(value, Sequence):
        for entry in value.items:
            yield from symbols(entry, evaluator, depth + 1)


def needs_caller(value: Value | Lazy, evaluator: Evaluator, depth: int = 0) -> bool:
    """Whether only a caller tells a value: a parameter, or an item of a list that is one."""
    if isinstance(value, Lazy):
        value = evaluator.force(value)
    if isinstance(value, Unknown) and value.over is not None and depth <= _SYMBOL_DEPTH:
        return needs_caller(value.over, evaluator, depth + 1)
    for symbol in symbols(value, evaluator):
        loop = symbol.owner
        if not isinstance(loop, Loop):
            return True
        if loop.iterable is None or symbol.scope is None or depth > _SYMBOL_DEPTH:
            continue
        if needs_caller(evaluator.fold(loop.iterable, symbol.scope), evaluator, depth + 1):
            return True
    return False


class Usages:
    """Finds the users of functions and classes."""

    def __init__(self, evaluator: Evaluator, program: Program) -> None:
        self._ev = evaluator
        self._program = program
        self._importing_whole: dict[str, frozenset[str]] = {}
        self._made: dict[int, tuple[tuple[Call, Function | Module], ...]] = {}
        self._locals: dict[tuple[str, str | None], tuple[str, ...]] = {}
        self._sites: dict[int, tuple[tuple[Call, Function | Module], ...]] = {}
        self._subclasses: dict[int, tuple[ClassValue, ...]] = {}
        self._keep: list[object] = []
        self.put_on = PutOn(evaluator, program)
        self._sought: dict[int, frozenset[str]] = {}
        """By function, the names of what holds it."""

    def seek(self, function: Function) -> bool:
        """Look for the calls of a method in the whole tree: an object is handed on where nothing imports its class.

        A name of one word is that of too many methods: it is looked for beside the name of what holds it only.
        Whether it was new.
        """
        name = function.name or ""
        if not name or id(function) in self._sought:
            return False
        held = holders.names_of(function)
        if not held and (function.owner is None or not holders.is_compound(name)):
            return False
        self._sought[id(function)] = held
        self._sites.pop(id(function), None)
        self._keep.append(function)
        return True

    def call_sites(self, function: Function) -> tuple[tuple[Call, Function | Module], ...]:
        """The calls that reach `function`, each with the function or module that it stands in."""
        found = self._sites.get(id(function))
        if found is None:
            found = tuple(self._find_calls(function))
            self._sites[id(function)] = found
            self._keep.append(function)
        return found

    def _find_calls(self, function: Function) -> Iterator[tuple[Call, Function | Module]]:
        name = function.name
        if function.is_constructor:
            return
        if self._is_whole(function):
            yield from self._calls_of_module(function)
        if name is None and not self._is_default(function):
            return
        paths = self.candidates(function)
        if name is not None and id(function) in self._sought:
            held = frozenset() if holders.is_compound(name) else self._sought[id(function)]
            paths = iter((*paths, *self._program.calling(name, _SOUGHT_FILES, held)))
        for path in dict.fromkeys(paths):
            module = self._program.module(path)
            if module is None:
                continue
            locals_ = self._local_names(module, name)
            calls = self._program.contents(module).calls({*locals_, *EACH_METHODS})
            for local in locals_:
                for call, node in calls.get(local, ()):
                    if self._calls(call, node, function):
                        yield call, node
            for method in sorted(EACH_METHODS & calls.keys()):
                for call, node in calls[method]:
                    if call.args and self._is_function(call.args[0].value, node, function):
                        yield call, node

    def _calls(self, call: Call, node: Function | Module, function: Function) -> bool:
        callee = self._ev.fold(call.callee, self._ev.scope_of(node))
        if isinstance(call.callee, Member) and isinstance(call.callee.object, Super):
            # ``super().handle()`` is the method above: never that of a sister class, which only overrides it as well.
            return isinstance(callee, Closure) and callee.function is function
        return any(self.reaches(c, function) for c in self._items_of(callee))

    def candidates(self, function: Function) -> Iterator[str]:
        """The files that may use a function; of an override also those that may use what it overrides."""
        yield from self._candidates(function.module, function.name, far=function.owner is not None)
        if function.owner is None or function.name is None or not function.owner.bases:
            return
        for base in instances.lineage(self._ev, self.class_value(function.owner)):
            overrides = isinstance(base, ClassValue) and base.cls is not function.owner
            if isinstance(base, ClassValue) and overrides and base.cls.method(function.name) is not None:
                yield from self._candidates(base.cls.module, function.name, far=True)

    def local_names(self, path: str, function: Function) -> tuple[str, ...]:
        """What a file may call a function."""
        module = self._program.module(path)
        return self._local_names(module, function.name) if module is not None else ()

    def _is_whole(self, function: Function) -> bool:
        """``module.exports = function (agenda) {…}``."""
        if not isinstance(function.parent, Module) or any(True for _ in function.module.exports):
            return False
        whole = self._ev.export(function.module, "*")
        return isinstance(whole, Closure) and whole.function is function

    def _calls_of_module(self, function: Function) -> Iterator[tuple[Call, Function | Module]]:
        """``require('./jobs')(agenda)``, also through a variable."""
        for path in self._program.importing(function.module.path):
            module = self._program.module(path)
            if module is None:
                continue
            for name, sites in sorted(self._program.contents(module).all_calls().items()):
                for call, node in sites:
                    if name and not isinstance(call.callee, Name):
                        continue
                    if name != function.name and self.reaches(
                        self._ev.fold(call.callee, self._ev.scope_of(node)), function
                    ):
                        yield call, node

    def _items_of(self, callee: Value) -> Iterator[Value]:
        """A callee; of one that is a member of a loop's item, that of each item of a written-out list."""
        iterable = self._iterated(callee) if isinstance(callee, Symbol) else None
        if iterable is None or not isinstance(callee, Symbol):
            yield callee
            return
        items = iterables.sequence_items(self._ev, iterable)
        for entry in items or ():
            value = entry
            for step in callee.path:
                value = self._ev.member(value, step)
            yield value

    def _iterated(self, symbol: Symbol) -> Value | None:
        """What a symbol is the item of: of a loop, or of the list whose ``forEach`` calls the function."""
        owner = symbol.owner
        if isinstance(owner, Loop):
            known = owner.iterable is not None and symbol.scope is not None
            return self._ev.fold(owner.iterable, symbol.scope) if known else None  # type: ignore[arg-type]
        if not isinstance(owner, Function) or owner.name is not None or not owner.params:
            return None
        call = self._program.taking(owner)
        each = call is not None and isinstance(call.callee, Member) and call.callee.name in EACH_METHODS
        if call is None or not each or owner.params[0].name != symbol.name:
            return None
        return self._ev.fold(call.callee.object, self._ev.scope_of(owner.parent))  # type: ignore[union-attr]

    def _candidates(self, module: Module, name: str | None, *, far: bool) -> Iterator[str]:
        """Files that may use a symbol of `module`: importers, through barrels, and for methods further still."""
        depth = _CLOSURE_DEPTH
        for path in self._program.importing_closure(module.path, depth, _CLOSURE_FILES):
            if (
                path == module.path
                or name is None
                or self._program.mentions(path, name)
                or (not far and self._imports_default(path, module))
            ):
                yield path

    def _imports_default(self, path: str, module: Module) -> bool:
        """Whether a file imports a module that may be called anything where it is imported; none of Python may."""
        found = self._importing_whole.get(module.path)
        if found is None:
            exported = {e.name for e in module.exports}
            is_whole = module.language is not Language.PYTHON and ("default" in exported or not exported)
            found = frozenset(self._program.importing(module.path)) if is_whole else frozenset()
            self._importing_whole[module.path] = found
        return path in found

    def _local_names(self, module: Module, name: str | None) -> tuple[str, ...]:
        key = (module.path, name)
        known = self._locals.get(key)
        if known is None:
            found = {i.local for i in module.imports if i.name in (name, "default")}
            if name is not None:
                found.add(name)
            known = self._locals[key] = tuple(sorted(found))
        return known

    @staticmethod
    def _is_default(function: Function) -> bool:
        return any(isinstance(s, Export) and s.value is function for s in function.module.body)

    def _is_function(self, expr: Expr, node: Function | Module, function: Function) -> bool:
        if not isinstance(expr, Name | Member):
            return False
        return self.reaches(self._ev.fold(expr, self._ev.scope_of(node)), function)

    def reaches(self, callee: Value, function: Function) -> bool:
        if isinstance(callee, Choice):
            return any(self.reaches(o, function) for o in callee.options)
        if isinstance(callee, Builtin):
            return callee.name in ("call", "apply", "bind") and self.reaches(callee.receiver, function)
        if not isinstance(callee, Closure):
            return self.is_held(callee, function)
        if callee.function is function:
            return True
        # A call through the base class or interface reaches the override.
        owner, called = function.owner, callee.function.owner
        if owner is None or called is None or function.name != callee.function.name:
            return False
        lineage = instances.lineage(self._ev, self.class_value(owner))
        return any(isinstance(c, ClassValue) and c.cls is called for c in lineage)

    def is_held(self, callee: Value, function: Function) -> bool:
        """Whether a callee is a method that was sought, called on an object that is handed around by its name."""
        held = self._sought.get(id(function))
        return bool(held) and holders.is_held(callee, function, held or frozenset())

    def class_value(self, cls: Class) -> ClassValue:
        """A class with its scope."""
        return ClassValue(cls, self._ev.scope_of(cls.parent))

    def subclasses(self, cls: Class) -> tuple[ClassValue, ...]:
        """All classes of the tree that inherit from `cls`, itself not."""
        found = self._subclasses.get(id(cls))
        if found is not None:
            return found
        result: list[ClassValue] = []
        for path in self._program.importing_closure(cls.module.path, _CLOSURE_DEPTH, _CLOSURE_FILES):
            if path != cls.module.path and not self._may_inherit(path, cls):
                continue
            module = self._program.module(path)
            for other in self._program.classes(module) if module is not None else ():
                if other is cls or not other.bases or any(r.cls is other for r in result):
                    continue
                value = self.class_value(other)
                if any(
                    isinstance(b, ClassValue) and b.cls is cls for b in instances.base_values(self._ev, value)
                ):
                    result.append(value)
        self._subclasses[id(cls)] = tuple(result)
        self._keep.append(cls)
        for child in tuple(result):
            result.extend(g for g in self.subclasses(child.cls) if all(g.cls is not r.cls for r in result))
        self._subclasses[id(cls)] = tuple(result)
        return self._subclasses[id(cls)]

    def _may_inherit(self, path: str, cls: Class) -> bool:
        """Whether a file may hold a class that inherits: it must name the base, or import it as a default."""
        if not (self._program.mentions(path, "extends") or self._program.mentions(path, "class ")):
            return False
        return (
            cls.name is None
            or self._program.mentions(path, cls.name)
            or self._imports_default(path, cls.module)
        )

    def new_sites(self, cls: Class) -> tuple[tuple[Call, Function | Module], ...]:
        """The calls that make an object of `cls` itself."""
        found = self._made.get(id(cls))
        if found is None:
            found = self._made[id(cls)] = tuple(self._find_makings(cls))
            self._keep.append(cls)
        return found

    def _find_makings(self, cls: Class) -> Iterator[tuple[Call, Function | Module]]:
        for path in self._candidates(cls.module, cls.name, far=False):
            module = self._program.module(path)
            if module is None:
                continue
            for local in self._local_names(module, cls.name):
                for call, node in self._program.calls_of(module, local):
                    callee = self._ev.fold(call.callee, self._ev.scope_of(node))
                    if isinstance(callee, ClassValue) and callee.cls is cls:
                        yield call, node

    # ---- dispatch --------------------------------------------------------------------------------------------

    def implementations(self, callee: Value) -> tuple[Closure, ...]:
        """What an abstract method, or a method of a declared interface, may run: the classes that fill it in."""
        if isinstance(callee, Closure) and callee.function.is_abstract and callee.function.owner is not None:
            classes = self.subclasses(callee.function.owner)
            name = callee.function.name or ""
        elif isinstance(callee, Builtin) and isinstance(callee.receiver, Shape):
            classes = tuple(self._implementers(callee.receiver.interface))
            name = callee.name
        else:
            return ()
        found: list[Closure] = []
        for value in classes:
            method = self._ev.field(Instance(value, None), name)
            if isinstance(method, Closure) and not method.function.is_abstract:
                found.append(method)
        return tuple(found)

    def _implementers(self, interface: Interface) -> Iterator[ClassValue]:
        for path in self._program.importing_closure(interface.module.path, _CLOSURE_DEPTH, _CLOSURE_FILES):
            if not (
                self._program.mentions(path, "implements") and self._program.mentions(path, interface.name)
            ):
                continue
            module = self._program.module(path)
            for cls in self._program.classes(module) if module is not None else ():
                scope = self._ev.scope_of(cls.parent)
                shapes = (self._ev.typed(ref, scope) for ref in cls.interfaces)
                if any(isinstance(shape, Shape) and shape.interface is interface for shape in shapes):
                    yield self.class_value(cls)
