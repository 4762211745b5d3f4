"""Where variables live: the function, class or module that declares one."""

from __future__ import annotations

from cronaudit.model.ir import Array, Assign, AssignExpr, Expr, Function, Module, Name, Object
from cronaudit.model.walking import statements


def home_of(name: str, function: Function) -> Function | Module | None:
    """The function or module that declares a variable; None where nothing does, or it is no variable."""
    current: Function | Module = function
    while True:
        if isinstance(current, Function) and any(_names(p.target, name) for p in current.params):
            return None
        if _declares(current, name):
            return current
        if isinstance(current, Module):
            return None
        current = current.parent


def _declares(node: Function | Module, name: str) -> bool:
    python = (node if isinstance(node, Module) else node.module).path.endswith(".py")
    for statement in statements(node.body):
        if not isinstance(statement, Assign):
            continue
        if (statement.declares or (python and isinstance(node, Module))) and _names(statement.target, name):
            return True
        if python and isinstance(node, Function) and _names(statement.target, name):
            return not _is_global(node, name)
        if statement.declares and _names(statement.target, name):
            return True
    return False


def _is_global(node: Function, name: str) -> bool:
    """``global x``: it has no node of its own, so a name that the module assigns too counts as the module's."""
    module = node.module
    return any(isinstance(s, Assign) and _names(s.target, name) for s in module.body)


def _names(target: Expr, name: str) -> bool:
    if isinstance(target, Name):
        return target.name == name
    if isinstance(target, Array):
        return any(_names(i, name) for i in target.items)
    if isinstance(target, Object):
        return any(_names(e.value, name) for e in target.entries)
    return isinstance(target, AssignExpr) and _names(target.target, name)
