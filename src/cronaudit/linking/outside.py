"""Members of symbols outside the tree."""

from __future__ import annotations

from cronaudit.model.source import Location
from cronaudit.model.value import (
    Env,
    External,
    Value,
)

ENVIRONMENTS = frozenset(
    ("global:process.env", "global:Bun.env", "os.environ", "global:import.meta.env", "process:env")
)


def member(value: External, name: str, at: Location | None = None) -> Value:
    """A member of a symbol outside the tree; of the environment, a variable."""
    if name in value.members:
        return value.members[name]
    if value.path in ENVIRONMENTS and name not in ("get", "setdefault"):
        return Env(name, at)
    if value.path in ("global:globalThis", "global:window"):
        return External(f"global:{name}", at=at)
    # The default export of a package is the package; ``z.string().default(…)`` is a method.
    if name == "default" and not value.path.endswith(")"):
        return value
    dot = "" if value.path.endswith(":") else "."
    receiver = value if value.path.endswith(")") else value.receiver
    return External(f"{value.path}{dot}{name}", at=at, receiver=receiver, of=value.of, row=value.row)
