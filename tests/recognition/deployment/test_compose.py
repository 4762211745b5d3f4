from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.model.deployment import Deployment, Environment, Process, Replicas, Stated, Variable
from cronaudit.model.source import Diagnostic, Location
from cronaudit.recognition.deployment import Enclosing

Read = Callable[..., Deployment]
Named = Callable[[Deployment, str], Process]

SOURCES = {
    "Dockerfile": 'FROM node:20\nWORKDIR /app\nENV TZ=Europe/Berlin\nCOPY . .\nCMD ["node", "dist/main.js"]\n',
    "src/main.ts": "",
    "src/worker.ts": "",
}


def compose(text: str) -> dict[str, str]:
    return {**SOURCES, "docker-compose.yml": dedent(text)}


def test_limits_of_deploy_and_restart(read: Read, named: Named) -> None:
    found = named(
        read(
            compose("""\
                services:
                  worker:
                    build: .
                    command: node dist/worker.js
                    stop_grace_period: 1m30s
                    restart: unless-stopped
                    deploy:
                      replicas: 1
                      resources:
                        limits:
                          memory: 768M
                """)
        ),
        "worker",
    )
    assert [(one.text, one.bytes, one.location.line) for one in found.memory_limits] == [
        ("768M", 805_306_368, 11)
    ]
    assert found.replicas == Replicas("exact", 1, "replicas", "1", Location("docker-compose.yml", 8))
    assert found.stop_grace == Stated(90.0, "1m30s", Location("docker-compose.yml", 5))
    assert found.restart == Stated("unless-stopped", "unless-stopped", Location("docker-compose.yml", 6))
    assert [entry.path for entry in found.entries] == ["src/worker.ts"]


def test_zone_of_the_image(read: Read, named: Named) -> None:
    found = named(read(compose("services:\n  worker:\n    build: .\n")), "worker")
    assert found.timezone == Stated("Europe/Berlin", "Europe/Berlin", Location("Dockerfile", 3))


def test_zone_of_the_service_wins(read: Read, named: Named) -> None:
    text = (
        "services:\n  worker:\n    build: .\n    environment:\n      - NODE_ENV=production\n      - TZ=UTC\n"
    )
    assert named(read(compose(text)), "worker").timezone == Stated(
        "UTC", "UTC", Location("docker-compose.yml", 6)
    )


def test_zone_of_an_env_file(read: Read, named: Named) -> None:
    files = compose("services:\n  worker:\n    build: .\n    env_file: [worker.env]\n")
    files["worker.env"] = "# settings\nexport TZ='Asia/Tokyo'  # jobs\nA=b # comment\n"
    found = named(read(files), "worker")
    assert found.timezone == Stated("Asia/Tokyo", "Asia/Tokyo", Location("worker.env", 2))
    assert found.variable("A") == Variable("A", "b", Location("worker.env", 3))


@pytest.mark.parametrize(
    ("setting", "env", "expected"),
    [
        ("deploy: {replicas: '${COUNT:-1}'}", "", ("exact", 1, "replicas")),
        ("deploy: {replicas: '${COUNT}'}", "COUNT=3\n", ("exact", 3, "replicas")),
        ("deploy: {replicas: '${COUNT}'}", "", ("unresolved", None, "replicas")),
        ("deploy: {mode: global}", "", ("many", None, "mode: global")),
        ("scale: 2", "", ("exact", 2, "scale")),
        ("container_name: beat", "", ("exact", 1, "container_name")),
    ],
)
def test_replicas(
    read: Read, named: Named, setting: str, env: str, expected: tuple[str, int | None, str]
) -> None:
    files = compose(f"services:\n  beat:\n    build: .\n    {setting}\n")
    found = named(read(files | ({".env": env} if env else {})), "beat").replicas
    assert found is not None
    assert (found.bound, found.count, found.why) == expected


def test_no_replicas_are_none(read: Read, named: Named) -> None:
    assert named(read(compose("services:\n  app:\n    build: .\n")), "app").replicas is None


def test_memory_without_default_is_unresolved(read: Read, named: Named) -> None:
    files = compose("services:\n  app:\n    build: .\n    mem_limit: ${APP_MEMORY}\n")
    assert [(one.text, one.bytes) for one in named(read(files), "app").memory_limits] == [
        ("${APP_MEMORY}", None)
    ]


def test_anchors_and_merge_keys(read: Read, named: Named) -> None:
    found = named(
        read(
            compose("""\
                x-base: &base
                  build: .
                  mem_limit: 256m
                x-env: &env
                  TZ: UTC
                services:
                  worker:
                    <<: *base
                    command: ["node", "dist/worker.js"]
                    environment:
                      <<: [*env]
                      MODE: worker
                """)
        ),
        "worker",
    )
    assert [(one.text, one.location.line) for one in found.memory_limits] == [("256m", 3)]
    assert found.timezone == Stated("UTC", "UTC", Location("docker-compose.yml", 5))
    assert [entry.path for entry in found.entries] == ["src/worker.ts"]


