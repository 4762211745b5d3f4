"""Jobs that run where a setting lists their class by its dotted path: ``CRON_CLASSES = ["app.cron.Sweep"]``."""

from __future__ import annotations

from typing import Final

from cronaudit.model.ir import Class
from cronaudit.model.value import Closure, Instance, Known, Sequence
from cronaudit.recognition.context import Service
from cronaudit.recognition.facts.settings import setting
from cronaudit.recognition.found import Registration
from cronaudit.recognition.liveness import Liveness

_SETTING: Final = "job_list"
LISTED: Final = "setting"
"""What a description says of classes that run only where such a setting lists them."""


def by_setting(registration: Registration, liveness: Liveness, service: Service) -> Liveness:
    """Whether a setting lists the job's class; what was said before where no setting of the tree tells."""
    scheduler, handler = registration.scheduler, registration.handler
    if scheduler is None or scheduler.starts != LISTED or not isinstance(handler, Closure):
        return liveness
    cls = handler.this.of.cls if isinstance(handler.this, Instance) else handler.function.owner
    stated = setting(service, _SETTING)
    if cls is None or stated is None or not isinstance(stated[0], Sequence):
        return liveness
    listed = [service.linker.force(item) for item in stated[0].items]
    texts = [item.value for item in listed if isinstance(item, Known) and isinstance(item.value, str)]
    if any(_means(text, cls) for text in texts):
        return Liveness(is_live=True, reason=f"{stated[1]} lists it", entries=liveness.entries)
    if len(texts) < len(listed) or not stated[0].complete:
        return liveness
    return Liveness(is_live=False, reason=f"{stated[1]} does not list it")


def _means(dotted: str, cls: Class) -> bool:
    """Whether a path names a class, from whichever folder its package is imported."""
    module = cls.module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f".{module}.{cls.name}".endswith(f".{dotted}")
