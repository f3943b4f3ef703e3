"""Fixtures of the browser tests: one browser for all files, one context for each page, and a check at its end.

The browser lives as long as tests of this package run: while it does, `asyncio.run` cannot be called in this thread.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import openid
from tests.browser.main_job import MainJob
from tests.browser.office import Office
from tests.browser.page_log import PageLog
from tools.client import local_console
from tools.local import browser as local
from tools.local.stack import Stack

ARGUMENTS = [
    "--no-sandbox",  # the sandbox needs root or user namespaces; these tests open pages of their own only
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FOLDER = Path(__file__).parent
PAPER_BYTES = 5_000_000
DESK = {"width": 1280, "height": 900}

NewPage = Callable[..., Page]
StartProvider = Callable[..., openid.Provider]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this package."""
    for item in items:
        if item.path.parent == FOLDER:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A Chromium; it fails, and does not skip, where none can be had."""
    chromium = local.chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium.program, args=ARGUMENTS, env=os.environ | chromium.environment
        )
        yield started
        started.close()


@pytest.fixture
def page_log() -> PageLog:
    """Record what all pages of the test log and load; a test may say in it what it expects."""
    return PageLog()


@pytest.fixture
def new_page(browser: Browser, page_log: PageLog) -> Iterator[NewPage]:
    """Open a page in a context of its own, that of one person, with Playwright's options for a context.

    At the end of the test, the console of each is empty, and none has loaded anything from elsewhere.
    """
    with pages(browser, page_log) as open_page:
        yield open_page


@contextmanager
def pages(browser: Browser, log: PageLog) -> Iterator[NewPage]:
    """Open pages that one log follows, which is checked at the end."""
    with ExitStack() as contexts:

        def open_page(**options: Any) -> Page:
            defaults = {"viewport": DESK, "locale": "en-GB", "timezone_id": "Asia/Bangkok"}
            context = browser.new_context(**(defaults | options))
            contexts.callback(context.close)
            log.follow(context)
            return context.new_page()

        yield open_page
    log.check()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A page of a person at a desk."""
    return new_page()


@pytest.fixture
def page_without_scripts(new_page: NewPage) -> Page:
    """A page in a browser whose JavaScript is off."""
    return new_page(java_script_enabled=False)


@pytest.fixture(scope="package")
def office(stack: Stack) -> Iterator[Office]:
    """The console of the stack, while tests of this package run."""
    stack.start_console()
    yield Office(stack, local_console.address(stack.home))
    with suppress(LookupError):  # the stack has ended, where tests without it are the last of the package
        stack.stop_one("console")


@pytest.fixture(scope="package")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a note verbale."""
    file = tmp_path_factory.mktemp("papers") / "note-verbale.pdf"
    file.write_bytes(random.Random(PAPER_BYTES).randbytes(PAPER_BYTES))
    return file


@pytest.fixture(scope="package")
def job(browser: Browser, office: Office, paper: Path) -> Iterator[MainJob]:
    """The main job, whose steps are taken when a test first needs them; the console of each page stays empty."""
    with pages(browser, PageLog()) as open_page:
        yield MainJob(office, open_page, paper)


@pytest.fixture(scope="package")
def provider_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of an OpenID provider; the first build takes a minute of processor time."""
    return openid.build(tmp_path_factory.mktemp("provider"))


@pytest.fixture
def start_provider(provider_program: Path, tmp_path: Path) -> Iterator[StartProvider]:
    """Start an OpenID provider for a client that is answered at the addresses given; it stops after the test."""
    with ExitStack() as providers:
        yield lambda *redirects, **options: providers.enter_context(
            openid.running(provider_program, tmp_path, redirects, **options)
        )
