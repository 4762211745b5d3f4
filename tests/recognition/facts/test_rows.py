"""Methods that a project gives the rows of its tables: what a query gives are objects of the class it is asked of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model.facts import JobFacts
from cronaudit.recognition.assemble import facts_of
from cronaudit.recognition.context import JobContext

ServiceOf = Callable[[dict[str, str]], list[JobContext]]
MODELS = """
from django.db import models

class Orders(models.Manager):
    def stale(self):
        return self.filter(state="open")

class OrderQuerySet(models.QuerySet):
    def stale(self, *, all_of_them=False):
        found = self.filter(state="open")
        if not all_of_them:
            found = found.exclude(held=True)
        return found

    def settle(self):
        for order in self.filter(held=False):
            order.close()

class Lines(models.Manager.from_queryset(OrderQuerySet)):
    pass

class Checked:
    def settle_all(self):
        for order in self.all():
            order.close()

class OtherQuerySet(models.QuerySet, Checked):
    pass

class Order(models.Model):
    state = models.CharField()
    {objects}

    def close(self):
        self.entries.create(event="closed")
        self.state = "closed"
        self.save()

    def save(self, **kwargs):
        super().save(**kwargs)

class Entry(models.Model):
    order = models.ForeignKey(Order, related_name="entries", on_delete=models.CASCADE)
"""
CELERY = """
from celery import Celery
app = Celery("shop")
app.conf.beat_schedule = {"sweep": {"task": "shop.tasks.sweep", "schedule": 60}}
"""
WORK = {
    "each of a query": "for order in Order.objects.filter(state='open'):\n        order.close()",
    "one by its key": "order = Order.objects.get(pk=1)\n    order.close()",
    "the first": "Order.objects.order_by('id').first().close()",
    "made or found": "order, made = Order.objects.get_or_create(pk=1)\n    order.close()",
    "streamed": "for order in Order.objects.iterator():\n        order.close()",
}


def _facts(service_of: ServiceOf, work: str, objects: str = "") -> JobFacts:
    tasks = f"from celery import shared_task\nfrom shop.models import Order\n\n@shared_task\ndef sweep():\n    {work}\n"
    (context,) = service_of(
        {
            "requirements.txt": "celery==5.4.0\ndjango==5.1\n",
            "shop/__init__.py": "",
            "shop/celery.py": CELERY,
            "shop/models.py": MODELS.replace("{objects}", objects),
            "shop/tasks.py": tasks,
        }
    )
    return facts_of(context)


@pytest.mark.parametrize("objects", ["", "objects = Orders()"])
@pytest.mark.parametrize("shape", WORK)
def test_a_method_of_a_row_is_followed(service_of: ServiceOf, shape: str, objects: str) -> None:
    found = _facts(service_of, WORK[shape], objects)
    assert found.effects.inserts.value == ("some" if shape == "made or found" else "plain")
    assert [(at.path, at.line) for at in found.effects.inserts.locations][:1] == [("shop/models.py", 34)]


def test_a_manager_of_the_project_gives_rows(service_of: ServiceOf) -> None:
    found = _facts(
        service_of, "for order in Order.objects.stale():\n        order.close()", "objects = Orders()"
    )
    assert found.effects.inserts.value == "plain"


def test_what_a_query_only_reads_changes_nothing(service_of: ServiceOf) -> None:
    found = _facts(service_of, "for order in Order.objects.filter(state='open'):\n        print(order.state)")
    assert found.effects.inserts.value == "none"


@pytest.mark.parametrize(
    ("condition", "guard"),
    [
        ("pk=order.pk, state=state", "conditional"),
        ("pk=order.pk", "state-query"),
        ("pk=order.pk, owner=order.customer", "state-query"),
    ],
)
def test_a_row_that_must_still_be_as_it_was_read(service_of: ServiceOf, condition: str, guard: str) -> None:
    work = (
        "order = Order.objects.filter(due__lt=now()).exclude(state='shut').first()\n"
        "    state = order.state\n"
        f"    found = Order.objects.filter({condition})\n"
        "    found.update(due=None)"
    )

    assert _facts(service_of, work).effects.guard.value == guard


OWN_QUERIES = {
    "of the manager": "Order.objects.settle()",
    "of a query": "Order.objects.filter(state='open').order_by('id').settle()",
    "of a part of it": "Order.objects.filter(state='open')[:100].settle()",
    "rows that it gives on several ways": "for order in Order.objects.stale():\n        order.close()",
}


@pytest.mark.parametrize("objects", ["objects = OrderQuerySet.as_manager()", "objects = Lines()"])
@pytest.mark.parametrize("shape", OWN_QUERIES)
def test_queries_of_the_project_are_followed(service_of: ServiceOf, shape: str, objects: str) -> None:
    found = _facts(service_of, OWN_QUERIES[shape], objects)
    assert (found.effects.changes.value, found.effects.inserts.value) == ("writes", "plain")
    assert [(at.path, at.line) for at in found.effects.inserts.locations][:1] == [("shop/models.py", 34)]


def test_a_base_of_the_tree_behind_one_of_a_library(service_of: ServiceOf) -> None:
    """The library's class may have a method of that name, the project's does."""
    found = _facts(service_of, "Order.objects.settle_all()", "objects = OtherQuerySet.as_manager()")
    assert found.effects.inserts.value == "plain"


def test_a_row_does_not_have_what_queries_have(service_of: ServiceOf) -> None:
    found = _facts(
        service_of,
        "for order in Order.objects.all():\n        order.settle()",
        "objects = OrderQuerySet.as_manager()",
    )
    assert found.effects.inserts.value == "none"
