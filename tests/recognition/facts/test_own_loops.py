"""A loop of the project's own: what stands in it belongs to its run, and the event that a signal sets ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.recognition import service as service_facts
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import errors, history

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

SOURCE = """
import logging
import signal
import threading
import time
import httpx
from prometheus_client import Counter, Histogram, start_http_server

RUNS = Counter("runs_total", "Runs", ["job", "outcome"])
SECONDS = Histogram("run_seconds", "Duration", ["job"])
stop = threading.Event()

def ask_to_stop(*_):
    stop.set()

def watch():
    while not stop.wait(60):
        began = time.monotonic()
        try:
            httpx.post("https://tides.example/refresh").raise_for_status()
        except Exception:
            logging.exception("refresh failed")
            RUNS.labels(job="watch", outcome="failure").inc()
        else:
            RUNS.labels(job="watch", outcome="success").inc()
        SECONDS.labels(job="watch").observe(time.monotonic() - began)

signal.signal(signal.SIGTERM, ask_to_stop)
start_http_server(9200)
START
"""


@pytest.mark.parametrize(
    ("start", "shutdown", "in_progress"),
    [
        ("watch()", "jobs", "awaited"),
        ("threading.Thread(target=watch, daemon=True).start()\nthreading.Event().wait()", "apart", "none"),
    ],
    ids=["in the main thread", "in a thread that dies with the process"],
)
def test_an_event_that_ends_the_loop(
    service_of: ServiceOf, start: str, shutdown: str, in_progress: str
) -> None:
    (context,) = service_of({"tides/main.py": SOURCE.replace("START", start)})
    assert service_facts.build(context.service).shutdown.value == shutdown
    assert errors.build(context).in_progress.value == in_progress


def test_what_stands_in_the_loop_is_of_the_run(service_of: ServiceOf) -> None:
    (context,) = service_of({"tides/main.py": SOURCE.replace("START", "watch()")})
    found = history.build(context)
    assert (found.duration.value, found.outcomes.value) == ("exported", "both")
    assert errors.build(context).caught.value == "whole"
