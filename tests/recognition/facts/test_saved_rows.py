"""``save()`` of a library that inserts what is new and updates what was read."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from cronaudit.model.facts import Unresolved
from cronaudit.recognition.context import JobContext
from cronaudit.recognition.facts import effects

ServiceOf = Callable[[dict[str, str]], list[JobContext]]

CODE = """
    import { DataSource } from 'typeorm';
    import { Cart } from './cart';
    const source = new DataSource({ type: 'postgres' });
    const carts = source.getRepository(Cart);
    async function cartOf(id) {
      const found = await carts.findOne({ where: { id } });
      return found;
    }
    setInterval(async () => {
      WORK
    }, 60_000);
"""
CART = "export class Cart { id: number; state: string; }\n"


def inserts(service_of: ServiceOf, work: str) -> object:
    (context,) = service_of({"src/sweep.ts": dedent(CODE).replace("WORK", work), "src/cart.ts": CART})
    return effects.build(context).inserts.value


@pytest.mark.parametrize(
    ("work", "word"),
    [
        ("const cart = await cartOf(1); cart.state = 'old'; await carts.save(cart);", "none"),
        ("for (const cart of await carts.find()) { cart.state = 'old'; await carts.save(cart); }", "none"),
        ("const all = await carts.find(); await carts.save(all);", "none"),
        ("await source.manager.save(await cartOf(1));", "none"),
        ("await carts.save(new Cart());", "plain"),
        ("await carts.save({ state: 'new' });", "plain"),
        ("await source.manager.save(new Cart());", "plain"),
        ("let cart = await cartOf(1); if (!cart) cart = new Cart(); await carts.save(cart);", "plain"),
        ("await carts.insert(await cartOf(1));", "plain"),
        ("await carts.upsert(new Cart(), ['id']); await carts.save(await cartOf(1));", "upsert"),
    ],
)
def test_a_row_that_was_read_is_updated(service_of: ServiceOf, work: str, word: str) -> None:
    assert inserts(service_of, work) == word


def test_a_row_that_nobody_knows_is_open(service_of: ServiceOf) -> None:
    found = inserts(service_of, "const cart = await load(); await carts.save(cart);")
    assert isinstance(found, Unresolved)
    assert found.reason == "whether the row that is saved at src/sweep.ts:10 is a new one is not told"
