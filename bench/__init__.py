"""Measurements of cronaudit: how right it is (`bench.accuracy`) and how fast (`bench.speed`)."""
