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
        (
            "def f(a, /, b: int = 1, *c: str, d=2, e: A | None, **g) -> B: pass",
            "function f(a, b: int = 1, *c: str, d = 2, e: A, **g) -> B {}",
        ),
        ("def f(a, *, b): pass", "function f(a, b) {}"),
        ("async def f(): await a()", "function async f() {(await a())}"),
        ("def f():\n  'doc'\n  ...", "function f() {}"),
        ("@a\n@b.c(d=1)\ndef f(): pass", "@a @b.c(d=1) function f() {}"),
        ("def f(a=lambda: 1): pass", "function f(a = arrow a() {return 1}) {}"),
        ("def f():\n  yield 1", "function generator f() {?(1)}"),
        ("def f():\n  x = yield", "function generator f() {x = ?()}"),
        (
            "def f():\n  def g(): yield 1\n  return g, 'yield'",
            "function f() {function generator g() {?(1)}; return [g, 'yield']}",
        ),
        ("def f(self): return self.a", "function f(self) {return self.a}"),
    ],
)
def test_functions(py: Dump, source: str, expected: str) -> None:
    assert py(source) == [expected]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ("def a(self, b): return self.c(b)", "method A#a(b) {return this.c(b)}"),
        ("def a(this): return [this, self]", "method A#a() {return [this, self]}"),
        ("def a(*args): return args", "method A#a(*args) {return args}"),
        ("def __init__(self, b): self.b = b", "constructor A#__init__(b) {this.b = b}"),
        ("@staticmethod\n  def a(self): return self", "@staticmethod method static A#a(self) {return self}"),
        (
            "@classmethod\n  def a(cls, b): return cls(b)",
            "@classmethod method static A#a(b) {return this(b)}",
        ),
        ("@property\n  def a(self): return 1", "@property getter A#a() {return 1}"),
        (
            "@functools.cached_property\n  def a(self): return 1",
            ("@functools.cached_property getter A#a() {return 1}"),
        ),
        ("@a.setter\n  def a(self, v): self._a = v", "@a.setter setter A#a(v) {this._a = v}"),
        (
            "def a(self):\n    def b(x): return self.c\n    return lambda: self.d",
            "method A#a() {function b(x) {return this.c}; return arrow <anonymous>() {return this.d}}",
        ),
        (
            "def a(self):\n    def b(self): return self.c\n    return lambda self: self.d",
            "method A#a() {function b(self) {return self.c}; return arrow <anonymous>(self) {return self.d}}",
        ),
        (
            "def a(self):\n    def b():\n      self = c(self=1)\n      return self",
            "method A#a() {function b() {self = c(self=1); return self}}",
        ),
        (
            "def a(self):\n    def b(): return c(self=self)",
            "method A#a() {function b() {return c(self=this)}}",
        ),
        (
            "def a(self):\n    class B:\n      c = self.d\n      def e(me): return [me, self]",
            "method A#a() {class B() {static c = this.d; method B#e() {return [this, self]}}}",
        ),
        (
            "if B:\n    def a(self): return self\n  else:\n    def a(self, b): return self",
            "method A#a() {return this}; method A#a(b) {return this}",
        ),
    ],
)
def test_methods(py: Dump, members: str, expected: str) -> None:
    assert py(f"class A:\n  {members}") == [f"class A() {{{expected}}}"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class A(B, c.D): pass", "class A(B, c.D) {}"),
        ("class A(B[C], Generic[T], x=1, *y, **z): pass", "class A(B, Generic) {static x = 1}"),
        ("class A(metaclass=abc.ABCMeta): pass", "abstract class A() {}"),
        ("class A(ABC): pass", "abstract class A(ABC) {}"),
        (
            "class A:\n  @abstractmethod\n  def b(self): ...",
            "abstract class A() {@abstractmethod method abstract A#b() {}}",
        ),
        ("class A(enum.IntEnum):\n  B = 1", "enum A(enum.IntEnum) {static B = 1}"),
        ("@a(b=1)\nclass C: pass", "@a(b=1) class C() {}"),
        (
            "class A:\n  'doc'\n  b = 1\n  c: int\n  d: 'E' = 2\n  f = g = 3\n  h, i = 4, 5\n  j, k = l()",
            (
                "class A() {static b = 1; c: int; static d: E = 2; static f = 3; static g = 3; static h = 4;"
                " static i = 5; static j = l()[0]; static k = l()[1]}"
            ),
        ),
        ("class A:\n  class Meta:\n    b = 1", "class A() {static Meta = class Meta() {static b = 1}}"),
        ("class A:\n  b(c)", "class A() {static  = b(c)}"),
        (
            "class A:\n  b = 1\n  def c(self): pass\n  d = c",
            "class A() {static b = 1; static d = c; method A#c() {}}",
        ),
        ("class A:\n  try:\n    b = 1\n  except C:\n    b = 2", "class A() {static b = 1; static b = 2}"),
    ],
)
def test_classes(py: Dump, source: str, expected: str) -> None:
    assert py(source) == [expected]


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("A", ": A"),
        ("a.b.C", ": a.b.C"),
        ("A | None", ": A"),
        ("None | A | B", ": A"),
        ("Optional[A]", ": A"),
        ("t.Union[None, A]", ": A"),
        ("list[A]", ": list<A>"),
        ("dict[str, a.B | None]", ": dict<str, a.B>"),
        ("a.List[A]", ": a.List<A>"),
        ("'A'", ": A"),
        ("'list[a.B]'", ": list<a.B>"),
        ("'A | None'", ": A"),
        ("ClassVar[A]", ": A"),
        ("Annotated[A, Depends(b)]", ": A"),
        ("Callable[[A], B]", ": =><B>"),
        ("dict[Literal['a'], A]", ": dict<unknown, A>"),
        ("Literal['a']", ""),
        ("None", ""),
        ("type[A]", ": type<A>"),
    ],
)
def test_hints(py: Dump, hint: str, expected: str) -> None:
    assert py(f"x: {hint}") == [f"x{expected}"]


def test_definitions_know_where_they_are() -> None:
    source = b"""
@register
class Job:
    @decorated
    def run(self):
        def later():
            pass
"""
    module = parse("jobs/a.py", source, Language.PYTHON)
    (define,) = module.body
    assert isinstance(define, ir.Define)
    job = define.definition
    assert isinstance(job, ir.Class)
    assert (job.parent, job.module, str(job.location), job.end_line) == (module, module, "jobs/a.py:3", 7)
    (run,) = job.methods
    assert (run.owner, run.parent, run.symbol, run.line, run.end_line) == (job, module, "Job.run", 5, 7)
    assert [decorator.line for decorator in run.decorators] == [4]
    (inner,) = run.body
    assert isinstance(inner, ir.Define)
    later = inner.definition
    assert isinstance(later, ir.Function)
    assert (later.owner, later.parent, later.symbol) == (None, run, "Job.run.later")
