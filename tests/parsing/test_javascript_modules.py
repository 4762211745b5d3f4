from __future__ import annotations

from collections.abc import Callable

import pytest

Dump = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import 'a'", ["import * from 'a' as ''"]),
        ("import {} from 'a'", ["import * from 'a' as ''"]),
        ("import a from 'b'", ["import default from 'b' as 'a'"]),
        ("import * as a from 'b'", ["import * from 'b' as 'a'"]),
        (
            "import a, {b, c as d, default as e, 'f g' as h} from 'i'",
            [
                "import default from 'i' as 'a'",
                "import b from 'i' as 'b'",
                "import c from 'i' as 'd'",
                "import default from 'i' as 'e'",
                "import f g from 'i' as 'h'",
            ],
        ),
        ("import a, * as b from 'c'", ["import default from 'c' as 'a'", "import * from 'c' as 'b'"]),
        ("import a from './a.json' with {type: 'json'}", ["import default from './a.json' as 'a'"]),
        ("import a from './a.json' assert {type: 'json'}", ["import default from './a.json' as 'a'"]),
        ("const a = require('b')", ["let a = require('b')"]),
    ],
)
def test_imports(js: Dump, source: str, expected: list[str]) -> None:
    assert js(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import type A from 'b'", ["type import default from 'b' as 'A'"]),
        ("import type {A} from 'b'", ["type import A from 'b' as 'A'"]),
        (
            "import {type A, type B as C, type} from 'd'",
            [
                "type import A from 'd' as 'A'",
                "type import B from 'd' as 'C'",
                "import type from 'd' as 'type'",
            ],
        ),
        ("import a = require('b')", ["let a = require('b')"]),
        ("import a = B.c", ["let a = B.c"]),
        ("export = a", ["module.exports = a"]),
        ("export import a = B.c", ["let a = B.c", "export a = a"]),
        ("export type * from 'a'", ["export * = * from 'a'"]),
        ("export as namespace A", []),
    ],
)
def test_typescript_imports_and_exports(ts: Dump, source: str, expected: list[str]) -> None:
    assert ts(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "export const a = 1, {b, c: [d]} = e",
            [
                "let a = 1",
                "let {b: b, c: [d]} = e",
                "export a = a",
                "export b = b",
                "export d = d",
            ],
        ),
        ("export function a() {}", ["function a() {}", "export a = a"]),
        ("export async function* a() {}", ["function async generator a() {}", "export a = a"]),
        ("export class A {}", ["class A() {}", "export A = A"]),
        ("export {a, b as c, d as default}", ["export a = a", "export c = b", "export default = d"]),
        (
            "export {a, default as b, c as default} from 'd'",
            [
                "export a = a from 'd'",
                "export b = default from 'd'",
                "export default = c from 'd'",
            ],
        ),
        ("export * from 'a'", ["export * = * from 'a'"]),
        ("export * as a from 'b'", ["export a = * from 'b'"]),
        ("export default a", ["export default = a"]),
        ("export default {a: () => 1}", ["export default = {a: arrow a() {return 1}}"]),
        ("export default () => a", ["export default = arrow <anonymous>() {return a}"]),
        ("export default async function () {}", ["export default = function async <anonymous>() {}"]),
        ("export default function a() {}", ["function a() {}", "export default = a"]),
        ("export default class {}", ["export default = class <anonymous>() {}"]),
        ("export default class A {}", ["class A() {}", "export default = A"]),
        ("@a export class B {}", ["@a class B() {}", "export B = B"]),
        ("@a export default class B {}", ["@a class B() {}", "export default = B"]),
    ],
)
def test_exports(js: Dump, source: str, expected: list[str]) -> None:
    assert js(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("namespace A.B { export const c = 1; d() }", ["let c = 1", "d()"]),
        ("export namespace A { export const b = 1 }", ["let b = 1"]),
        ("declare module 'a' { export const b: C }", ["let b: C"]),
        ("declare global { var a: B }", ["let a: B"]),
        ("export declare const a: B", ["let a: B", "export a = a"]),
        ("export abstract class A {}", ["abstract class A() {}", "export A = A"]),
        ("export enum A { B }", ["enum A() {static B = 0}", "export A = A"]),
        ("export interface A { b: C }", ["interface A() {b: C}", "export A = A"]),
        ("export type A = B", ["interface A(B) {}", "export A = A"]),
    ],
)
def test_typescript_declarations(ts: Dump, source: str, expected: list[str]) -> None:
    assert ts(source) == expected
