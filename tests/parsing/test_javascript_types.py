from __future__ import annotations

from collections.abc import Callable

import pytest

Dump = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("A", ": A"),
        ("a.B.C", ": a.B.C"),
        ("string", ": string"),
        ("Promise<A>", ": Promise<A>"),
        ("Map<string, A.B<C>[]>", ": Map<string, []<A.B<C>>>"),
        ("A[]", ": []<A>"),
        ("readonly A[]", ": []<A>"),
        ("[A, B?]", ": tuple<A, B>"),
        ("A | null", ": A"),
        ("null | undefined | A | B", ": A"),
        ("Promise<A | undefined>", ": Promise<A>"),
        ("A & B", ": A"),
        ("'a' | 'b'", ""),
        ("(A)", ": A"),
        ("(a: B) => C", ": =><C>"),
        ("() => 'a'", ": =><unknown>"),
        ("Record<'a', A>", ": Record<unknown, A>"),
        ("typeof a.b", ": typeof<a.b>"),
        ("typeof import('a')", ""),
        ("A['b']", ""),
        ("keyof A", ""),
        ("{a: B}", ""),
        ("`a${B}`", ""),
        ("this", ": this"),
    ],
)
def test_annotations(ts: Dump, annotation: str, expected: str) -> None:
    assert ts(f"let x: {annotation}") == [f"let x{expected}"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "interface A<T> extends B, c.D<E> { a: string; readonly 'b-c'?: F[]; m(x: X): Y; get g(): G }",
            (
                "interface A(B, c.D<E>) {a: string; b-c: []<F>; method abstract m(x: X) -> Y {};"
                " getter abstract g() -> G {}}"
            ),
        ),
        ("interface A { (): B; new (): C; [k: string]: D }", "interface A() {}"),
        ("type A = {b: C}", "interface A() {b: C}"),
        ("type A = B<C>", "interface A(B<C>) {}"),
        ("type A = B & {c: D} & E", "interface A(B, E) {c: D}"),
        ("type A = {kind: 'b'; c: D} | ({e: F} | null)", "interface A() {kind; c: D; e: F}"),
        ("type A = (b: C) => Promise<D>", "interface A(=><Promise<D>>) {}"),
        ("type A = {[K in B]: C}", "interface A() {}"),
    ],
)
def test_interfaces_and_aliases(ts: Dump, source: str, expected: str) -> None:
    assert ts(source) == [expected]
