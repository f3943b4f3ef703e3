"""People at the console of a stack, one browser context each: they sign in, fill in forms and send them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, StorageState, expect

from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack

RECORDED = "Recorded:"
NOT_SHOWN_YET = "Recorded, and not shown yet"
_AGAIN = re.compile("NotHeardYet|It is not known whether this was recorded")


@dataclass(frozen=True)
class Role:
    """A person as the development sign-in lets somebody choose one."""

    role: str
    member: str = ""
    expert: str = ""

    @property
    def name(self) -> str:
        return f"Synthetic {self.role.replace('_', ' ').title()} {self.member}".rstrip()


SECRETARIAT = Role("secretariat")
CHAIR = Role("chair")
FIJI = Role("focal_point", "FJI")
SAMOA = Role("focal_point", "WSM")
AUDITOR = Role("auditor")


@dataclass
class Visitor:
    """A person at a page of the console."""

    page: Page
    address: str

    def open(self, path: str) -> int:
        """Open an address of the console, and return its status."""
        answer = self.page.goto(self.address + path)
        assert answer is not None
        return answer.status

    def fill(self, typed: Mapping[str, str]) -> None:
        """Fill in the form on the page, by the names of its fields."""
        for name, text in typed.items():
            element = self.form.locator(f'[name="{name}"]').first
            element.wait_for(state="attached")
            if not element.is_visible():
                element.locator("xpath=ancestor::details/summary").click()
            if element.evaluate("element => element.tagName") == "SELECT":
                element.select_option(text)
            else:
                element.fill(text)

    def send(self) -> None:
        """Send the form on the page."""
        self.form.get_by_role("button").last.click()

    def record(self, path: str, typed: Mapping[str, str] | None = None) -> None:
        """Open a form, fill it in and send it until it is recorded: a service may hear of a fact, or answer, late."""
        self.open(path)
        self.fill(typed or {})
        self.send()
        for _ in range(20):
            if not self.page.get_by_text(_AGAIN).count():
                break
            self.page.wait_for_timeout(500)
            self.send()
        expect(self.main, f"{path} was not recorded").to_contain_text(re.compile(f"{RECORDED}|{NOT_SHOWN_YET}"))
        if RECORDED not in self.main.inner_text():
            self._reload_until_it_changes()

    def _reload_until_it_changes(self) -> None:
        """Reload a page that shows an earlier state until it shows another."""
        content = self.main.locator(":scope > :not(.govuk-notification-banner)")
        earlier = content.all_inner_texts()
        for _ in range(int(AT_MOST_SECONDS)):
            self.page.wait_for_timeout(500)
            self.page.reload()
            if content.all_inner_texts() != earlier:
                return
        raise AssertionError(f"{self.page.url} still shows an earlier state")

    def read_until(self, path: str, text: str) -> None:
        """Open a page again and again until it shows a text that another service has yet to hear."""
        for _ in range(int(AT_MOST_SECONDS)):
            self.open(path)
            if (
                self.main.get_by_text(text).filter(visible=True).count()
            ):  # an option of a filter is not what is waited for
                return
            self.page.wait_for_timeout(500)
        expect(self.main).to_contain_text(text, timeout=1)

    @property
    def main(self) -> Locator:
        """The content of the page, without its frame."""
        return self.page.locator("#main-content")

    @property
    def form(self) -> Locator:
        """The form of a command."""
        return self.main.locator("form[method=post]")

    def offers(self) -> list[str]:
        """Return the addresses of all forms that the page leads to."""
        links = self.main.locator("a[href*='/do/'], a[href*='/new/']")
        return [link.get_attribute("href") or "" for link in links.all()]


@dataclass
class Office:
    """The console, and the sessions of those who signed in to it."""

    stack: Stack
    address: str
    sessions: dict[Role, StorageState] = field(default_factory=dict)

    def visitor(self, new_page: Callable[..., Page], role: Role, **options: Any) -> Visitor:
        """Return a person in a browser context of their own; the first of each signs in."""
        if role not in self.sessions:
            page = new_page()
            sign_in(page, self.address, role)
            self.sessions[role] = page.context.storage_state()
        return Visitor(new_page(storage_state=self.sessions[role], **options), self.address)


def sign_in(page: Page, address: str, role: Role) -> None:
    """Sign in by the development sign-in, as a person does."""
    page.goto(address)
    page.get_by_role("radio", name=role.role.replace("_", " ").capitalize(), exact=True).check()
    page.locator("#member").select_option(role.member)
    page.get_by_label("Person").fill(role.expert)
    page.get_by_label("Made-up name").fill(role.name)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".tl-header__person")).to_contain_text(role.name)