def test_extends_another_file(read: Read, named: Named) -> None:
    files = compose("""\
        services:
          worker:
            extends:
              file: docker/base.yml
              service: base
            environment:
              B: two
        """)
    files["docker/base.yml"] = (
        "services:\n  base:\n    build: ..\n    mem_limit: 128m\n    environment:\n      A: one\n"
    )
    found = named(read(files), "worker")
    assert [(str(one.location), one.bytes) for one in found.memory_limits] == [
        ("docker/base.yml:4", 134_217_728)
    ]
    assert {one.name: one.value for one in found.variables} == {
        "A": "one",
        "B": "two",
        "TZ": "Europe/Berlin",
    }
    assert found.build is not None
    assert (found.build.dockerfile, found.build.context) == ("Dockerfile", "")


def test_a_production_file_over_the_base(read: Read) -> None:
    files = compose("services:\n  app:\n    build: .\n    ports: ['3000:3000']\n")
    files["docker-compose.prod.yml"] = "services:\n  app:\n    mem_limit: 1g\n"
    (app,) = read(files).processes
    assert (str(app.source), app.environment) == ("docker-compose.prod.yml:2", Environment.PRODUCTION)
    assert [(one.text, str(one.location)) for one in app.memory_limits] == [
        ("1g", "docker-compose.prod.yml:3")
    ]
    assert [port.value for port in app.ports] == [3000]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docker-compose.yml", Environment.UNKNOWN),
        ("docker-compose.dev.yml", Environment.DEVELOPMENT),
        ("docker-compose-local.yml", Environment.DEVELOPMENT),
        ("docker-compose.override.yml", Environment.DEVELOPMENT),
        ("docker/testing/compose.yml", Environment.TEST),
        ("docker-compose.e2e.yml", Environment.TEST),
        ("deployments/cli/docker-compose.yml", Environment.PRODUCTION),
        ("docker/production/compose.yml", Environment.PRODUCTION),
        ("integration-service/docker-compose.yml", Environment.UNKNOWN),
    ],
)
def test_environment(read: Read, path: str, expected: Environment) -> None:
    up = "../" * path.count("/") or "."
    text = f"services:\n  app:\n    image: x\n    build: {up}\n"
    found = [one.environment for one in read({**SOURCES, path: text}).processes if one.name == "app"]
    assert found == [expected]


@pytest.mark.parametrize(
    "setting",
    ["environment: {NODE_ENV: development}", "profiles: [dev]", "command: npx vite", "command: npm run dev"],
)
def test_a_service_for_development(read: Read, named: Named, setting: str) -> None:
    files = compose(f"services:\n  app:\n    build: .\n    {setting}\n")
    files["package.json"] = '{"scripts": {"dev": "vite"}}'
    assert named(read(files), "app").environment is Environment.DEVELOPMENT


def test_stores_are_no_processes(read: Read) -> None:
    found = read(
        compose("""\
            services:
              app: {build: .}
              cache:
                image: valkey/valkey:8-alpine@sha256:abc
              queue:
                image: rabbitmq:3-management
                deploy: {replicas: 3}
              db:
                image: registry.example:5000/bitnami/postgresql:16
                environment:
                  POSTGRESQL_REPLICATION_MODE: slave
              exporter:
                image: oliver006/redis_exporter
              mail:
                image: mailhog/mailhog
            """)
    )
    assert [one.name for one in found.processes] == ["app"]
    assert [(one.name, one.engine, one.member, one.location.line) for one in found.services] == [
        ("cache", "redis", "node", 3),
        ("queue", "rabbitmq", "replica", 5),
        ("db", "postgres", "replica", 8),
    ]
    assert (found.topology("redis"), found.topology("rabbitmq")) == ("single", "replicated")


def test_the_weakest_manifest_decides(read: Read) -> None:
    files = {
        "compose.prod.yml": "services:\n  db:\n    image: postgres:16\n",
        "render.yaml": "databases:\n  - name: main\n    plan: pro\n",
    }
    assert read(files).topology("postgres") == "single"


def test_a_redis_cluster(read: Read) -> None:
    text = "services:\n  redis:\n    image: redis:7\n    command: redis-server --cluster-enabled yes --port 7000\n"
    assert read({"docker-compose.yml": text}).topology("redis") == "cluster"


