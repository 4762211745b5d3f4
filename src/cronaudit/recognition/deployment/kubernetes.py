"""Kubernetes objects, plain or as Helm templates: workloads, autoscalers, config maps."""

from __future__ import annotations

import posixpath
import re
from typing import Final, Literal

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import (
    Command,
    Environment,
    Healthcheck,
    MemoryLimit,
    ProcessKind,
    Replicas,
    Stated,
    Variable,
)
from cronaudit.model.source import Language, Role, SourceFile
from cronaudit.recognition.deployment.assembly import Assembly, Draft, generated, is_own
from cronaudit.recognition.deployment.documents import Item, documents, merge, nothing
from cronaudit.recognition.deployment.helm import Template, resolved
from cronaudit.recognition.deployment.images import engine_of
from cronaudit.recognition.deployment.quantities import quantity, replicas

_KINDS: Final = {
    "Deployment": ProcessKind.K8S_DEPLOYMENT,
    "StatefulSet": ProcessKind.K8S_STATEFUL_SET,
    "DaemonSet": ProcessKind.K8S_DAEMON_SET,
    "ReplicaSet": ProcessKind.K8S_DEPLOYMENT,
    "CronJob": ProcessKind.K8S_CRON_JOB,
    "Job": ProcessKind.K8S_JOB,
    "Pod": ProcessKind.K8S_POD,
    "Rollout": ProcessKind.K8S_DEPLOYMENT,
}
_SCALERS: Final = frozenset({"HorizontalPodAutoscaler", "ScaledObject"})
_WANTED: Final = lazy_regex(
    r"^[ \t]*\"?kind\"?:[ \t]*\"?(?:Deployment|StatefulSet|DaemonSet|ReplicaSet|CronJob|Job|Pod|Rollout"
    r"|HorizontalPodAutoscaler|ScaledObject)\b",
    re.MULTILINE,
)
_MAP: Final = lazy_regex(r"^[ \t]*\"?kind\"?:[ \t]*\"?ConfigMap\b", re.MULTILINE)
_API: Final = lazy_regex(r"^[ \t]*\"?apiVersion\"?:", re.MULTILINE)
_ELSEWHERE: Final = (".github/", ".gitlab/", "locales/", "locale/", "i18n/", "node_modules/", "crds/")
_NOT_MANIFESTS: Final = frozenset(
    "pnpm-lock.yaml pnpm-workspace.yaml openapi.yml openapi.yaml mkdocs.yml values.yaml chart.yaml".split()
)
_TEMPLATED: Final = lazy_regex(r"\{\{")


def is_manifest(file: SourceFile) -> bool:
    """Whether a file may hold objects, before it is read."""
    if file.language is not Language.YAML or generated(file.role) or file.role is Role.TEST:
        return False
    lower = file.path.lower()
    if posixpath.basename(lower) in _NOT_MANIFESTS or lower.endswith((".tpl", ".lock")):
        return False
    return not any(lower.startswith(one) or f"/{one}" in lower for one in _ELSEWHERE)


