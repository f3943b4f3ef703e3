"""The pictures of docs/secretariat.md, docs/governments.md and docs/auditors.md: python -m tests.browser.pictures.

It starts a stack of its own and takes the main job, so that a picture shows what the pages are today; all persons and
records in it are made up.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, pages
from tests.browser.main_job import MainJob
from tests.browser.office import AUDITOR, CHAIR, FIJI, SECRETARIAT, Office, Visitor
from tests.browser.page_log import PageLog
from tools.client import local_console
from tools.files import CHECKOUT
from tools.local import browser as local
from tools.local.stack import temporary

FOLDER = CHECKOUT / "docs/images"
DESK = {"width": 1280, "height": 900}
TALLEST = 1500
PEOPLE = (FIJI, SECRETARIAT, CHAIR)


def take(job: MainJob) -> None:
    """Take each picture at its step of the job."""
    focal_point, officer, chair = (job.visitor(role) for role in PEOPLE)
    assert job.call
    focal_point.open("/nominations/new/submit")
    focal_point.fill({"details.name": "Synthetic Expert of Testing", "details.contact": "synthetic.expert@example.org"})
    _picture(focal_point, "nominate")
    focal_point.send()
    _picture(focal_point, "refused")
    for name, path in {"nomination": f"/nominations/{job.nomination}", "today": "/"}.items():
        officer.open(path)
        _picture(officer, name)
    focal_point.open(f"/nominations/{job.nomination}")
    _picture(focal_point, "own-nomination")
    officer.open(f"/meetings/{job.held}")
    _picture(officer, "meeting")
    officer.open(f"/recommendations/{job.draft}")
    _picture(officer, "recommendation")
    chair.open(job.do("adopt"))
    chair.fill({"meeting": job.held})
    chair.send()
    _picture(chair, "chair-refused")
    pages = {
        "trace": f"/traces/{job.followed_up}",
        "group": "/group?on=2026-06-01",
        "instrument": f"/instruments/{job.instrument}",
        "coverage": "/coverage",
        "search": "/search?q=synthetic",
    }
    for name, path in pages.items():
        officer.open(path)
        _picture(officer, name)
    auditor = job.visitor(AUDITOR)
    auditor.open("/audit")
    _picture(auditor, "audit")


def _picture(visitor: Visitor, name: str) -> None:
    visitor.page.evaluate("document.fonts.ready")
    _save(visitor.page, name)


def _save(page: Page, name: str) -> None:
    """Save a picture of a page, or of its upper part where it is tall."""
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
    page.screenshot(
        path=FOLDER / f"{name}.png", full_page=True, clip={"x": 0, "y": 0, "width": DESK["width"], "height": height}
    )


def main() -> None:
    """Start a stack with its console, and take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    chromium = local.chromium()
    with tempfile.TemporaryDirectory() as folder, temporary() as stack, sync_playwright() as playwright:
        stack.start_console()
        browser = playwright.chromium.launch(
            executable_path=chromium.program, args=ARGUMENTS, env=os.environ | chromium.environment
        )
        paper = Path(folder) / "note-verbale.txt"
        paper.write_text("Synthetic note verbale", encoding="utf-8")
        office = Office(stack, local_console.address(stack.home))
        with pages(browser, PageLog()) as new_page:
            page = new_page(viewport=DESK)
            page.goto(office.address)
            _save(page, "sign-in")
            take(
                MainJob(
                    office, lambda **more: new_page(viewport=DESK, **more), paper, key="2026", number=9, session="9"
                )
            )
        browser.close()


if __name__ == "__main__":
    main()
