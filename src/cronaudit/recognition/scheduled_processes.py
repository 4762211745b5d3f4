"""Jobs that a manifest starts as a process of their own: CronJobs, cron services of platforms, lines of crontabs."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cronaudit.knowledge.matcher import Matcher
from cronaudit.knowledge.selectors import Site
from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import Deployment, Process, ProcessKind, Stated
from cronaudit.model.ir import Module
from cronaudit.model.linker import Bound, Item, Linker
from cronaudit.model.source import Language
from cronaudit.model.value import Closure, Instance, Known, Lazy, Namespace, Record, Scope, Unknown, Value
from cronaudit.recognition.commands import command_of
from cronaudit.recognition.found import Registration, Rejection
from cronaudit.recognition.manifests import Manifests, function_of
from cronaudit.recognition.registrar import Registrar

_ROUTE = lazy_regex(r"(?:https?://[^\s/'\"]+|\$\{?\w+\}?)(/[\w./-]+)")
"""What a command asks of a server: ``curl http://web:3000/api/sweep``."""
_SCRIPT = lazy_regex(r"([\w.-]+)\.(?:sh|bash|py|[cm]?[jt]s|rb|php|pl)\b")
_OPEN = "what its command runs is not in the tree"
_OTHERS = "scheduled, and not audited: its command runs no code of this tree, or a script of the shell"


class ScheduledProcesses(Struct, eq=False):
    """Finds the jobs of such manifests."""

    linker: Linker
    matcher: Matcher
    deployment: Deployment
    registrar: Registrar
    manifests: Manifests
    rejections: list[Rejection] = []

    def registrations(self) -> Iterator[Registration]:
        """One registration for each process in use that is started by the clock and runs code of the tree."""
        described = self.matcher.schedulers("manifest")
        for process in self.deployment.in_use():
            stated = process.schedule
            if stated is None:
                continue
            module = Module(
                stated.location.path, self.linker.language(stated.location.path) or Language.OTHER
            )
            record = _entry(process, stated)
            for scheduler in described:
                if scheduler.call != f"manifest:{process.kind}":
                    continue
                view = Site(scheduler.call, None, None, {"entry": record}, {}, stated.location.path)
                bound = Bound(Scope(module, None), (stated.location,), (Item(stated.location, record),))
                found = self.registrar.register(
                    scheduler, view, module, bound, stated.location, stated.location
                )
                if found is None:
                    continue
                if self._runs_the_tree(found, process):
                    yield found
                elif process.kind is ProcessKind.CRONTAB:
                    self.rejections.append(Rejection(stated.location, found.kind, _OTHERS, is_scheduled=True))

    def _runs_the_tree(self, found: Registration, process: Process) -> bool:
        """Whether the process runs code of the tree, and what."""
        found.handler_open = _OPEN
        script = _SCRIPT.search(process.command.text) if process.command is not None else None
        found.known_as = script[1] if script is not None else None
        for entry in reversed(process.main_entries):
            module = self.linker.module(entry.path) if entry.path is not None else None
            if module is not None:
                found.handler, found.handler_open, found.node = self._work(module, process), "", module
                return True
        command = process.command
        for route in _ROUTE.findall(command.text) if command is not None else ():
            if self.manifests.route(found, route):
                found.name = found.name or route
                return True
        return process.build is not None and process.build.relation != "none"

    def _work(self, module: Module, process: Process) -> Closure | Module:
        """The file that is started; of a management command the method that works, of a function the function."""
        if process.kind is ProcessKind.SERVERLESS and process.command is not None:
            named = self.linker.member(Namespace(module), process.command.text.rpartition(".")[2])
            return function_of(named, self.linker) or module
        for cls in self.linker.classes(module):
            method = cls.method("handle")
            if method is not None and command_of(method, self.linker) is not None:
                value = self.linker.class_value(cls)
                return Closure(method, self.linker.scope_of(method.parent), Instance(value, None))
        return module


def _entry(process: Process, schedule: Stated[str]) -> Record:
    values: dict[str, Value | Lazy] = {}
    if process.kind is not ProcessKind.CRONTAB:  # a line has no name
        values["name"] = Known(process.name, process.source)
    for name, stated in (
        ("schedule", schedule),
        ("timezone", process.timezone),
        ("concurrency", process.concurrency),
        ("limit", process.time_limit),
    ):
        if stated is not None:
            values[name] = (
                Known(stated.value, stated.location)
                if stated.value is not None
                else Unknown(f"{stated.text} is set where the manifest is used", stated.location)
            )
    return Record(values, complete=True, at=process.source)


def without_asked_twice(found: list[Registration]) -> list[Registration]:
    """A route that the platform calls by itself, and a crontab where there is no such platform: it is one job."""
    stated = [r for r in found if r.scheduler is not None and r.scheduler.how == "manifest"]
    by_platform = {r.name for r in stated if r.scheduler is not None and r.scheduler.entries and r.name}
    again = {id(r) for r in stated if r.scheduler is not None and not r.scheduler.entries}
    return [r for r in found if id(r) not in again or r.name not in by_platform]