class Kubernetes(Struct):
    """Reads all manifests of the tree."""

    assembly: Assembly
    objects: list[tuple[str, Item]] = []
    """Kind and object, in the order of files and lines."""
    _values: dict[str, Item] = {}

    def read(self, paths: list[str]) -> None:
        """Add the workloads of these files."""
        texts = [(path, text) for path in paths if _API.search(text := self.assembly.files.text(path))]
        mapped = any("configMapRef" in text for _, text in texts)
        for path, text in texts:
            if _WANTED.search(text) or (mapped and _MAP.search(text)):
                self._load(path, text)
        scaled = {self._target(item): item for kind, item in self.objects if kind in _SCALERS}
        maps = {
            item.at("metadata", "name").text: item.at("data")
            for kind, item in self.objects
            if kind == "ConfigMap"
        }
        for kind, item in self._overlaid():
            self._workload(kind, item, scaled, maps)

    def _load(self, path: str, text: str) -> None:
        files = self.assembly.files
        found, problem = self._parsed(path, text)
        if problem is not None:
            files.note(path, problem)
        for document in found:
            listed = document.at("items").each() if document.at("kind").text == "List" else (document,)
            for item in listed:
                kind = item.at("kind").text
                if kind in _KINDS or kind in _SCALERS or kind == "ConfigMap":
                    self.objects.append((kind, item))

    def _parsed(self, path: str, text: str) -> tuple[list[Item], str | None]:
        if not _TEMPLATED.search(text):
            return documents(path, text)
        template = Template(self._chart_values(path))
        found, problem = documents(path, template.render(text), template.value)
        if problem is not None:
            # A block that does not fit among its neighbours; without those the rest may still be read.
            template = Template(template.values)
            found, problem = documents(path, template.render(text, blocks=False), template.value)
        return [resolved(item) for item in found], problem

    def _chart_values(self, path: str) -> Item:
        """`values.yaml` of the chart that a template belongs to."""
        folder = posixpath.dirname(path)
        while True:
            values = posixpath.join(folder, "values.yaml")
            if self.assembly.files.has(values):
                known = self._values.get(values)
                if known is None:
                    found, problem = documents(values, self.assembly.files.text(values))
                    if problem is not None:
                        self.assembly.files.note(values, problem)
                    known = self._values[values] = found[0] if found else nothing(values)
                return known
            if not folder:
                return nothing(path)
            folder = posixpath.dirname(folder)

    @staticmethod
    def _target(item: Item) -> tuple[str, str]:
        target = item.at("spec", "scaleTargetRef")
        return target.at("kind").text or "Deployment", _plain(target.at("name").text)

    def _overlaid(self) -> list[tuple[str, Item]]:
        """Workloads, a Kustomize patch (an object without image) laid over the object that it patches."""
        found: list[tuple[str, Item]] = []
        whole: dict[tuple[str, str], Item] = {}
        for kind, item in self.objects:
            if kind in _KINDS and _images(kind, item):
                whole.setdefault((kind, item.at("metadata", "name").text), item)
        patched: set[int] = set()
        for kind, item in self.objects:
            if kind not in _KINDS:
                continue
            base = whole.get((kind, item.at("metadata", "name").text))
            if base is not None and not _images(kind, item) and base is not item:
                found.append((kind, _patched(kind, base, item)))
                patched.add(id(base))
            else:
                found.append((kind, item))
        # The base itself is not applied where overlays are.
        return [(kind, item) for kind, item in found if id(item) not in patched]

    def _workload(
        self, kind: str, item: Item, scaled: dict[tuple[str, str], Item], maps: dict[str, Item]
    ) -> None:
        job = item.at("spec", "jobTemplate", "spec") if kind == "CronJob" else item.at("spec")
        pod = _pod(kind, item)
        name = item.at("metadata", "name").text
        containers = pod.at("containers").each()
        for container in containers:
            if not container.is_map:
                continue
            draft = self._container(kind, item, container, name if len(containers) == 1 else "")
            if draft is None:
                continue
            image = self._image(container)
            draft.replicas = self._replicas(kind, item, name, scaled)
            self._spec(item, job, pod, draft)
            draft.variables = self._variables(container, maps)
            command = " ".join(part.text for part in (draft.entrypoint, draft.command) if part is not None)
            if engine_of(image) and (draft.build is None or draft.build.relation == "none"):
                self.assembly.service(_plain(name), image, command, draft)
                continue
            process = self.assembly.add(draft)
            if not is_own(process):
                self.assembly.processes.remove(process)

    def _container(self, kind: str, item: Item, container: Item, name: str) -> Draft | None:
        images = self.assembly.images
        image = self._image(container)
        folder = posixpath.dirname(item.path)
        environment = self.assembly.environment(item.path)
        if environment is Environment.UNKNOWN:
            environment = Environment.PRODUCTION
        place = images.anywhere(folder)
        build = None
        if image:
            build = images.of_image(image, container.at("image").place)
            if build.dockerfile is not None:
                place = images.place(build.dockerfile, build.context or "")
        if container.at("workingDir").scalar:
            place = place.cd(container.at("workingDir").text)
        called = _plain(name) or _plain(container.at("name").text)
        draft = Draft(
            called,
            _KINDS[kind],
            item.at("metadata").place if not item.at("kind").there else item.at("kind").place,
            environment,
            place,
            entrypoint=_words(container.at("command")),
            command=_words(container.at("args")),
            build=build,
        )
        limit = container.at("resources", "limits", "memory")
        if limit.scalar is not None:
            draft.limits.append(MemoryLimit("container", limit.text, quantity(limit.text), limit.place))
        for one in container.at("ports").each():
            number = one.at("containerPort")
            if number.scalar is not None:
                value = int(number.text) if number.text.isdigit() else None
                draft.ports.append(Stated(value, number.text, number.place))
        draft.healthcheck = _probe(container)
        return draft

    def _image(self, container: Item) -> str:
        """The image; where a template of the chart makes it, the repository beside the pull policy in the values."""
        image = container.at("image").text
        policy = container.at("imagePullPolicy")
        values = self._values.get(policy.path)
        if not image.startswith("{{") or values is None:
            return image
        return _repository_beside(values, policy) or image

    def _spec(self, item: Item, job: Item, pod: Item, draft: Draft) -> None:
        deadlines = [
            seconds
            for where in (job, pod)
            if (seconds := _seconds(where.at("activeDeadlineSeconds"))) is not None
        ]
        draft.time_limit = min(deadlines, key=lambda one: (one.value is None, one.value or 0), default=None)
        draft.stop_grace = _seconds(pod.at("terminationGracePeriodSeconds"))
        draft.restart = _text(pod.at("restartPolicy"))
        draft.schedule = _text(item.at("spec", "schedule"))
        draft.concurrency = _text(item.at("spec", "concurrencyPolicy"))
        draft.timezone = _text(item.at("spec", "timeZone"))

    @staticmethod
    def _replicas(kind: str, item: Item, name: str, scaled: dict[tuple[str, str], Item]) -> Replicas | None:
        scaler = scaled.get((kind, _plain(name)))
        if scaler is not None:
            most = scaler.at("spec", "maxReplicas")
            if not most.there:
                most = scaler.at("spec", "maxReplicaCount")
            if most.text == "1":
                return Replicas("exact", 1, scaler.at("kind").text, most.text, most.place)
            where = most.place if most.there else scaler.place
            return Replicas("many", None, scaler.at("kind").text, most.text, where)
        if kind == "DaemonSet":
            return Replicas("many", None, "DaemonSet", kind, item.at("kind").place)
        count = item.at("spec", "replicas")
        if count.scalar is None:
            return None
        return replicas(count.text, count.text, "replicas", count.place)

    @staticmethod
    def _variables(container: Item, maps: dict[str, Item]) -> list[Variable]:
        found = [
            Variable(one.at("name").text, _known(one.at("value")), one.place)
            for one in container.at("env").each()
            if one.at("name").scalar
        ]
        for one in container.at("envFrom").each():
            data = maps.get(one.at("configMapRef", "name").text)
            for name, value in data.pairs() if data is not None else ():
                found.append(Variable(name, _known(value), value.place))
        return found


