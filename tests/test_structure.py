"""The shape of the tree: who may import whom, and that files stay readable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = (
    "bot.domain",
    "bot.fanapi",
    "bot.discord_ui",
    "bot.services",
    "bot.jobs",
    "bot.cli",
    "bot.sandbox",
    "storage",
    "cogs",
)
MAY_IMPORT = {
    "bot.domain": set(),
    "bot.fanapi": {"bot.domain"},
    "bot.discord_ui": {"bot.domain", "bot.services"},
    "storage": {"bot.domain"},
    "bot.services": {"bot.domain", "storage"},
    "bot.jobs": {"bot.domain", "bot.fanapi", "bot.services", "bot.discord_ui", "storage"},
    "bot.cli": {"bot.domain", "bot.fanapi", "bot.services", "bot.jobs", "storage"},
    "bot.sandbox": set(),
    "cogs": {"bot.domain", "bot.services", "bot.discord_ui"},
}
LIBRARY_HOMES = {
    "discord": ("bot/discord_ui/", "cogs/", "bot/app.py", "bot/runner.py"),
    "sqlalchemy": ("storage/", "bot/config.py", "bot/runner.py", "bot/cli/opening.py"),
    "aiosqlite": ("storage/",),
    "asyncpg": ("storage/",),
    "httpx": ("bot/fanapi/", "bot/clock.py", "bot/runner.py", "bot/cli/opening.py"),
    "apscheduler": ("bot/jobs/ticker.py",),
    "dateparser": ("bot/domain/due.py",),
    "matplotlib": ("bot/discord_ui/charts.py",),
    "prometheus_client": ("bot/jobs/health.py",),
}


def _sources() -> list[Path]:
    return [p for top in ("bot", "cogs", "storage") for p in sorted((ROOT / top).rglob("*.py"))]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _layer(module: str) -> str | None:
    return next((layer for layer in LAYERS if module == layer or module.startswith(layer + ".")), None)


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_the_walk_sees_the_layers() -> None:
    assert {_layer(_module(p)) for p in _sources()} >= set(LAYERS)


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_one_way(layer: str) -> None:
    wrong = [
        f"{_module(path)} imports {name}"
        for path in _sources()
        if _layer(_module(path)) == layer
        for name in _imports(path)
        if (other := _layer(name)) is not None and other != layer and other not in MAY_IMPORT[layer]
    ]
    assert wrong == []


def test_the_sandbox_shares_nothing_with_the_bot() -> None:
    wrong = [
        f"{_module(path)} imports {name}"
        for path in (ROOT / "bot" / "sandbox").rglob("*.py")
        for name in _imports(path)
        if name.split(".")[0] in ("bot", "storage", "cogs") and not name.startswith("bot.sandbox")
    ]
    assert wrong == []


@pytest.mark.parametrize("library", LIBRARY_HOMES)
def test_a_library_is_used_where_it_lives(library: str) -> None:
    wrong = [
        path.relative_to(ROOT).as_posix()
        for path in _sources()
        if any(name.split(".")[0] == library for name in _imports(path))
        and not path.relative_to(ROOT).as_posix().startswith(LIBRARY_HOMES[library])
    ]
    assert wrong == []


def test_files_stay_under_four_hundred_lines() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): count
        for path in [*_sources(), *(ROOT / "tests").rglob("*.py")]
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}
