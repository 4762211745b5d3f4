from __future__ import annotations

from pathlib import Path

import pytest

from cronaudit import assets

ROOT = Path(__file__).resolve().parents[1]


def test_a_checkout_uses_its_own_folders() -> None:
    assert assets.rules_dir() == ROOT / "rules"
    assert assets.templates_dir() == ROOT / "reports" / "templates"


def test_a_wheel_uses_what_it_carries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_PACKAGE", tmp_path)
    for name in ("_rules", "_templates"):
        (tmp_path / name).mkdir()
    assert assets.rules_dir() == tmp_path / "_rules"
    assert assets.templates_dir() == tmp_path / "_templates"


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert assets.cache_dir() == tmp_path / "cronaudit"


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", ".cache/cronaudit"),
        ("darwin", "Library/Caches/cronaudit"),
        ("win32", "AppData/Local/cronaudit/Cache"),
    ],
)
def test_the_cache_is_in_the_home_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, expected: str
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert assets.cache_dir() == tmp_path / expected


def test_without_a_home_there_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert assets.cache_dir() is None
