"""Headless Chromium, and pages that watch themselves."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.report_runs import write_run
from tests.running import Found
from uncommon_im.pipeline.cli.main import main

NAMES = ("chromium", "chromium-browser", "google-chrome")
Opened = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium that is installed, else Playwright's own."""
    installed = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=installed)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Writes the page of a run and opens it, as a file; fails if it complains or asks for anything."""
    with watching(browser) as open_file:

        def open_run(found: Found, address: str = "", *more: str, verdicts: bool = True, **context: Any) -> Page:
            page_file, run = tmp_path / "page.html", write_run(tmp_path / "run", found, verdicts)
            assert main(["report", str(run), "--output", str(page_file), *more]) == 0
            return open_file(page_file.as_uri() + address, **context)

        yield open_run


def rows(page: Page) -> Any:
    """The rows of alerts in the list."""
    return page.locator("#list .alert")


def ready(page: Page) -> Page:
    """The page, when its list is there."""
    expect(page.locator("#status")).not_to_be_empty()
    return page


@contextmanager
def watching(browser: Browser) -> Iterator[Opened]:
    """Opens pages; afterwards nothing of them may have reached console, network or dialogs."""
    said: list[str] = []
    contexts = []

    def open_file(url: str, width: int = 1280, height: int = 900, **context: Any) -> Page:
        made = browser.new_context(viewport={"width": width, "height": height}, **context)
        contexts.append(made)
        page = made.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        itself = url.partition("#")[0]
        page.on("request", lambda request: request.url != itself and said.append(f"request: {request.url}"))
        page.goto(url)
        return page

    yield open_file
    for made in contexts:
        made.close()
    assert said == []
