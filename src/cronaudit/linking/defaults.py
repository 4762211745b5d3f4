"""Defaults in calls that read a setting: where nothing tells the setting, its default in the tree counts."""

from __future__ import annotations

import re
from typing import Final

from cronaudit.lazy_regex import lazy_regex
from cronaudit.linking.folder import Folder
from cronaudit.model.ir import Call, Const, Expr, Function, Member, Name, Scalar
from cronaudit.model.source import Location
from cronaudit.model.value import Choice, External, Known, Scope, Symbol, Unknown, Value

_SETTING: Final = lazy_regex(r"(^|_)(config|conf|cfg|settings?|options?|env|envvar|param)s?$", re.IGNORECASE)
_PAIR: Final = 2
_NUMBERS: Final = ("int", "float")
_FLAGS: Final = ("store_true", "store_false")


def stated_default(folder: Folder, call: Call, value: Value, scope: Scope) -> Value:
    """``config.get('interval', 30)``, ``get_config('sync', 'interval', default=30)``: the default, else the value."""
    if isinstance(value, Symbol) and value.path == ("get", "()") and call.args:
        key = _text(call.args[0].value)
        stated = option_default(folder, value, key) if key is not None else None
        return stated or value
    options = value.options if isinstance(value, Choice) else (value,)
    if not any(isinstance(option, Unknown | External) for option in options):
        return value
    written = _named(call) or _second(call)
    if written is None or not (isinstance(value, Unknown) or _is_of_settings(call)):
        return value
    key, default = written
    found = folder.fold(default, scope)
    if not isinstance(found, Known) or found.value is None:
        return value
    others = [option for option in options if not isinstance(option, Unknown | External)]
    if any(not isinstance(option, Known) or option.value != found.value for option in others):
        return value
    return Known(found.value, found.at, found.unit, key)


def option_default(folder: Folder, options: Symbol, key: str) -> Known | None:
    """``options['pause']`` of a command that says ``parser.add_argument('--pause', default=5)`` beside it."""
    function = options.owner
    if not isinstance(function, Function) or function.owner is None:
        return None
    if not any(p.name == options.name and p.rest == "**" for p in function.params):
        return None
    for call, node in folder.modules.calls_of(function.module, "add_argument"):
        if isinstance(node, Function) and node.owner is function.owner and key in _destinations(call):
            default = next((a.value for a in call.args if a.name == "default"), None)
            if default is None:
                return _of_flag(call, node, key)
            found = folder.fold(default, folder.scope_of(node))
            if not isinstance(found, Known):
                return None
            return Known(_converted(found.value, call), found.at, found.unit, f"--{key}")
    return None


def _converted(default: Scalar, call: Call) -> Scalar:
    """What the parser makes of a default that is a text: ``type=int, default='0'``."""
    kind = next((getattr(a.value, "name", None) for a in call.args if a.name == "type"), None)
    if not isinstance(default, str) or kind not in _NUMBERS:
        return default
    try:
        return float(default) if kind == "float" else int(default)
    except ValueError:
        return default


def _of_flag(call: Call, node: Function, key: str) -> Known | None:
    """``add_argument('--once', action='store_true')`` is off until it is given."""
    action = next((_text(a.value) for a in call.args if a.name == "action"), None)
    if action not in _FLAGS:
        return None
    return Known(action == "store_false", Location(node.module.path, call.line), None, f"--{key}")


def _destinations(call: Call) -> set[str]:
    flags = [_text(a.value) or "" for a in call.args if a.name is None]
    named = next((_text(a.value) for a in call.args if a.name == "dest"), None)
    return {named} if named else {flag.lstrip("-").replace("-", "_") for flag in flags}


def _second(call: Call) -> tuple[str, Expr] | None:
    """``anything.get('key', default)``."""
    if not isinstance(call.callee, Member) or call.callee.name != "get" or len(call.args) != _PAIR:
        return None
    first, second = call.args
    if first.spread or second.spread or first.name is not None or second.name is not None:
        return None
    return None if (key := _text(first.value)) is None else (key, second.value)


def _named(call: Call) -> tuple[str, Expr] | None:
    """``get_config('a', 'b', default=…)``: a function that is named after settings."""
    if not isinstance(call.callee, Name | Member):
        return None
    if not _is_of_settings(call):
        return None
    default = next((a.value for a in call.args if a.name == "default"), None)
    keys = [_text(a.value) for a in call.args if a.name is None and not a.spread]
    if default is None or not keys or None in keys:
        return None
    return ".".join(k for k in keys if k), default


def _is_of_settings(call: Call) -> bool:
    """Whether what is called, or the object that it is asked of, is named after settings."""
    name = getattr(call.callee, "name", "")
    owner = getattr(getattr(call.callee, "object", None), "name", "")
    return bool(_SETTING.search(owner if name == "get" else name))


def _text(expr: object) -> str | None:
    return expr.value if isinstance(expr, Const) and isinstance(expr.value, str) else None
