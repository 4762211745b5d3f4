"""Images: which Dockerfile of the tree makes one, and which are stores and brokers rather than the project's code."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from cronaudit.lazy_regex import lazy_regex
from cronaudit.model.deployment import Build, Environment
from cronaudit.model.source import Language, Location, Role
from cronaudit.recognition.deployment import dockerfile, shell
from cronaudit.recognition.deployment.dockerfile import Dockerfile
from cronaudit.recognition.deployment.files import Files
from cronaudit.recognition.deployment.naming import environment_of, words
from cronaudit.recognition.deployment.places import Place
from cronaudit.recognition.deployment.sources import Sources
from cronaudit.recognition.deployment.wrappers import options

Member = Literal["node", "primary", "replica", "sentinel", "cluster", "managed"]

_ENGINES: Final = {
    **dict.fromkeys("redis valkey keydb dragonfly".split(), "redis"),
    **dict.fromkeys(
        "postgres postgresql postgis timescaledb timescale pgvector spilo patroni citus alloydb".split(),
        "postgres",
    ),
    **dict.fromkeys("mysql mariadb percona".split(), "mysql"),
    **dict.fromkeys("mongo mongodb".split(), "mongodb"),
    "rabbitmq": "rabbitmq",
    **dict.fromkeys("kafka redpanda".split(), "kafka"),
    "nats": "nats",
    "memcached": "memcached",
    **dict.fromkeys("elasticsearch opensearch".split(), "elasticsearch"),
    "clickhouse": "clickhouse",
    "cockroach": "cockroachdb",
    "cockroachdb": "cockroachdb",
    "etcd": "etcd",
    "zookeeper": "zookeeper",
    "temporal": "temporal",
}
_NOT_ENGINES: Final = frozenset(
    "exporter commander insight ui admin express client operator backup proxy pgbouncer bouncer pgadmin manager"
    " migrate migrations setup init worker api web".split()
)
_FOR_IMAGES: Final = frozenset(
    "docker dockerfiles containers container .docker build deploy deployment images".split()
)
_SENTINEL: Final = lazy_regex(r"redis-sentinel|--sentinel\b|\bsentinel\.conf\b")
_CLUSTER: Final = lazy_regex(
    r"--cluster-enabled[= ]yes|--cluster create|\bjoin_cluster\b|\bcluster_formation\b"
)
_REPLICA: Final = lazy_regex(r"--(?:replicaof|slaveof)\b|--replSet\b|\bpg_basebackup\b|\bprimary_conninfo\b")
_BUILDING: Final = lazy_regex(r"\bdocker[ \t]+(?:buildx[ \t]+)?build\b(?:\\\n|[^\n;&|])*")
_MODES: Final = lazy_regex(r"(?:REPLICATION_MODE|REPLICA_SET_MODE)$")


def repository(image: str) -> str:
    """An image without registry, tag and digest: `ghcr.io/acme/orders:1.2` is `acme/orders`."""
    name = re.sub(r"@sha256:.*$", "", image.strip())
    name = re.sub(r":[^/]*$", "", name)
    first, slash, rest = name.partition("/")
    return rest if slash and ("." in first or ":" in first or "$" in first or first == "localhost") else name


def engine_of(image: str) -> str | None:
    """The store or broker that an image is; None for anything else."""
    name = repository(image)
    found = words(name.rpartition("/")[2])
    if not found or not _NOT_ENGINES.isdisjoint(found):
        return None
    return next((_ENGINES[word] for word in found if word in _ENGINES), None)


def member_of(image: str, command: str, variables: Mapping[str, str | None], count: int | None) -> Member:
    """What part of a store a container is, by its image, command and environment."""
    name = repository(image)
    if "sentinel" in name or _SENTINEL.search(command):
        return "sentinel"
    if re.search(r"redis-cluster|patroni|spilo|cockroach|galera", name) or _CLUSTER.search(command):
        return "cluster"
    for key, value in variables.items():
        if _MODES.search(key) and value:
            return "primary" if value in {"master", "primary"} else "replica"
        if key == "REDIS_NODES" or (key.endswith("CLUSTER_ENABLED") and value in {"yes", "true", "1"}):
            return "cluster"
    if "repmgr" in name or _REPLICA.search(command) or (count is not None and count > 1):
        return "replica"
    return "node"


class Images(Struct):
    """The Dockerfiles of the tree and the images that they are built to."""

    files: Files
    sources: Sources
    built: dict[str, tuple[str, str]] = {}
    """Dockerfile and context by the repository of an image that something builds."""
    _read: dict[str, Dockerfile] = {}
    _paths: list[str] | None = None
    _scripts_read: bool = False

    def dockerfile(self, path: str) -> Dockerfile:
        known = self._read.get(path)
        if known is None:
            known = self._read[path] = dockerfile.read(path, self.files.text(path))
        return known

    def dockerfiles(self) -> list[str]:
        """Paths of the Dockerfiles of the tree, sorted."""
        if self._paths is None:
            self._paths = sorted(
                file.path
                for file in self.files.written_in(Language.DOCKERFILE)
                if file.role not in {Role.VENDORED, Role.GENERATED}
            )
        return self._paths

    def place(self, path: str, context: str, target: str | None = None) -> Place:
        """The working directory of an image."""
        read = self.dockerfile(path)
        stage = read.stage(target) or read.stage()
        workdir = stage.workdir if stage is not None else "/"
        return Place(self.files, self.sources, context, read, stage, workdir)

    def context_of(self, path: str) -> str:
        """The folder that a Dockerfile is built from: of its own and those above the one that holds what it copies."""
        copied = [
            source.lstrip("/")
            for stage in self.dockerfile(path).stages
            for copy in stage.copies
            if copy.stage is None
            for source in copy.sources
            if source not in {".", "/"} and "*" not in source and "$" not in source
        ]
        candidates = [posixpath.dirname(path)]
        while candidates[-1]:
            candidates.append(posixpath.dirname(candidates[-1]))
        if not copied and posixpath.basename(candidates[0]).lower() in _FOR_IMAGES:
            # `COPY . .` from a folder that holds nothing but Dockerfiles
            candidates = candidates[1:]

        def hits(candidate: str) -> int:
            joined = [self.files.join(candidate, source) for source in copied]
            return sum(
                one is not None and (self.files.has(one) or self.files.is_folder(one)) for one in joined
            )

        return max(candidates, key=hits)

    def anywhere(self, folder: str) -> Place:
        """An image of which nothing is known."""
        return Place(self.files, self.sources, folder, foreign=True)

    def of_build(self, context: str, name: str | None, image: str | None, where: Location) -> Build:
        """What a manifest builds; `name` is the Dockerfile's path in the context."""
        for candidate in (name,) if name else ("Dockerfile", "Containerfile"):
            path = self.files.join(context, candidate)
            if path is not None and self.files.has(path):
                if image and "$" not in repository(image):
                    self.built.setdefault(repository(image), (path, context))
                return Build(image, path, context, "build", where)
        return Build(image, None, context, "build", where)

    def of_image(self, image: str, where: Location) -> Build:
        """What is known of an image that a manifest only names."""
        name = repository(image)
        found = self.built.get(name) or self._scripted(name) or self._named(name)
        if found is None:
            return Build(image, None, None, "none", where)
        return Build(image, found[0], found[1], "image", where)

    def _scripted(self, name: str) -> tuple[str, str] | None:
        """What the `docker build` of a script of the tree says."""
        if not self._scripts_read:
            self._scripts_read = True
            for file in self.files.written_in(Language.SHELL):
                for match in _BUILDING.finditer(self.files.text(file.path)):
                    self._build_command(file.path, shell.words(match[0]))
        return self.built.get(name)

    def _build_command(self, script: str, argv: Sequence[str]) -> None:
        valued = frozenset(
            "-f --file -t --tag --platform --build-arg --target --progress --label --cache-from".split()
        )
        found, _ = options(tuple(argv[argv.index("build") + 1 :]), valued)
        tags = [argv[index + 1] for index, word in enumerate(argv[:-1]) if word in {"-t", "--tag"}]
        named = found.get("-f") or found.get("--file") or "Dockerfile"
        # A script says its folders by variables that only a run tells (`$SCRIPT_DIR/Dockerfile`).
        relative = re.sub(r"^(?:\$\{?\w+\}?|\.)/", "", named)
        folder = posixpath.dirname(script)
        for base in (folder, ""):
            path = self.files.join(base, relative)
            if path is not None and self.files.has(path):
                for tag in tags:
                    if "$" not in repository(tag):
                        self.built.setdefault(repository(tag), (path, self.context_of(path)))
                return

    def _named(self, name: str) -> tuple[str, str] | None:
        """The only Dockerfile that lies in a folder, or has a suffix, of the image's name.

        Where the tree has one Dockerfile, the name of its root package is enough.
        """
        last = name.rpartition("/")[2].lower()
        if not last or ("/" not in name and last in _ENGINES):
            return None
        usable = self._usable()
        hits = [
            path for path in usable if any(last == one or last.endswith("-" + one) for one in _names(path))
        ]
        if len(hits) != 1 and len(usable) == 1 and self._project() == last:
            hits = usable
        return (hits[0], self.context_of(hits[0])) if len(hits) == 1 else None

    def _usable(self) -> list[str]:
        unfit = {Environment.TEST, Environment.DEVELOPMENT, Environment.EXAMPLE}
        return [path for path in self.dockerfiles() if environment_of(path) not in unfit]

    def _project(self) -> str | None:
        name = self.files.document("package.json").get("name") if self.files.has("package.json") else None
        return name.rpartition("/")[2].lower() if isinstance(name, str) else None


def _names(path: str) -> set[str]:
    """What a Dockerfile is called after: `apps/live/Dockerfile.live`."""
    folder, _, name = path.lower().rpartition("/")
    suffix = name.partition(".")[2] if name.startswith("dockerfile.") else name.removesuffix(".dockerfile")
    return {
        one for one in (posixpath.basename(folder), suffix) if one and one not in {"docker", "dockerfile"}
    }
