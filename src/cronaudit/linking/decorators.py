"""Functions that decorate others: each use is a call with the decorated function as its argument."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.linking import parameters
from cronaudit.linking.fold import Evaluator
from cronaudit.linking.program import Program
from cronaudit.linking.usages import Usages
from cronaudit.model.ir import Call, Function, Member, Name, Return
from cronaudit.model.linker import Bound, Item
from cronaudit.model.source import Language, Location
from cronaudit.model.value import Arguments, Closure, External, Instance, Scope, Value
from cronaudit.model.walking import statements


def decorating(node: Function, evaluator: Evaluator, program: Program, usages: Usages) -> Iterator[Bound]:
    """The scopes of `node` for each function of the tree that it decorates, itself or as what a factory returns."""
    factory = _factory_of(node)
    named = factory or node
    if named.name is None or not node.params:
        return
    for path in usages.candidates(named):
        if not program.mentions(path, "@"):
            continue
        module = program.module(path)
        for function in program.contents(module).decorated() if module is not None else ():
            for decorator in function.decorators:
                call = decorator if isinstance(decorator, Call) else None
                callee = call.callee if call is not None else decorator
                if not isinstance(callee, Name | Member) or (call is None) is not (factory is None):
                    continue
                if callee.name not in usages.local_names(path, named):
                    continue
                outer = evaluator.scope_of(function.parent)
                value = evaluator.fold(callee, outer)
                if not usages.reaches(value, named) or not isinstance(value, Closure):
                    continue
                around = value.scope
                if factory is not None and call is not None:
                    around = Scope(factory, value.scope, this=value.this)
                    parameters.bind(evaluator, around, factory, evaluator.arguments(call, outer), value.bound)
                this = (
                    Instance(usages.class_value(function.owner), None) if function.owner is not None else None
                )
                decorated = Closure(function, outer, this)
                scope = Scope(node, around, this=value.this if factory is None else None)
                parameters.bind(evaluator, scope, node, Arguments((decorated,), {}), ())
                at = Location(path, callee.line, function.end_line)
                yield Bound(scope, (at,), (Item(at, decorated),))


def decorated(closure: Closure, evaluator: Evaluator) -> Closure:
    """What a name stands for whose function has decorators of the project's own: the function that they return.

    Decorators from outside the tree, and those that hand the function back, change nothing.
    """
    function = closure.function
    found = closure
    for decorator in reversed(function.decorators):
        value = evaluator.fold(decorator, evaluator.scope_of(function.parent))
        if not isinstance(value, Closure):
            continue
        made = _handed_on(evaluator.apply(value, Arguments((found,), {}), None, None), evaluator)
        if isinstance(made, Closure):
            # Of a method the wrapper is one too.
            found = made if made.this is not None else Closure(made.function, made.scope, closure.this)
    return closure if found.function is function else found


def _handed_on(made: Value, evaluator: Evaluator) -> Value:
    """``return shared_task(**options)(guarded)``: a decorator from outside the tree changes nothing."""
    if not isinstance(made, External) or made.args is None or len(made.args.positional) != 1:
        return made
    inner = evaluator.force(made.args.positional[0])
    return inner if isinstance(inner, Closure) else made


def wrappers(function: Function, evaluator: Evaluator) -> Iterator[tuple[Call, External]]:
    """The decorators from outside the tree, the outer first, that run the function under them: ``@retry(stop=…)``."""
    if function.module.language is not Language.PYTHON:
        return
    scope = evaluator.scope_of(function.parent)
    for decorator in function.decorators:
        if not isinstance(decorator, Call):
            continue
        callee = evaluator.fold(decorator.callee, scope)
        if isinstance(callee, External):
            view = External(
                callee.path, evaluator.arguments(decorator, scope), callee.at, callee.receiver, decorator
            )
            if evaluator.foreign.wraps(evaluator, view):
                yield decorator, callee


def _factory_of(node: Function) -> Function | None:
    """The function that makes a decorator: it returns `node`, which stands in it."""
    parent = node.parent
    if not isinstance(parent, Function) or node.name is None:
        return None
    returned = (s.value for s in statements(parent.body) if isinstance(s, Return))
    return parent if any(isinstance(v, Name) and v.name == node.name for v in returned) else None
