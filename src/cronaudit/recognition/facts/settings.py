"""Settings of Python frameworks: assigned in a settings module, to the app's configuration, or passed to its update.

Frameworks read them by name, so that no import leads from the job to them. The names stand in rules/libraries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model import knowledge
from cronaudit.model.ir import (
    Assign,
    Call,
    Class,
    Const,
    Expr,
    Function,
    Index,
    Member,
    Module,
    Name,
    Object,
    Scalar,
    This,
)
from cronaudit.model.source import Language, Location, Role
from cronaudit.model.value import Choice, Known, Value
from cronaudit.model.walking import expressions, inside, statement_expressions, statements
from cronaudit.recognition.context import Service, once_a_service

_SECOND: Final = lazy_regex(
    r"(?:^|[/_.-])(?:tests?|testing|ci|local|dev(?:elopment)?|examples?|sample)(?:[/_.-]|$)"
)
_SECOND_CLASS: Final = lazy_regex(r"(?i:tests?|testing|ci|local|dev(?:elopment)?|debug)(?![a-z])")
"""A class of settings that is not for production: ``TestConfig``, ``Development``."""
_CONFIGURATION: Final = lazy_regex(r"^(?:conf|config|settings?)$")
_DOTTED: Final = lazy_regex(r"[a-z_]\w*(?:\.\w+)+", re.IGNORECASE)
_MOST_BYTES: Final = 500_000

Setting = tuple[Value, Location]
_Together = tuple[frozenset[str], ...]
"""For each library the names that it reads."""


def setting(service: Service, what: str, named: Callable[[str], bool] = bool) -> Setting | None:
    """The value in force, with its place: the first name that is set; production before tests and examples.

    What settings settle is listed in rules/effects.yaml; of their names those count that are `named` so.
    """
    found = _all(service)
    for name in (n for s in _known(service) if s.what == what for n in s.names):
        if name in found and named(name):
            return found[name][0]
    return None


def names_of(service: Service, what: str, library: str) -> tuple[str, ...]:
    """The names under which a library reads a setting."""
    libraries = (x for x in service.matcher.libraries if x.id == library)
    return tuple(n for x in libraries for s in x.settings if s.what == what for n in s.names)


def default_of(service: Service, what: str) -> Scalar:
    """What holds where nothing sets it (durations in seconds); None where nobody says."""
    return next((s.default for s in _known(service) if s.what == what and s.default is not None), None)


def parts_of(service: Service, what: str, word: str) -> tuple[str, ...]:
    """The keys that lead from the value of a setting to a part of it."""
    return next((s.part(word) for s in _known(service) if s.what == what and s.part(word)), ())


def meaning_of(service: Service, what: str, word: str) -> str:
    """What a word says that a setting begins with, or an engine that does its part; empty where nobody knows it."""
    listed = (pair for s in _known(service) if s.what == what for pair in s.means)
    return next((meaning for meaning, words in listed if word.lower() in words), "")


def modules_named_by(service: Service, what: str) -> tuple[str, ...]:
    """The files of the module that a setting names by its dotted path, and of those that it names in the same way."""
    stated = setting(service, what)
    stack = [stated[0]] if stated is not None else []
    texts = [v.value for v in stack if isinstance(v, Known) and isinstance(v.value, str)]
    found: set[str] = set()
    while texts:
        for path in files_of(service, texts.pop()):
            module = service.linker.module(path) if path not in found else None
            found.add(path)
            if module is not None:
                consts = (e.value for e in expressions(module.body) if isinstance(e, Const))
                texts += [c for c in consts if isinstance(c, str) and _DOTTED.fullmatch(c)]
    return tuple(sorted(found))


def files_of(service: Service, dotted: str) -> Iterator[str]:
    """The files of the tree that a dotted path of a module may mean."""
    stem = dotted.replace(".", "/")
    for tail in (f"{stem}.py", f"{stem}/__init__.py"):
        for file in service.tree.by_name(tail.rpartition("/")[2]):
            if f"/{file.path}".endswith(f"/{tail}"):
                yield file.path


def is_set(found: Setting | None) -> bool:
    """Whether a setting has a value that turns something on."""
    if found is None:
        return False
    value = found[0].options[0] if isinstance(found[0], Choice) else found[0]
    return not (isinstance(value, Known) and value.value in (None, "", False, "disabled", "disabled://"))


@once_a_service
def _all(service: Service) -> dict[str, list[Setting]]:
    together = tuple(
        frozenset(name for stated in library.settings for name in stated.names)
        for library in service.matcher.libraries
        if library.settings
    )
    names = frozenset().union(*together)
    # Assigned, with a type or without, or a key or keyword of what is assigned.
    spoken = re.compile(
        rb"\b(?:" + b"|".join(re.escape(n.encode()) for n in sorted(names)) + rb")"
        rb"(?:\s*(?::[^=\n]*)?=(?!=)|['\"]\s*[\]:])"
    )
    found: dict[str, list[tuple[bool, Setting]]] = {}
    for file in service.tree.files:
        if file.language is not Language.PYTHON or file.size > _MOST_BYTES:
            continue
        if file.role not in (Role.SERVER, Role.CONFIG) or not spoken.search(service.tree.read(file.path)):
            continue
        module = service.linker.module(file.path)
        if module is None:
            continue
        functions = service.linker.functions(module, *names)
        second = _SECOND.search(file.path) is not None
        for name, expr, line in _assignments(module, tuple(functions), names, together):
            value = service.linker.fold(expr, service.linker.scope_of(module))
            found.setdefault(name, []).append((second, (value, Location(file.path, line))))
        for cls in service.linker.classes(module):
            if _SECOND_CLASS.match(cls.name or "") is not None:
                continue
            scope = service.linker.class_value(cls).scope
            for name, expr, line in _of_class(cls, names, together):
                value = service.linker.fold(expr, scope)
                found.setdefault(name, []).append((second, (value, Location(file.path, line))))
    return {
        name: [pair for _, pair in sorted(pairs, key=lambda p: (p[0], p[1][1]))]
        for name, pairs in found.items()
    }


def _known(service: Service) -> tuple[knowledge.Setting, ...]:
    return tuple(setting for library in service.matcher.libraries for setting in library.settings)


def _assignments(
    module: Module, functions: tuple[Function, ...], known: frozenset[str], together: _Together
) -> Iterator[tuple[str, Expr, int]]:
    bodies = [module.body, *(f.body for f in functions)]
    for body in bodies:
        for s in statements(body):
            if isinstance(s, Assign) and s.value is not None and s.op == "=":
                name = _assigned(s.target, top=body is module.body)
                if name in known:
                    yield name, s.value, s.line
                elif body is module.body:
                    yield from _listed(s.value, together)
            for root in statement_expressions(s):
                for expr in inside(root):
                    if isinstance(expr, Call) and _updates(expr):
                        yield from (
                            (a.name, a.value, expr.line)
                            for a in expr.args
                            if a.name is not None and a.name in known
                        )
                        for argument in expr.args:
                            if isinstance(argument.value, Object):
                                yield from (
                                    (e.key, e.value, e.line)
                                    for e in argument.value.entries
                                    if isinstance(e.key, str) and e.key in known
                                )


def _of_class(cls: Class, known: frozenset[str], together: _Together) -> Iterator[tuple[str, Expr, int]]:
    """``class Config: CELERY_TIMEZONE = 'UTC'``, as Flask reads it."""
    for field in cls.fields:
        if field.value is not None:
            if field.name.isupper() and field.name in known:
                yield field.name, field.value, field.line
            else:
                yield from _listed(field.value, together)


def _listed(value: Expr, together: _Together) -> Iterator[tuple[str, Expr, int]]:
    """``CELERY = {'broker_url': …, 'timezone': 'UTC'}``: two names that one library reads are no chance."""
    if not isinstance(value, Object):
        return
    keys = frozenset(e.key for e in value.entries if isinstance(e.key, str))
    for names in together:
        shared = keys & names
        if len(shared) > 1:
            yield from ((e.key, e.value, e.line) for e in value.entries if e.key in shared)
            return


def _assigned(target: Expr, *, top: bool) -> str:
    """``CELERY_TIMEZONE``, ``app.conf.timezone``, ``app.conf['timezone']``; a bare lower-case name is a variable."""
    if isinstance(target, Name):
        return target.name if top and target.name.isupper() else ""
    if isinstance(target, Member) and _is_configuration(target.object):
        return target.name
    if isinstance(target, Index) and _is_configuration(target.object) and isinstance(target.index, Const):
        return str(target.index.value)
    return ""


def _is_configuration(expr: Expr) -> bool:
    return (
        isinstance(expr, Member | Name)
        and _CONFIGURATION.match(expr.name) is not None
        and not isinstance(expr, This)
    )


def _updates(call: Call) -> bool:
    return (
        isinstance(call.callee, Member)
        and call.callee.name in ("update", "add_defaults")
        and _is_configuration(call.callee.object)
    )
