"""One library file: from YAML to the model, with everything checked that can be checked without a tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from cronaudit.knowledge import paths, versions
from cronaudit.knowledge.document import Mapping, read
from cronaudit.knowledge.parts import (
    HOWS,
    Reader,
    Selectors,
    calls_of,
    check_path,
    conditions,
    one_of,
    options,
    param_value,
    passes,
    regex,
    schedule,
    selectors,
    traits,
)
from cronaudit.knowledge.vocabulary import SettingKind, Vocabulary
from cronaudit.model.knowledge import (
    Consumer,
    Effect,
    Fold,
    Host,
    Injector,
    Library,
    Overview,
    OwnName,
    Phrase,
    Scheduler,
    Setting,
)
from cronaudit.problems import Problem, did_you_mean

ECOSYSTEMS = ("npm", "pypi", "any")


def read_library(
    content: bytes,
    path: str,
    source: str,
    vocabulary: Vocabulary,
    operations: frozenset[str],
    problems: list[Problem],
) -> Library | None:
    """Return the library of a file; None, and problems, where it holds none. `operations` are the known folds."""
    document = read(content, path, "library", problems)
    if document is None:
        return None
    ecosystem = one_of(document, "ecosystem", ECOSYSTEMS)
    reader = Reader(PurePosixPath(path).stem, ecosystem, vocabulary, operations)
    stated = document.text("versions", "")
    if not versions.is_range(stated):
        document.note(f"`{stated}` is no range of versions: like >=1 <6", document.line_of("versions"))
    library = Library(
        reader.id,
        document.text("title"),
        ecosystem,
        document.texts("packages"),
        stated,
        document.texts("tokens"),
        document.texts("service_tokens"),
        tuple(_aliases(document, reader)),
        tuple(
            s for entry in document.mappings("schedulers", "scheduler") for s in _schedulers(entry, reader)
        ),
        tuple(c for entry in document.mappings("consumers", "consumer") for c in _consumers(entry, reader)),
        tuple(e for entry in document.mappings("effects", "effect") for e in _effects(entry, reader)),
        tuple(f for entry in document.mappings("folds", "fold") for f in _folds(entry, reader)),
        tuple(_own_name(entry, reader) for entry in document.mappings("own_names", "own name")),
        tuple(_injector(entry, reader) for entry in document.mappings("injectors", "injector")),
        tuple(_host(entry, reader) for entry in document.mappings("hosts", "host")),
        tuple(_phrase(entry, reader) for entry in document.mappings("phrases", "phrase")),
        tuple(_settings(document, reader)),
        tuple(_overview(entry, reader) for entry in document.mappings("overviews", "overview")),
        source,
    )
    if library.schedulers and not library.tokens:
        document.note("a library with schedulers needs `tokens`, or no file is ever searched for it")
    document.close()
    return library


# ---- entries --------------------------------------------------------------------------------------------------


def _schedulers(entry: Mapping, reader: Reader) -> Iterator[Scheduler]:
    how = one_of(entry, "how", HOWS, "call")
    calls = calls_of(entry, reader, how)
    known = (
        entry.text("kind"),
        how,
        selectors(entry, "entries"),
        tuple(schedule(entry)),
        selectors(entry, "timezone"),
        selectors(entry, "name"),
        selectors(entry, "handler"),
        entry.text("family", "") or None,
        selectors(entry, "queue"),
        selectors(entry, "job"),
        options(entry, reader),
        tuple(traits(entry)),
        conditions(entry),
        entry.text("starts", "call"),
        passes(entry, reader, "args"),
        reader.id,
    )
    entry.close()
    for call in calls:
        yield Scheduler(call, *known)


def _consumers(entry: Mapping, reader: Reader) -> Iterator[Consumer]:
    how = one_of(entry, "how", HOWS, "call")
    calls = calls_of(entry, reader, how)
    known = (
        how,
        entry.text("family"),
        selectors(entry, "entries"),
        selectors(entry, "queue"),
        selectors(entry, "name"),
        selectors(entry, "handler"),
        options(entry, reader),
        conditions(entry),
        passes(entry, reader),
        reader.id,
    )
    entry.close()
    for call in calls:
        yield Consumer(call, *known)


_NO_PARAMS = ("call", "effect", "when", "callback", "passes", "untyped")


def _effects(entry: Mapping, reader: Reader) -> Iterator[Effect]:
    calls = calls_of(entry, reader, "call")
    effect, params = _effect_params(entry, reader, _NO_PARAMS)
    known = (
        effect,
        params,
        conditions(entry),
        selectors(entry, "callback"),
        passes(entry, reader, "receiver"),
        entry.flag("untyped"),
        reader.id,
    )
    entry.close()
    for call in calls:
        yield Effect(call, *known)


def _effect_params(
    entry: Mapping, reader: Reader, others: tuple[str, ...]
) -> tuple[str, tuple[tuple[str, Selectors], ...]]:
    effect = entry.text("effect")
    kind = reader.vocabulary.effects.get(effect)
    if kind is None:
        if effect:
            guess = did_you_mean(effect, reader.vocabulary.effects)
            entry.note(f"unknown effect '{effect}'{guess}", entry.line_of("effect"))
        for key in entry.entries:
            entry.asked[key] = None
        return effect, ()
    params = []
    for key in entry.entries:
        if key in others:
            continue
        param = kind.param(key)
        if param is not None:
            params.append((key, param_value(entry, key, param)))
        else:
            guess = did_you_mean(key, [p.name for p in kind.params] + list(others))
            entry.note(f"{effect} has no parameter `{key}`{guess}", entry.line_of(key))
            entry.asked[key] = None
    return effect, tuple(params)


def _folds(entry: Mapping, reader: Reader) -> Iterator[Fold]:
    operation = one_of(entry, "operation", sorted(reader.operations))
    value = entry.scalar("value")
    listed = entry.mapping("constants")
    args = entry.mapping("with")
    stated = tuple(
        (key, item.value) for key in (args.entries if args else ()) if args and (item := args.scalar(key))
    )
    if listed is not None:
        prefix = entry.text("call")
        if operation != "constant":
            entry.note("`constants` go with `operation: constant`")
        for name in listed.entries:
            if (item := listed.scalar(name)) is not None:
                yield Fold(f"{prefix}.{name}", operation, item.value, stated)
    else:
        for call in calls_of(entry, reader, "call"):
            yield Fold(call, operation, value.value if value else None, stated)
    entry.close()


def _own_name(entry: Mapping, reader: Reader) -> OwnName:
    effect, _ = _effect_params(entry, reader, ("effect", "pattern"))
    pattern = regex(entry, "pattern")
    entry.close()
    return OwnName(effect, pattern)


def _injector(entry: Mapping, reader: Reader) -> Injector:
    decorator = entry.text("decorator")
    check_path(entry, "decorator", decorator, reader)
    path = entry.text("gives")
    check_path(entry, "gives", path, reader)
    found = Injector(decorator, path, selectors(entry, "args"))
    entry.close()
    return found


def _host(entry: Mapping, reader: Reader) -> Host:
    effect, _ = _effect_params(entry, reader, ("effect", "service", "pattern", "env", "start", "failure"))
    env = regex(entry, "env") if "env" in entry.entries else None
    phases = tuple((name, regex(entry, name)) for name in ("start", "failure") if name in entry.entries)
    found = Host(entry.text("service"), effect, regex(entry, "pattern"), env, phases)
    entry.close()
    return found


def _phrase(entry: Mapping, reader: Reader) -> Phrase:
    language = one_of(entry, "language", ("sql", "lua", "shell"))
    effect, params = _effect_params(entry, reader, ("effect", "language", "pattern"))
    found = Phrase(language, regex(entry, "pattern"), effect, params)
    entry.close()
    return found


def _overview(entry: Mapping, reader: Reader) -> Overview:
    found = Overview(
        entry.text("title"),
        entry.texts("shows") or (reader.id,),
        entry.flag("history"),
        regex(entry, "command") if "command" in entry.entries else None,
        regex(entry, "image") if "image" in entry.entries else None,
        entry.text("app", "") or None,
        entry.texts("mounted"),
        regex(entry, "backend") if "backend" in entry.entries else None,
    )
    if found.command is None and found.image is None and not found.mounted:
        entry.note("overview that nothing tells: `command`, `image` or `mounted`")
    entry.close()
    return found


def _settings(document: Mapping, reader: Reader) -> Iterator[Setting]:
    listed = document.mapping("settings")
    for what in listed.entries if listed is not None else ():
        assert listed is not None  # noqa: S101 - it has entries
        if what not in reader.vocabulary.settings:
            guess = did_you_mean(what, reader.vocabulary.settings)
            listed.note(f"unknown setting '{what}'{guess}", listed.line_of(what))
        entry = listed.mapping(what)
        if entry is None:
            continue
        names, default = entry.texts("names"), entry.scalar("default")
        if not names:
            entry.note("setting without `names`")
        kind = reader.vocabulary.settings.get(what, SettingKind())
        parts, means = entry.mapping("parts"), entry.mapping("means")
        setting = Setting(
            what,
            names,
            default.value if default is not None else None,
            tuple((word, at.text(word)) for at, word in _chosen(parts, kind.parts, f"{what} has no part")),
            tuple((word, at.texts(word)) for at, word in _chosen(means, kind.means, f"{what} cannot mean")),
        )
        entry.close()
        yield setting


def _chosen(stated: Mapping | None, words: tuple[str, ...], otherwise: str) -> Iterator[tuple[Mapping, str]]:
    """A mapping with each of its keys; one that is not among `words` is a problem."""
    for word in stated.entries if stated is not None else ():
        assert stated is not None  # noqa: S101 - it has entries
        if word not in words:
            stated.note(f"{otherwise} `{word}`{did_you_mean(word, words)}", stated.line_of(word))
        yield stated, word


def _aliases(document: Mapping, reader: Reader) -> Iterator[tuple[str, str]]:
    listed = document.mapping("aliases")
    for canonical in listed.entries if listed is not None else ():
        assert listed is not None  # noqa: S101 - it has entries
        check_path(listed, canonical, canonical, reader)
        for written in listed.texts(canonical):
            if problem := paths.alias_problem_of(written, reader.ecosystem):
                listed.note(problem, listed.line_of(canonical))
            if any(alias == canonical for alias in paths.expanded(written)):
                listed.note(f"`{canonical}` is its own alias", listed.line_of(canonical))
            for alias in paths.expanded(written):
                yield alias, canonical
