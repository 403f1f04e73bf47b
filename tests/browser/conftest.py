"""One embedded stack and one browser a process, and a window for each test."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from bench.embedded import Up
from tests.browser.chromium import MISSING, arguments, find_chromium
from tests.browser.visitors import Visitor, visiting

Visiting = Callable[..., AbstractAsyncContextManager[Visitor]]


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The installed Chromium; without one the tests say what to run, and fail where CI runs them."""
    path = find_chromium()
    if path is None and os.environ.get("CI"):
        pytest.fail(MISSING)
    if path is None:
        pytest.skip(MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments())
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def stack(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The embedded stack, as `make run` starts it."""
    up = Up(tmp_path_factory.mktemp("browser") / ".hetao")
    try:
        up.start()
        yield up
    finally:
        up.stop()


@pytest.fixture
def visit(browser: Browser, stack: Up) -> Visiting:
    """Open a window: `async with visit(language=…, viewport=…, scripts=…) as visitor`."""
    return partial(visiting, browser, stack.ready["console"].rstrip("/"))


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Give each of them the time that a browser on a full machine needs."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.timeout(180))
