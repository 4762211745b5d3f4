from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.model.deployment import (
    Deployment,
    Environment,
    Process,
    ProcessKind,
    Replicas,
    Stated,
    is_worker_process,
)
from cronaudit.model.source import Location

Read = Callable[..., Deployment]
Named = Callable[[Deployment, str], Process]

CODE = {
    "Dockerfile": 'FROM node:20\nWORKDIR /app\nCOPY . .\nCMD ["node", "dist/main.js"]\n',
    "package.json": '{"name": "orders"}',
    "src/main.ts": "",
    "src/worker.ts": "",
    "src/cleanup.ts": "",
}
WORKER = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: orders-worker
spec:
  replicas: 1
  template:
    spec:
      terminationGracePeriodSeconds: 45
      containers:
        - name: worker
          image: registry.example/acme/orders:1.4
          command: ["node"]
          args: ["dist/worker.js"]
          env:
            - {name: TZ, value: UTC}
            - name: SECRET
              valueFrom: {secretKeyRef: {name: s, key: k}}
          resources:
            limits:
              memory: 512Mi
          livenessProbe:
            httpGet: {path: /health, port: 9000}
"""
CRON = """\
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cleanup}
spec:
  schedule: "0 3 * * *"
  timeZone: Etc/UTC
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      activeDeadlineSeconds: 900
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: main
              image: acme/orders
              command: [node, dist/cleanup.js]
