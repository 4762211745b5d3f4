"""The conditions of decision tables: Python's syntax, three truth values, typed when the catalogue is loaded.

The grammar is a white list over the standard ``ast``::

    lock.kind == 'lease' and lock.ttl_seconds <= timeout.seconds
    retry.attempts in ('bounded', 'default') or not job.stub
    lock.ttl_seconds is none            lock.ttl_seconds is unresolved
    jobs.any("lock.kind != 'none'")     jobs.all("…")     jobs.count > 1       (service scope)

Truth is Kleene's: a comparison with an unresolved value is unknown; ``a or b`` is true if either is, ``a and b`` is
false if either is, in any order. ``is unresolved`` and ``is resolved`` ask without spreading. With none (a value that
is known to be absent) orderings and ``==`` are false, ``!=`` is true, and arithmetic gives none.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from msgspec import Struct

from cronaudit.model.rule import Scope
from cronaudit.problems import did_you_mean
from cronaudit.ruleset.fields import SERVICE, FieldType, Kind, field_types
from cronaudit.ruleset.kleene import (
    Operator,
    Read,
    Reading,
    Truth,
    calculation,
    is_in,
    is_none,
    is_unknown,
    kleene,
    negation,
    over_jobs,
    pair,
    reader,
)


class ExpressionError(Exception):
    """A condition that is not one."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.message: Final = message
        self.line: Final = line
        """Line within the expression, counted from 1."""


class Condition(Struct, frozen=True):
    """A compiled condition."""

    source: str
    fields: tuple[str, ...]
    """Every field that it may read."""
    evaluate: Callable[[Reading], Truth]


