"""What a base class leaves to the classes below it: fields of their own, and objects that a container makes."""

from __future__ import annotations

from collections.abc import Iterator

from cronaudit.linking.usages import Usages
from cronaudit.model.ir import Call, Class, Function, Member, Module, This
from cronaudit.model.source import Location
from cronaudit.model.value import Arguments, Instance
from cronaudit.model.walking import class_around, inside


def of_container(cls: Class, usages: Usages) -> Iterator[tuple[Instance, tuple[Location, ...]]]:
    """One object of each decorated class below one of which the tree makes none: a container makes them."""
    for value in (s for s in usages.subclasses(cls) if s.cls.decorators):
        at = value.cls.location
        yield Instance(value, Arguments((), {}, complete=False), at), (at,)


def are_told(call: Call, where: Function | Module, usages: Usages) -> bool:
    """``this.tasks.plan(this.name, this.cron)`` in a base class: each class below it has a name and a cron."""
    told = (e for a in call.args for e in inside(a.value) if isinstance(e, Member))
    cls = class_around(where) if any(isinstance(e.object, This) for e in told) else None
    return cls is not None and bool(usages.subclasses(cls))