"""


def test_a_deployment(read: Read, named: Named) -> None:
    found = named(read({**CODE, "k8s/worker.yaml": WORKER}), "orders-worker")
    assert (found.kind, found.environment) == (ProcessKind.K8S_DEPLOYMENT, Environment.PRODUCTION)
    assert [entry.path for entry in found.entries] == ["src/worker.ts"]
    assert [(one.bytes, one.location) for one in found.memory_limits] == [
        (536_870_912, Location("k8s/worker.yaml", 21))
    ]
    assert found.replicas == Replicas("exact", 1, "replicas", "1", Location("k8s/worker.yaml", 6))
    assert found.timezone == Stated("UTC", "UTC", Location("k8s/worker.yaml", 16))
    assert found.stop_grace == Stated(45.0, "45", Location("k8s/worker.yaml", 9))
    assert found.healthcheck is not None
    assert (found.healthcheck.kind, found.healthcheck.text) == ("http", "/health")
    secret = found.variable("SECRET")
    assert secret is not None
    assert secret.value is None
    assert is_worker_process(found, has_http=True)


def test_a_cron_job_in_a_second_document(read: Read, named: Named) -> None:
    found = named(read({**CODE, "k8s/all.yaml": WORKER + CRON}), "cleanup")
    assert (found.kind, found.source) == (ProcessKind.K8S_CRON_JOB, Location("k8s/all.yaml", 26))
    assert found.schedule == Stated("0 3 * * *", "0 3 * * *", Location("k8s/all.yaml", 29))
    assert found.timezone == Stated("Etc/UTC", "Etc/UTC", Location("k8s/all.yaml", 30))
    assert found.concurrency == Stated("Forbid", "Forbid", Location("k8s/all.yaml", 31))
    assert found.time_limit == Stated(900.0, "900", Location("k8s/all.yaml", 34))
    assert found.restart == Stated("Never", "Never", Location("k8s/all.yaml", 37))
    assert [entry.path for entry in found.entries] == ["src/cleanup.ts"]


def test_an_autoscaler_means_many(read: Read, named: Named) -> None:
    scaler = """\
        apiVersion: autoscaling/v2
        kind: HorizontalPodAutoscaler
        metadata: {name: x}
        spec:
          scaleTargetRef: {kind: Deployment, name: orders-worker}
          maxReplicas: 5
        """
    found = named(read({**CODE, "k8s/worker.yaml": WORKER, "k8s/hpa.yaml": dedent(scaler)}), "orders-worker")
    assert found.replicas == Replicas(
        "many", None, "HorizontalPodAutoscaler", "5", Location("k8s/hpa.yaml", 6)
    )


def test_a_kustomize_patch(read: Read, named: Named) -> None:
    patch = """\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: orders-worker}
        spec:
          replicas: 3
          template:
            spec:
              containers:
                - name: worker
                  resources: {limits: {memory: 1Gi}}
        """
    files = {**CODE, "k8s/base/worker.yaml": WORKER, "k8s/overlays/prod/patch.yaml": dedent(patch)}
    found = named(read(files), "orders-worker")
    assert [(one.bytes, str(one.location)) for one in found.memory_limits] == [
        (1_073_741_824, "k8s/overlays/prod/patch.yaml:10")
    ]
    assert found.replicas is not None
    assert (found.replicas.count, found.replicas.location.line) == (3, 5)
    assert [entry.path for entry in found.entries] == ["src/worker.ts"]


def test_stores(read: Read) -> None:
    redis = (
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: cache}\nspec:\n  replicas: COUNT\n"
        "  template:\n    spec:\n      containers:\n        - {name: redis, image: 'redis:7'}\n"
    )
    assert read({"k8s/redis.yaml": redis.replace("COUNT", "1")}).topology("redis") == "single"
    assert read({"k8s/redis.yaml": redis.replace("COUNT", "3")}).topology("redis") == "replicated"


def test_zone_of_a_config_map(read: Read, named: Named) -> None:
    text = WORKER.replace("            - {name: TZ, value: UTC}\n", "").replace(
        "          env:\n",
        "          envFrom:\n            - configMapRef: {name: settings}\n          env:\n",
    )
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  TZ: Asia/Tokyo\n"
    found = named(read({**CODE, "k8s/worker.yaml": text, "k8s/config.yaml": config}), "orders-worker")
    assert found.timezone == Stated("Asia/Tokyo", "Asia/Tokyo", Location("k8s/config.yaml", 5))


TEMPLATE = """\
{{- if .Values.worker.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "orders.fullname" . }}-worker
  labels:
    {{- include "orders.labels" . | nindent 4 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.worker.replicas | default 2 }}
  {{- end }}
  template:
    spec:
      {{- with .Values.worker.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      terminationGracePeriodSeconds: {{ .Values.worker.grace | default 30 }}
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          command: ["node", "dist/worker.js"]
          env:
            {{- range $key, $value := .Values.env }}
            - name: {{ $key }}
              value: {{ $value | quote }}
            {{- end }}
            - name: TZ
              value: {{ .Values.timezone | quote }}
          resources:
            {{- toYaml .Values.worker.resources | nindent 12 }}
{{- end }}
---
{{- if .Values.autoscaling.enabled }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "orders.fullname" . }}-worker
spec:
  scaleTargetRef:
    kind: Deployment
    name: {{ include "orders.fullname" . }}-worker
  maxReplicas: {{ .Values.autoscaling.max }}
{{- end }}
"""
VALUES = """\
image:
  repository: acme/orders
  tag: ""
timezone: UTC
worker:
  enabled: true
  resources:
    limits:
      memory: 384Mi
autoscaling:
  enabled: false
  max: 10
"""


def helm(values: str) -> dict[str, str]:
    return {
        **CODE,
        "chart/Chart.yaml": "name: orders\nversion: 1.0.0\n",
        "chart/values.yaml": values,
        "chart/templates/worker.yaml": TEMPLATE,
    }


def test_a_helm_template(read: Read, named: Named) -> None:
    found = read(helm(VALUES))
    worker = named(found, "orders.fullname-worker")
    assert found.diagnostics == ()
    assert worker.source == Location("chart/templates/worker.yaml", 3)
    assert [(one.bytes, str(one.location)) for one in worker.memory_limits] == [
        (402_653_184, "chart/values.yaml:9")
    ]
    assert worker.replicas == Replicas(
        "exact", 2, "replicas", "2", Location("chart/templates/worker.yaml", 10)
    )
    assert worker.timezone == Stated("UTC", "UTC", Location("chart/templates/worker.yaml", 28))
    assert worker.stop_grace == Stated(30.0, "30", Location("chart/templates/worker.yaml", 18))
    assert [entry.path for entry in worker.entries] == ["src/worker.ts"]


def test_a_switch_in_the_values(read: Read, named: Named) -> None:
    many = named(read(helm(VALUES.replace("  enabled: false", "  enabled: true"))), "orders.fullname-worker")
    assert many.replicas is not None
    assert (many.replicas.bound, many.replicas.text) == ("many", "10")
    off = read(helm(VALUES.replace("worker:\n  enabled: true", "worker:\n  enabled: false")))
    assert [one.kind for one in off.processes] == [ProcessKind.DOCKERFILE]


def test_values_that_are_not_there_are_unresolved(read: Read, named: Named) -> None:
    worker = named(
        read(helm(VALUES.replace("timezone: UTC\n", "").replace("384Mi", "'{{ x }}'"))),
        "orders.fullname-worker",
    )
    assert worker.timezone is not None
    assert (worker.timezone.value, worker.timezone.text) == (None, "")
    assert [(one.bytes, one.text) for one in worker.memory_limits] == [(None, "{{ x }}")]


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  {{ if }}\n bad: [\n",
        "{{ range }}{{ end }}{{ end }}\napiVersion: v1\nkind: Pod\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: []\nspec: x\n",
        'apiVersion: apps/v1\nkind: Deployment\n{{- if eq .Values.a "b" (or }}\nspec:\n{{- else if }}\n{{- end }}\n',
        "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [1, null, {image: }]}}}\n",
    ],
)
def test_odd_templates_are_no_end(read: Read, text: str) -> None:
    assert read({**CODE, "chart/templates/a.yaml": text}).in_use()[0].name == "Dockerfile"


def test_broken_templates_are_named(read: Read) -> None:
    found = read({"k8s/a.yaml": "apiVersion: apps/v1\nkind: Deployment\nspec:\n  - a\n  b: c\n"})
    assert [(one.path, one.reason[-8:]) for one in found.diagnostics] == [("k8s/a.yaml", "(line 5)")]
