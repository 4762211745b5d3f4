"""The facts of the service as a whole: one module a concept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from cronaudit.model.facts import ServiceFacts
from cronaudit.recognition.context import Service
from cronaudit.recognition.service.board import board
from cronaudit.recognition.service.capacity import cpu_work, memory_monitored
from cronaudit.recognition.service.health import health
from cronaudit.recognition.service.instance import instance_id
from cronaudit.recognition.service.pool import pool
from cronaudit.recognition.service.routing import escalation, routing
from cronaudit.recognition.service.runtime import runtime
from cronaudit.recognition.service.shutdown import shutdown
from cronaudit.recognition.service.tests import test_facts

__all__ = ["build", "parts", "put_together"]


def parts(service: Service) -> tuple[Callable[[], Mapping[str, Any]], ...]:
    """What works out the facts that hold for all jobs together, by their names; the contexts must be complete.

    The longest first: whoever shares them among processes has the short ones left to fill up with.
    """
    return tuple(partial(part, service) for part in (_surroundings, _run_time, _tests))


def put_together(parts: Iterable[Mapping[str, Any]]) -> ServiceFacts:
    """The facts out of what the parts came to."""
    return ServiceFacts(**{name: fact for part in parts for name, fact in part.items()})


def build(service: Service) -> ServiceFacts:
    """All facts that hold for all jobs together."""
    return put_together(part() for part in parts(service))


def _tests(service: Service) -> Mapping[str, Any]:
    tried = test_facts(service)
    return {
        "tests": tried.tests,
        "double_run_test": tried.double_run,
        "crash_test": tried.crash,
        "concurrent_test": tried.concurrent,
    }


def _surroundings(service: Service) -> Mapping[str, Any]:
    return {
        "board": board(service),
        "routing": routing(service),
        "escalation": escalation(service),
        "health": health(service),
        "instance_id": instance_id(service),
    }


def _run_time(service: Service) -> Mapping[str, Any]:
    return {
        "runtime": runtime(service),
        "shutdown": shutdown(service),
        "memory_monitored": memory_monitored(service),
        "cpu_work": cpu_work(service),
        "pool": pool(service),
    }
