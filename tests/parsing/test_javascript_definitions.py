from __future__ import annotations

from collections.abc import Callable

import pytest

from cronaudit.model import ir
from cronaudit.model.source import Language
from cronaudit.parsing import parse

Dump = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("function a(b, {c}, [d], e = 1, ...f) {}", "function a(b, {c: c}, [d], e = 1, *f) {}"),
        ("async function a() { await b() }", "function async a() {(await b())}"),
        ("function* a() { yield; yield b; c = yield* d }", "function generator a() {?(); ?(b); c = ?(d)}"),
        ("const a = b => c", "let a = arrow a(b) {return c}"),
        ("const a = async (b) => ({c})", "let a = arrow async a(b) {return {c: c}}"),
        ("const a = () => void b()", "let a = arrow a() {b()}"),
        ("const a = function b() {}", "let a = function b() {}"),
        ("const a = (function () {})", "let a = function a() {}"),
        ("const a = class {}", "let a = class a() {}"),
        ("const a = class B extends C {}", "let a = class B(C) {}"),
        ("a.b = function () {}", "a.b = function b() {}"),
        ("this.a = () => {}", "this.a = arrow a() {}"),
        ("a['b'] = () => {}", "a['b'] = arrow b() {}"),
        ("exports.a = exports.b = () => {}", "exports.a = (exports.b = arrow b() {})"),
        ("module.exports.a = () => {}", "module.exports.a = arrow a() {}"),
        ("module.exports = () => {}", "module.exports = arrow <anonymous>() {}"),
        ("A.prototype.b = function () {}", "A.prototype.b = function b() {}"),
        ("f(() => {})", "f(arrow <anonymous>() {})"),
        ("function a(b = () => c) {}", "function a(b = arrow b() {return c}) {}"),
        ("const {a = () => b} = c", "let {a: (a = arrow a() {return b})} = c"),
    ],
)
def test_functions(js: Dump, source: str, expected: str) -> None:
    assert js(source) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class A extends b.C {}", "class A(b.C) {}"),
        ("class A extends mixin(B, C) {}", "class A(mixin(B, C)) {}"),
        ("class A { constructor(b) { super(b) } }", "class A() {constructor A#constructor(b) {super(b)}}"),
        (
            "class A { a() {} static async b() {} *c() {} get d() {} set d(v) {} #e() {} }",
            (
                "class A() {method A#a() {}; method async static A#b() {}; method generator A#c() {};"
                " getter A#d() {}; setter A#d(v) {}; method A##e() {}}"
            ),
        ),
        (
            "class A { ['a']() {} 'b'() {} [c.d]() {} async() {} static() {} }",
            (
                "class A() {method A#a() {}; method A#b() {}; method A#[c.d]() {}; method A#async() {};"
                " method A#static() {}}"
            ),
        ),
        (
            "class A { a = 1; static b = 2; c; #d = () => this.c; 'e' = class {} }",
            "class A() {a = 1; static b = 2; c; #d = arrow A##d() {return this.c}; e = class e() {}}",
        ),
        ("class A { static { b() } }", "class A() {static  = arrow A#<anonymous>() {b()}()}"),
        ("@a @b(c) class D { @e f = 1; @g() h() {} }", "@a @b(c) class D() {@e f = 1; @g() method D#h() {}}"),
    ],
)
def test_classes(js: Dump, source: str, expected: str) -> None:
    assert js(source) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "abstract class A<T> extends B<T> implements C, D<E> { abstract run(a: F): void; abstract get b(): G }",
            (
                "abstract class A(B) implements C, D<E> {method abstract A#run(a: F) -> void {};"
                " getter abstract A#b() -> G {}}"
            ),
        ),
        (
            "class A { run(a: string): void; run(a: any) { b() } }",
            "class A() {method A#run(a: any) {b()}}",
        ),
        (
            "declare class A { run(): void; b: C }",
            "class A() {b: C; method abstract A#run() -> void {}}",
        ),
        (
            "class A { private readonly a: B = c; declare d: E; static f?: G; h!: I; [key: string]: any }",
            "class A() {a: B = c; d: E; static f: G; h: I}",
        ),
        (
            "class A { constructor(private readonly b: B, @Inject('c') public c?: C, d = 1) {} }",
            "class A() {constructor A#constructor(this.b: B, @Inject('c') this.c: C, d = 1) {}}",
        ),
        (
            "class A { @Cron('x', {name: 'y'}) @Other async run(@Param() p: P): Promise<void> {} @Input() q: Q }",
            (
                "class A() {@Input() q: Q; @Cron('x', {name: 'y'}) @Other method async"
                " A#run(@Param() p: P) -> Promise<void> {}}"
            ),
        ),
        (
            "function f(this: Window, a?: string, ...rest: Foo[]): asserts a {}",
            "function f(a: string, *rest: []<Foo>) {}",
        ),
        ("const f = <T,>(a: T): a is B => true", "let f = arrow f(a: T) {return True}"),
        ("const f = (async () => {}) as Handler", "let f = arrow async f() {}"),
    ],
)
def test_typescript_definitions(ts: Dump, source: str, expected: str) -> None:
    assert ts(source) == [expected]


def test_overloads_are_dropped(ts: Dump) -> None:
    source = "function a(b: string): void; function a(b: any) {} declare function c(): void"
    assert ts(source) == ["function a(b: any) {}"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("enum A { B, C, D }", "enum A() {static B = 0; static C = 1; static D = 2}"),
        (
            "const enum A { B = 5, C, 'd-e' = 'f', G }",
            "enum A() {static B = 5; static C = 6; static d-e = 'f'; static G}",
        ),
        (
            "declare enum A { B = -2, C, D = 1 << 2, E }",
            ("enum A() {static B = (- 2); static C = -1; static D = (<< 1 2); static E}"),
        ),
        ("export enum A { B /* no */, // no\n }", "enum A() {static B = 0}"),
    ],
)
def test_enums(ts: Dump, source: str, expected: str) -> None:
    assert ts(source)[0] == expected


def test_definitions_know_where_they_are() -> None:
    source = b"""
class Job {
  tick = () => this.run();
  run() {
    const later = () => { class Inner { go() {} } };
  }
}
"""
    module = parse("jobs/a.ts", source, Language.TYPESCRIPT)
    (define,) = module.body
    assert isinstance(define, ir.Define)
    job = define.definition
    assert isinstance(job, ir.Class)
    assert (job.parent, job.module, str(job.location), job.end_line) == (module, module, "jobs/a.ts:2", 7)
    tick = job.fields[0].value
    assert isinstance(tick, ir.Function)
    assert (tick.owner, tick.parent, tick.symbol) == (job, module, "Job.tick")
    run = job.methods[0]
    assert (run.owner, run.parent, run.symbol, run.line, run.end_line) == (job, module, "Job.run", 4, 6)
    (assign,) = run.body
    assert isinstance(assign, ir.Assign)
    later = assign.value
    assert isinstance(later, ir.Function)
    assert (later.owner, later.parent, later.symbol) == (None, run, "Job.run.later")
    (inner_define,) = later.body
    assert isinstance(inner_define, ir.Define)
    inner = inner_define.definition
    assert isinstance(inner, ir.Class)
    assert (inner.parent, inner.methods[0].parent, inner.methods[0].owner) == (later, later, inner)


def test_a_body_is_lowered_once() -> None:
    module = parse("file", b"function a() { b() }", Language.JAVASCRIPT)
    (define,) = module.body
    assert isinstance(define, ir.Define)
    function = define.definition
    assert isinstance(function, ir.Function)
    assert function._body is None
    assert function.body is function.body