@cache
def compile_condition(source: str, scope: Scope) -> Condition:
    """Check and compile a condition.

    Raises ExpressionError for what is not in the grammar, for an unknown field, and for a comparison that can never
    mean anything: a word that no recogniser says, a number with a text, anything with none.
    """
    try:
        with warnings.catch_warnings():
            # An invalid escape is only a warning of Python's parser; in a rule it is a mistake.
            warnings.simplefilter("error")
            # In brackets, so that a condition may run over several lines of a YAML block.
            tree = ast.parse(f"({source}\n)", mode="eval").body
        compiler = _Compiler(scope)
        evaluate = compiler.condition(tree)
    except (SyntaxError, ValueError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ExpressionError(f"not an expression: {getattr(error, 'msg', error)}", line) from error
    except RecursionError as error:
        raise ExpressionError("nested too deeply") from error
    return Condition(source, tuple(compiler.fields), evaluate)


class _Operand(Struct, frozen=True):
    """One side of a comparison."""

    text: str
    type: FieldType
    read: Read
    fixed: bool = False
    """Whether it is a literal."""


class _Compiler:
    """Turns the nodes of one expression into closures; every node is checked on the way."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.fields: dict[str, None] = {}

    # Truth values

    def condition(self, node: ast.expr) -> Read:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return kleene([self.condition(value) for value in values], decisive=False)
            case ast.BoolOp(values=values):
                return kleene([self.condition(value) for value in values], decisive=True)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return negation(self.condition(inner))
            case ast.Compare():
                return self._comparison(node)
            case ast.Call():
                return self._aggregate(node)
            case ast.Constant(value=bool()) | ast.Name(id="true" | "false"):
                raise ExpressionError("always the same: leave `when` out instead", node.lineno)
        operand = self._operand(node)
        if operand.type.kind is not Kind.BOOL:
            raise ExpressionError(
                f"{operand.text} is {operand.type}, no condition: compare it, or ask `is none`", node.lineno
            )
        return operand.read

    def _comparison(self, node: ast.Compare) -> Read:
        if any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            return self._state(node)
        if any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
            return self._membership(node)
        operands = [self._operand(side) for side in (node.left, *node.comparators)]
        pairs = []
        for op, left, right in zip(node.ops, operands, operands[1:], strict=False):
            self._check_pair(op, left, right, node.lineno)
            pairs.append(pair(_COMPARISONS[type(op)], left.read, right.read))
        return pairs[0] if len(pairs) == 1 else kleene(pairs, decisive=False)

    def _check_pair(self, op: ast.cmpop, left: _Operand, right: _Operand, line: int) -> None:
        kinds = {left.type.kind, right.type.kind}
        shown = f"{left.text} is {left.type}, {right.text} is {right.type}"
        if left.fixed and right.fixed:
            raise ExpressionError("compares two literals", line)
        if not isinstance(op, ast.Eq | ast.NotEq):
            if kinds != {Kind.NUMBER}:
                raise ExpressionError(f"only numbers have an order: {shown}", line)
            return
        if kinds == {Kind.WORDS}:
            if not set(left.type.words) & set(right.type.words):
                raise _never(left, right, line)
        elif len(kinds) > 1 and kinds != {Kind.TEXT, Kind.WORDS}:
            raise ExpressionError(f"can never be equal: {shown}", line)

    def _state(self, node: ast.Compare) -> Read:
        if len(node.ops) != 1:
            raise ExpressionError("`is` stands alone: join conditions with `and`", node.lineno)
        match node.comparators[0]:
            case ast.Constant(value=None):
                state = "none"
            case ast.Name(id=name):
                state = name.lower()
            case _:
                state = ""
        if state not in {"none", "unresolved", "resolved"}:
            raise ExpressionError(
                "`is` asks for none, unresolved or resolved; compare with `==`", node.lineno
            )
        operand = self._field(node.left)
        if state == "none" and not operand.type.optional:
            raise ExpressionError(f"{operand.text} is never none", node.lineno)
        asked = is_none(operand.read) if state == "none" else is_unknown(operand.read, state == "unresolved")
        return negation(asked) if isinstance(node.ops[0], ast.IsNot) else asked

    def _membership(self, node: ast.Compare) -> Read:
        listed = node.comparators[0]
        if len(node.ops) != 1 or not isinstance(listed, ast.Tuple | ast.List) or not listed.elts:
            raise ExpressionError("`in` takes one list of literals: x in ('a', 'b')", node.lineno)
        operand = self._operand(node.left)
        members = [self._operand(element) for element in listed.elts]
        for element, member in zip(listed.elts, members, strict=True):
            if not isinstance(element, ast.Constant):
                raise ExpressionError("`in` takes literals only", node.lineno)
            self._check_pair(ast.Eq(), operand, member, node.lineno)
        values = frozenset(element.value for element in listed.elts if isinstance(element, ast.Constant))
        asked = is_in(operand.read, values)
        return negation(asked) if isinstance(node.ops[0], ast.NotIn) else asked

    def _aggregate(self, node: ast.Call) -> Read:
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="jobs"), attr="any" | "all" as which),
                args=[ast.Constant(value=str(inner))],
                keywords=[],
            ):
                pass
            case _:
                raise ExpressionError("the only calls are jobs.any('…') and jobs.all('…')", node.lineno)
        self._require_service("jobs", node.lineno)
        try:
            condition = compile_condition(inner, Scope.JOB)
        except ExpressionError as error:
            raise ExpressionError(f"in jobs.{which}: {error.message}", node.lineno) from error
        name = f"jobs.{which}({inner})"
        self.fields[name] = None
        return over_jobs(name, condition.evaluate, decisive=which == "any")

    # Values

    def _operand(self, node: ast.expr) -> _Operand:
        match node:
            case ast.Constant(value=None) | ast.Name(id="none" | "null"):
                raise ExpressionError("nothing equals none: ask `is none`", node.lineno)
            case ast.Name(id="true" | "false" as word):
                return _literal(word == "true")
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return _literal(value)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return self._arithmetic(node, _literal(0), operator.sub, self._operand(inner))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                if isinstance(op, ast.Div) and isinstance(right, ast.Constant) and not right.value:
                    raise ExpressionError("divides by zero", node.lineno)
                return self._arithmetic(
                    node, self._operand(left), _ARITHMETIC[type(op)], self._operand(right)
                )
            case ast.Attribute():
                return self._field(node)
        raise ExpressionError(f"not allowed in a condition: {ast.unparse(node)}", node.lineno)

    def _arithmetic(self, node: ast.expr, left: _Operand, op: Operator, right: _Operand) -> _Operand:
        for side in (left, right):
            if side.type.kind is not Kind.NUMBER:
                raise ExpressionError(f"{side.text} is {side.type}, no number", node.lineno)
        kind = FieldType(Kind.NUMBER, left.type.optional or right.type.optional)
        fixed = left.fixed and right.fixed
        return _Operand(ast.unparse(node), kind, calculation(op, left.read, right.read), fixed)

    def _field(self, node: ast.expr) -> _Operand:
        match node:
            case ast.Attribute(value=ast.Name(id=group), attr=name):
                pass
            case _:
                raise ExpressionError(f"not a field: {ast.unparse(node)}", node.lineno)
        full = f"{group}.{name}"
        if full == "jobs.count":
            self._require_service("jobs", node.lineno)
            return _Operand(full, FieldType(Kind.NUMBER), lambda reading: len(reading.jobs))
        known = field_types()
        if group not in known:
            raise ExpressionError(f"unknown group '{group}'{did_you_mean(group, known)}", node.lineno)
        if name not in known[group]:
            raise ExpressionError(f"unknown field '{full}'{did_you_mean(name, known[group])}", node.lineno)
        if group != SERVICE and self.scope is Scope.SERVICE:
            raise ExpressionError(
                f"{full} is a job's: in service scope ask jobs.any('…') or jobs.all('…')", node.lineno
            )
        self.fields[full] = None
        return _Operand(full, known[group][name], reader(group, name, full))

    def _require_service(self, what: str, line: int) -> None:
        if self.scope is not Scope.SERVICE:
            raise ExpressionError(f"`{what}` is for checks with `scope: service`", line)


_ARITHMETIC: Mapping[type[ast.operator], Operator] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _never(left: _Operand, right: _Operand, line: int) -> ExpressionError:
    listed, word = (right, left) if left.fixed else (left, right)
    guess = did_you_mean(word.type.words[0], listed.type.words)
    return ExpressionError(f"{listed.text} is never {word.text} but one of {listed.type}{guess}", line)


def _literal(value: bool | float | str) -> _Operand:  # noqa: FBT001 - a value of the rule, not a switch
    if isinstance(value, bool):
        kind = FieldType(Kind.BOOL)
    elif isinstance(value, str):
        kind = FieldType(Kind.WORDS, words=(value,))
    else:
        kind = FieldType(Kind.NUMBER)
    return _Operand(repr(value), kind, lambda _: value, fixed=True)
