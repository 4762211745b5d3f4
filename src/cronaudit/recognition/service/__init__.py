"""The facts of the service as a whole: one module a concept."""

from __future__ import annotations

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

__all__ = ["build"]


def build(service: Service) -> ServiceFacts:
    """What holds for all jobs together; their contexts must be complete."""
    tried = test_facts(service)
    return ServiceFacts(
        runtime=runtime(service),
        routing=routing(service),
        escalation=escalation(service),
        board=board(service),
        tests=tried.tests,
        double_run_test=tried.double_run,
        crash_test=tried.crash,
        concurrent_test=tried.concurrent,
        shutdown=shutdown(service),
        memory_monitored=memory_monitored(service),
        cpu_work=cpu_work(service),
        instance_id=instance_id(service),
        health=health(service),
        pool=pool(service),
    )
