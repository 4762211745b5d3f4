"""A function that a job hands to a queue: it counts for effects, its locks and bounds are none of the run's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import lock

ServiceOf = Callable[[dict[str, str]], list[JobContext]]


@pytest.mark.parametrize("call", ["settle, pk", "settle, pk, job_id=str(pk)"])
def test_a_function_that_is_handed_to_a_queue_is_no_part_of_the_run(service_of: ServiceOf, call: str) -> None:
    (job,) = service_of(
        {
            "requirements.txt": "rq\nrq-scheduler\nredis\n",
            "shop/__init__.py": "",
            "shop/tasks.py": f"""
                from redis import Redis
                from rq import Queue

                store = Redis()
                queue = Queue("low", connection=store)

                def settle(pk):
                    with store.lock("settle", timeout=30):
                        store.set(pk, 1)

                def sweep():
                    for pk in ("a", "b"):
                        queue.enqueue({call})
                """,
            "arm.py": """
                from rq_scheduler import Scheduler
                from shop.tasks import sweep

                scheduler = Scheduler()
                scheduler.cron("0 4 * * *", func=sweep)
                """,
        }
    )
    assert {s.effect for s in job.sightings} == {"queue.enqueue"}
    assert {"lock.with", "cache.set"} <= {s.effect for s in job.enqueued}
    assert lock.build(job).kind.value == "queue"
