"""A browser on a running sandbox. Without Chromium every test here is skipped, with the reason."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    async_playwright,
    expect,
)

from tests.browser.acting import Desk
from tests.e2e.harness import Sandbox, sandbox

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
_WITHIN_MS = 15_000
expect.set_options(timeout=_WITHIN_MS)

log = logging.getLogger(__name__)

Open = Callable[[Sandbox, str], AbstractAsyncContextManager[Desk]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure comes with the end of the bot's and the sandbox's logs."""
    report = yield
    running = getattr(item, "funcargs", {}).get("box") or getattr(item, "funcargs", {}).get("fresh_box")
    if report.failed and isinstance(running, Sandbox):
        report.sections.append(("the sandbox and the bot", running.tail(25)))
    return report


def _write_down(page: Page) -> None:
    """What the page sends and what comes of it; pytest shows it beside a failure."""

    def sent(request: Request) -> None:
        if request.method == "POST":
            log.warning("sent %s %s", request.url.rsplit("/", 1)[-1], (request.post_data or "")[:300])

    async def answered(response: Response) -> None:
        if response.request.method != "POST":
            return
        try:
            told = await response.json()
        except (Error, ValueError) as problem:
            # The window is closed already, or a test has answered in the sandbox's place.
            told = {"error": type(problem).__name__}
        short = {name: told[name] for name in ("error", "message", "acked", "settled") if name in told}
        log.warning("answered %s %s %s", response.url.rsplit("/", 1)[-1], response.status, short)

    page.on("request", sent)
    page.on("response", answered)


def _chromium() -> str | None:
    return os.environ.get("FANWATCH_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    path = _chromium()
    if path is None:
        pytest.skip("no Chromium: install Debian's chromium package")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """The sample agency at 09:00, when its first action card is out. The tests of a module share it."""
    async with sandbox(tmp_path_factory.mktemp("box") / "data") as running:
        await running.settled()
        assert (await running.advance(3600)).settled, running.tail()
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def fresh_box(browser: Browser, tmp_path: Path) -> AsyncIterator[Sandbox]:
    """The sample agency at 08:00, for one test."""
    async with sandbox(tmp_path / "data") as running:
        await running.settled()
        yield running


@pytest.fixture
def at_desk(browser: Browser) -> Open:
    """`at_desk(box, size)` opens the page in a browser of its own, and holds it to a clean console."""

    @asynccontextmanager
    async def opened(running: Sandbox, size: str) -> AsyncIterator[Desk]:
        width, height = SIZES[size]
        context = await browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(_WITHIN_MS)
        wrong: list[str] = []

        def listen(message: ConsoleMessage) -> None:
            # The browser itself writes down each call the sandbox refuses; the page shows those to the person.
            is_refusal = "/sandbox/api/" in message.location["url"] and "status of 4" in message.text
            if message.type in ("error", "warning") and not is_refusal:
                wrong.append(f"{message.type}: {message.text}")

        page = await context.new_page()
        _write_down(page)
        page.on("console", listen)
        page.on("pageerror", lambda error: wrong.append(f"{error.name}: {error.message}"))
        try:
            await page.goto(running.base)
            desk = Desk(page, is_phone=size == "phone")
            await desk.ready()
            yield desk
            await desk.fits()
        finally:
            await context.close()
        assert wrong == []

    return opened


@pytest_asyncio.fixture(loop_scope="module", params=list(SIZES))
async def desk(request: pytest.FixtureRequest, box: Sandbox, at_desk: Open) -> AsyncIterator[Desk]:
    """The page on the module's sandbox, once as wide as a desktop and once as narrow as a phone."""
    async with at_desk(box, request.param) as opened:
        yield opened