def _repository_beside(values: Item, policy: Item) -> str | None:
    if any(one.line == policy.line and name == "pullPolicy" for name, one in values.pairs()):
        return values.at("repository").scalar
    for _, inner in values.pairs():
        if inner.is_map and (found := _repository_beside(inner, policy)) is not None:
            return found
    return None


def _pod(kind: str, item: Item) -> Item:
    if kind == "Pod":
        return item.at("spec")
    keys = (
        ("spec", "jobTemplate", "spec", "template", "spec")
        if kind == "CronJob"
        else ("spec", "template", "spec")
    )
    return item.at(*keys)


def _images(kind: str, item: Item) -> bool:
    return any(one.at("image").there for one in _pod(kind, item).at("containers").each())


def _patched(kind: str, base: Item, patch: Item) -> Item:
    """A strategic merge patch: containers are matched by their names."""
    names = {one.at("name").text: one for one in _pod(kind, patch).at("containers").each()}
    merged = tuple(
        merge(one, names[one.at("name").text]) if one.at("name").text in names else one
        for one in _pod(kind, base).at("containers").each()
    )
    whole = merge(base, patch)
    pod = _pod(kind, whole)
    if pod.is_map and merged:
        pod.entries["containers"] = Item(patch.path, pod.line, items=merged)
    return whole


def _plain(name: str) -> str:
    """A name without the noise of its template: `{{ include "orders.name" . }}-worker` is `orders.name-worker`."""
    return re.sub(
        r"\{\{\s*(?:(?:include|template)\s+)?\"?([^\"\s{}|]*)\"?[^{}]*\}\}",
        lambda found: found[1].lstrip(".$"),
        name,
    ).strip("-")


def _known(item: Item) -> str | None:
    return None if item.scalar is None or "{{" in item.text else item.text


def _text(item: Item) -> Stated[str] | None:
    return None if item.scalar is None else Stated(_known(item), item.text, item.place)


def _seconds(item: Item) -> Stated[float] | None:
    if item.scalar is None:
        return None
    value = float(item.text) if re.fullmatch(r"\d+(?:\.\d+)?", item.text) else None
    return Stated(value, item.text, item.place)


def _words(item: Item) -> Command | None:
    words = item.words()
    return Command(" ".join(words), words, item.place) if words else None


def _probe(container: Item) -> Healthcheck | None:
    kinds: tuple[tuple[str, Literal["http", "tcp", "command"], tuple[str, ...]], ...] = (
        ("httpGet", "http", ("path",)),
        ("tcpSocket", "tcp", ("port",)),
        ("exec", "command", ("command",)),
        ("grpc", "tcp", ("port",)),
    )
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.at(name)
        for key, kind, inner in kinds:
            if probe.at(key).there:
                return Healthcheck(kind, " ".join(probe.at(key, *inner).words()), probe.place)
        if probe.there:
            return Healthcheck("unknown", "", probe.place)
    return None
