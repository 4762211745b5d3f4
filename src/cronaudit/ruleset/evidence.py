"""Evidence and snippets: Jinja2 templates over the facts, sandboxed, checked when the catalogue is loaded.

A fact prints as its value, so that ``{{ lock.key }}`` and ``{{ timeout.seconds * 1000 }}`` read naturally; it also
carries ``.detail``, ``.at``, ``.file`` and ``.reason``. What is none or unresolved is falsy:
``{{ timeout.seconds or 600 }}``. Filters: ``duration`` (seconds in words) and ``plural`` (``3 | plural('job')``).

Jinja2 is imported on first use: most commands render nothing, and most evidence needs no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from cronaudit.model.facts import Unresolved
from cronaudit.model.rule import Scope
from cronaudit.problems import did_you_mean
from cronaudit.ruleset.fields import FACT_PARTS, JOB_EXTRAS, SERVICE, Kind, field_types
from cronaudit.ruleset.plain import PlainTemplate, read_plain
from cronaudit.ruleset.views import Missing, context, plain

if TYPE_CHECKING:
    from jinja2 import Environment, Template, nodes

__all__ = ["Filters", "Renderer", "check_template", "context"]

Filters = Mapping[str, Callable[..., object]]
_JOBS: Mapping[str, str] = {"count": "How many live jobs there are."}


class Renderer:
    """Renders templates; each is compiled once, when it is first needed."""

    def __init__(self, filters: Filters | None = None) -> None:
        """Take filters beside ``plural``; without a ``duration`` it prints plain seconds."""
        self._filters = filters or {}
        self._duration = duration_filter(self._filters)
        self._plain: dict[str, PlainTemplate | None] = {}
        self._environment: Environment | None = None
        self._templates: dict[str, Template] = {}

    def line(self, source: str, context: Mapping[str, object]) -> str:
        """Return evidence on one line; empty where the template fails on these values."""
        return " ".join(self.block(source, context).split()) if "{" in source else source

    def block(self, source: str, context: Mapping[str, object]) -> str:
        """Return a rendered snippet; empty where the template fails on these values (none times two)."""
        if source not in self._plain:
            self._plain[source] = read_plain(source)
        plain = self._plain[source]
        text = self._engine(source, context) if plain is None else plain.render(context, self._duration)
        return text.strip("\n")

    def _engine(self, source: str, context: Mapping[str, object]) -> str:
        from jinja2 import TemplateError

        template = self._templates.get(source)
        if template is None:
            if self._environment is None:
                self._environment = _environment(self._filters)
            template = self._templates[source] = self._environment.from_string(source)
        try:
            return template.render(context)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError):
            return ""


def check_template(source: str, scope: Scope) -> Iterator[tuple[int, str]]:
    """Yield (line, message) for everything that is wrong with a template."""
    if "{" not in source:
        return
    from jinja2 import TemplateSyntaxError, meta, nodes

    environment = _checking_environment()
    try:
        tree = environment.parse(source)
        unknown = list(_unknown_callables(tree, environment))
        free = set() if unknown else meta.find_undeclared_variables(tree)
    except TemplateSyntaxError as error:
        yield error.lineno, f"not a template: {error.message}"
        return
    yield from unknown
    for banned in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        yield banned.lineno, f"a rule's template stands alone: no {type(banned).__name__.lower()}"
    yield from _check_names(tree, free, scope)
    yield from _check_words(tree, free)


def _unknown_callables(tree: nodes.Template, environment: Environment) -> Iterator[tuple[int, str]]:
    from jinja2 import nodes

    for node in tree.find_all(nodes.Filter):
        if node.name not in environment.filters:
            yield node.lineno, f"unknown filter '{node.name}'{did_you_mean(node.name, environment.filters)}"
    for test in tree.find_all(nodes.Test):
        if test.name not in environment.tests:
            yield test.lineno, f"unknown test '{test.name}'{did_you_mean(test.name, environment.tests)}"


def _check_names(tree: nodes.Template, free: set[str], scope: Scope) -> Iterator[tuple[int, str]]:
    from jinja2 import nodes

    known = _template_names(scope)
    asked: set[int] = set()
    for attribute in tree.find_all(nodes.Getattr):
        inner = attribute.node
        if isinstance(inner, nodes.Name) and inner.name in free:
            asked.add(id(inner))
            fields = known.get(inner.name)
            if fields is not None and attribute.attr not in fields:
                full = f"{inner.name}.{attribute.attr}"
                yield attribute.lineno, f"unknown field '{full}'{did_you_mean(attribute.attr, fields)}"
        elif _is_field(inner, free) and attribute.attr not in FACT_PARTS:
            yield (
                attribute.lineno,
                f"a fact has no '{attribute.attr}'{did_you_mean(attribute.attr, FACT_PARTS)}",
            )
    for name in tree.find_all(nodes.Name):
        if name.ctx != "load" or name.name not in free:
            continue
        if name.name not in known:
            yield name.lineno, f"unknown name '{name.name}'{did_you_mean(name.name, known)}"
        elif id(name) not in asked:
            yield name.lineno, f"'{name.name}' is a group: name one of its fields"


def _check_words(tree: nodes.Template, free: set[str]) -> Iterator[tuple[int, str]]:
    from jinja2 import nodes

    for comparison in tree.find_all(nodes.Compare):
        words = _words(comparison.expr, free)
        for word in (word for operand in comparison.ops for word in _literals(operand.expr)) if words else ():
            if word not in words:
                guess = did_you_mean(str(word), words)
                yield comparison.lineno, f"never {word!r} but one of {', '.join(words)}{guess}"


def _literals(node: nodes.Node) -> Iterator[object]:
    from jinja2 import nodes

    if isinstance(node, nodes.Const):
        # The parser folds a tuple of literals into one.
        yield from node.value if isinstance(node.value, tuple) else (node.value,)
    elif isinstance(node, nodes.Tuple | nodes.List):
        for item in node.items:
            yield from _literals(item)


def _words(node: nodes.Node, free: set[str]) -> tuple[str, ...]:
    from jinja2 import nodes

    if _is_field(node, free) and isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        kind = field_types().get(node.node.name, {}).get(node.attr)
        return kind.words if kind is not None and kind.kind is Kind.WORDS else ()
    return ()


def _is_field(node: nodes.Node, free: set[str]) -> bool:
    from jinja2 import nodes

    return isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name in free


def _template_names(scope: Scope) -> dict[str, set[str]]:
    groups = {SERVICE} if scope is Scope.SERVICE else set(field_types())
    names = {group: set(field_types()[group]) for group in sorted(groups)}
    if scope is Scope.JOB:
        names["job"] |= set(JOB_EXTRAS)
    return {**names, "jobs": set(_JOBS)}


@cache
def _checking_environment() -> Environment:
    return _environment({})


def _environment(filters: Filters) -> Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # Text, not markup: every report escapes for its own format.
    environment = ImmutableSandboxedEnvironment(
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=plain,
    )
    environment.globals.clear()
    environment.filters.update(filters)
    environment.filters["duration"] = duration_filter(filters)
    environment.filters["plural"] = _plural
    environment.filters["default"] = environment.filters["d"] = _default
    environment.tests["none"] = lambda value: value is None or (_absent(value) and not _unresolved(value))
    environment.tests["unresolved"] = _unresolved
    environment.tests["resolved"] = lambda value: not _unresolved(value)
    return environment


def duration_filter(filters: Filters) -> Callable[[Any], str]:
    """Return the filter for seconds in words, which says of a missing value that it is missing."""
    duration = filters.get("duration", _seconds)
    return lambda value: str(value if _absent(value) else duration(float(value)))


def _absent(value: object) -> bool:
    return isinstance(value, Missing)


def _unresolved(value: object) -> bool:
    return isinstance(value, Missing) and isinstance(value.fact.value, Unresolved)


def _seconds(value: float) -> str:
    return f"{plain(value)}s"


def _plural(count: float, one: str, many: str | None = None) -> str:
    return f"{plain(float(count))} {one if count == 1 else many or one + 's'}"


def _default(value: object, fallback: object = "") -> object:
    from jinja2 import Undefined

    return fallback if _absent(value) or value is None or isinstance(value, Undefined) else value
