"""What a module holds is found by its words, and what does not hold them is never lowered."""

from __future__ import annotations

from textwrap import dedent

from cronaudit.linking.contents import Contents
from cronaudit.model.ir import Function, Module
from cronaudit.model.source import Language
from cronaudit.model.walking import definitions_in
from cronaudit.parsing import parse


def contents(code: str, language: Language = Language.TYPESCRIPT) -> tuple[Contents, Module]:
    source = dedent(code).encode()
    module = parse("a.ts" if language is Language.TYPESCRIPT else "a.py", source, language)
    return Contents(module, source), module


def lines(found: Contents, *names: str) -> dict[str, list[int]]:
    return {name: [call.line for call, _node in sites] for name, sites in found.calls(names).items()}


def lowered(module: Module) -> set[str | None]:
    return {d.name for d in definitions_in(module) if isinstance(d, Function) and d._body is not None}


def test_only_functions_that_hold_the_name_are_lowered() -> None:
    found, module = contents("""
        function arms() { cron.schedule('* * * * *', run); }
        function rests() { rescheduled(); schedules(); }
        function outer() { return () => { schedule(later); }; }
    """)
    assert lines(found, "schedule") == {"schedule": [2, 4]}
    assert lowered(module) == {"arms", "outer"}


def test_the_same_calls_as_when_all_are_asked_for() -> None:
    code = """
        const one = make()(first);
        @Module({ imports: [Cron.forRoot()] })
        class Jobs { timer = every(5); run(at = every(1)) { this.go(() => every(2)); } }
        if (ready) { every(3); }
    """
    every = {name: [c.line for c, _ in sites] for name, sites in contents(code)[0].all_calls().items()}
    assert every == {"": [2], "make": [2], "forRoot": [3], "every": [5, 4, 4, 4], "go": [4]}
    for name, where in every.items():
        assert lines(contents(code)[0], name) == {name: where}


def test_a_second_question_finds_what_the_first_passed_over() -> None:
    found, _ = contents("""
        function a() { start(); }
        function b() { stop(); }
    """)
    assert lines(found, "start") == {"start": [2]}
    assert lines(found, "stop", "start", "absent") == {"stop": [3], "start": [2]}


def test_decorated_functions_at_any_depth() -> None:
    found, module = contents(
        """
        @task
        def outer():
            @beat.every(5)
            def inner():
                pass

        def plain():
            return 1
        """,
        Language.PYTHON,
    )
    assert [f.name for f in found.decorated()] == ["outer", "inner"]
    assert "plain" not in lowered(module)


def test_a_script_assigns_a_variable_of_the_scope_around() -> None:
    found, module = contents("""
        let timer;
        function sets() { timer = setInterval(tick, 5); }
        function takes() { ({ timer } = options); }
        function counts() { timer++; }
        function compares() { return timer === 5 || timer >= 4 || (() => timer) || timer.id; }
        function another() { this.timer = 5; }
    """)
    assert [f.name for f in found.assigning(module, "timer")] == ["sets", "takes", "counts", "another"]


def test_a_local_of_a_python_function_is_no_global() -> None:
    found, module = contents(
        """
        client = None

        def own():
            client = connect()

        def shared():
            global other, client
            client = connect()
        """,
        Language.PYTHON,
    )
    assert [f.name for f in found.assigning(module, "client")] == ["shared"]


def test_classes_in_functions_are_found() -> None:
    found, module = contents("""
        export class Top {}
        function mixin(base) { return class extends base { go() {} }; }
        function plain() { return 1; }
    """)
    assert [cls.line for cls in found.classes()] == [2, 3]
    assert lowered(module) == {"mixin"}


def test_the_call_that_takes_a_function_and_the_one_that_calls_it_on_the_spot() -> None:
    found, module = contents("""
        queue.process(function work() {});
        (function (exports) { run(() => 1); })(exports);
    """)
    work, factory = (d for d in definitions_in(module) if isinstance(d, Function))
    taking = found.taking(work)
    assert taking is not None
    assert taking.line == 2
    assert found.on_the_spot(work) is None
    spot = found.on_the_spot(factory)
    assert spot is not None
    assert (spot[0].line, spot[1]) == (3, module)
    (inner,) = (d for d in definitions_in(factory) if isinstance(d, Function))
    assert found.taking(inner) is not None
