"""How objects are made: what a constructor hands on, and ``__new__`` of Python, which may give out another one."""

from __future__ import annotations

from cronaudit.linking import names, operators
from cronaudit.linking.folder import Folder
from cronaudit.model.ir import Call, Do, Function, Member, Super
from cronaudit.model.source import Language, Location
from cronaudit.model.value import Arguments, Choice, ClassValue, Closure, External, Instance, Scope, Value
from cronaudit.model.walking import statements


def created(folder: Folder, of: ClassValue, args: Arguments, at: Location | None) -> Value | None:
    """What a call of a class gives where its ``__new__`` returns no new object of the class itself; else None."""
    method = of.cls.method("__new__")
    if method is None or of.cls.module.language is not Language.PYTHON:
        return None
    value = folder.apply(Closure(method, of.scope, of), args, None, at)
    options = value.options if isinstance(value, Choice) else (value,)
    others = tuple(o for o in options if isinstance(o, Instance | External) and not _is_own(o, of))
    return operators.choice(others) if others else None


def kept(folder: Folder, current: ClassValue, this: ClassValue, name: str) -> Value | None:
    """``cls.instance = …`` in a method of the class: what stands in a class attribute that its body does not name."""
    if current.cls.module.language is not Language.PYTHON:
        return None
    for method, store in folder.scopes.kept_in_this(current.cls, name):
        if method.name == "__new__" or method.is_static:
            stored = folder.fold(store.value, Scope(method, current.scope, this=this))
            if not names.is_absent(stored):
                return stored
    return None


def _is_own(value: Instance | External, of: ClassValue) -> bool:
    """``super().__new__(cls)`` makes an object of the class itself."""
    if isinstance(value, Instance):
        return value.of.cls is of.cls
    return value.path.endswith("__new__()")


def super_call(constructor: Function) -> Call | None:
    """The ``super(…)`` (Python: ``super().__init__(…)``) of a constructor."""
    for statement in statements(constructor.body):
        call = statement.value if isinstance(statement, Do) else None
        if isinstance(call, Call):
            callee = call.callee
            if isinstance(callee, Super):
                return call
            if isinstance(callee, Member) and callee.name == "__init__" and isinstance(callee.object, Super):
                return call
    return None