def test_an_image_that_a_script_builds(read: Read, named: Named) -> None:
    files = {
        "docker/Dockerfile": 'FROM node:20\nWORKDIR /app\nCOPY . .\nCMD ["node", "dist/main.js"]\n',
        "docker/other/Dockerfile": 'FROM node:20\nCMD ["node", "other.js"]\n',
        "docker/build.sh": 'docker build \\\n  -f "$DIR/Dockerfile" \\\n  -t "acme/orders:latest" .\n',
        "docker/production/compose.yml": "services:\n  web:\n    image: acme/orders:${TAG:-latest}\n",
        "src/main.ts": "",
    }
    web = named(read(files), "web")
    assert web.build is not None
    assert (web.build.dockerfile, web.build.relation) == ("docker/Dockerfile", "image")
    assert [entry.path for entry in web.entries] == ["src/main.ts"]


def test_an_image_of_the_same_owner_is_another_one(read: Read) -> None:
    files = {
        "package.json": '{"name": "orders"}',
        "Dockerfile": 'FROM node:20\nCOPY . .\nCMD ["node", "main.js"]\n',
        "main.js": "",
        "docker-compose.yml": "services:\n  hub:\n    image: ghcr.io/orders/hub:1\n",
    }
    assert [(one.name, one.kind.value) for one in read(files).processes] == [("Dockerfile", "dockerfile")]


def test_a_script_in_an_image_from_elsewhere(read: Read, named: Named) -> None:
    files = {
        "apps/api/bin/worker.sh": "#!/bin/bash\nset -e\npython manage.py migrate\ncelery -A shop worker -l info\n",
        "apps/api/manage.py": "",
        "apps/api/shop/celery.py": "",
        "deploy/docker-compose.yml": "services:\n  worker:\n    image: acme/backend\n    command: ./bin/worker.sh\n",
    }
    worker = named(read(files), "worker")
    assert [(one.program, one.path, one.main) for one in worker.entries] == [
        ("django", "apps/api/manage.py", False),
        ("celery", "apps/api/shop/celery.py", True),
    ]
    assert (worker.uses_exec, worker.exec_location) == (False, Location("apps/api/bin/worker.sh", 4))


def test_a_switch_in_the_environment(read: Read, named: Named) -> None:
    files = compose("""\
        services:
          api:
            build: .
            entrypoint: ./entry.sh
            environment: {ROLE: api}
          jobs:
            build: .
            entrypoint: ./entry.sh
            environment: {ROLE: jobs}
        """)
    files["entry.sh"] = (
        'if [ "$ROLE" = "jobs" ]; then\n  exec node dist/worker.js\nelse\n  exec node dist/main.js\nfi\n'
    )
    found = read(files)
    assert [entry.path for entry in named(found, "api").entries] == ["src/main.ts"]
    assert [entry.path for entry in named(found, "jobs").entries] == ["src/worker.ts"]
    assert named(found, "jobs").uses_exec is True


def test_broken_files_are_named(read: Read) -> None:
    found = read({"docker-compose.yml": "services:\n  a:\n   b: [\n"})
    assert [(one.path, one.reason.split(":")[0]) for one in found.diagnostics] == [
        ("docker-compose.yml", "no YAML")
    ]


def test_an_alias_that_leads_back_to_itself(read: Read) -> None:
    assert read({"docker-compose.yml": "services: &all\n  a:\n    x: *all\n"}).processes == ()


def test_a_missing_base_is_named(read: Read) -> None:
    files = compose("services:\n  a:\n    extends: {file: none.yml, service: b}\n    build: .\n")
    assert Diagnostic("docker-compose.yml", "extends a file that is not there: none.yml") in set(
        read(files).diagnostics
    )


def test_the_repository_around_the_target(read: Read) -> None:
    around = Enclosing(
        "services/orders",
        {
            "docker-compose.yml": dedent("""\
                services:
                  orders-worker:
                    build: ./services/orders
                    command: node dist/worker.js
                    mem_limit: 300m
                  billing:
                    build: ./services/billing
                    mem_limit: 200m
                """),
            "services/billing/Dockerfile": "FROM node:20\n",
        },
    )
    (worker,) = read(SOURCES, around).processes
    assert (worker.name, str(worker.source)) == ("orders-worker", "../../docker-compose.yml:2")
    assert [(one.bytes, str(one.location)) for one in worker.memory_limits] == [
        (314_572_800, "../../docker-compose.yml:5")
    ]
    assert [entry.path for entry in worker.entries] == ["src/worker.ts"]


SERVICES = """\
    services:
      shop-worker:
        {said}
    """


@pytest.mark.parametrize(
    ("path", "said", "found"),
    [
        ("docker/default.yml", "command: node dist/worker.js", ["shop-worker"]),
        ("docker/default.yml", "class: App\\Worker", []),
        ("config/services.yml", "command: node dist/worker.js", []),
    ],
)
def test_a_file_in_a_folder_of_containers(read: Read, path: str, said: str, found: list[str]) -> None:
    """Its name may be any; that something is started says what it is."""
    files = {**SOURCES, path: dedent(SERVICES).format(said=said)}
    assert [p.name for p in read(files).processes if p.source.path == path] == found
