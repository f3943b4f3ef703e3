"""The page of the development sign-in, where a person chooses who to be; without script, by keyboard too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from shared.domain.members import MEMBERS
from shared.events.words import CallerRole, words

ROLES = words(CallerRole)
TITLE = "Development sign-in"


def page(body: str, title: str = TITLE) -> str:
    """Return a whole page; its body is markup."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)} – Throughline</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="/page.css"></head><body><main>{body}</main></body></html>'
    )


def form(hidden: Mapping[str, str], typed: Mapping[str, str], faults: Mapping[str, str]) -> str:
    """Return the page with the form: what was typed, and a sentence for each field that has a fault."""
    body = "".join(
        [
            *_summary(faults),
            f"<h1>{TITLE}</h1>",
            "<p>This is a local stack for development, without passwords or real people: choose who to be.</p>",
            '<form method="post" action="/authorize" novalidate>',
            *(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in hidden.items()),
            *_roles(typed.get("role", "secretariat"), faults),
            *_members(typed.get("member", ""), faults),
            *_text(
                "expert", "Person", "For an expert of the group: the id of the person, if you have one", typed, faults
            ),
            *_text("name", "Made-up name", "Never the name of a real person", typed, faults),
            '<button type="submit">Sign in</button></form>',
        ]
    )
    return page(body, f"Error: {TITLE}" if faults else TITLE)


def notice(title: str, sentence: str) -> str:
    """Return a page with one sentence."""
    return page(f"<h1>{escape(title)}</h1><p>{escape(sentence)}</p>", f"{title} – {TITLE}")


def _summary(faults: Mapping[str, str]) -> Iterator[str]:
    if faults:
        yield '<div class="faults" role="alert" tabindex="-1" autofocus><h2>There is a problem</h2><ul>'
        yield from (f'<li><a href="#{escape(name)}">{escape(says)}</a></li>' for name, says in faults.items())
        yield "</ul></div>"


def _roles(chosen: str, faults: Mapping[str, str]) -> Iterator[str]:
    yield f"<fieldset{_described('role', faults)}><legend>Role</legend>{_fault('role', faults)}"
    for number, role in enumerate(ROLES):
        name, checked = "role" if number == 0 else f"role-{role}", " checked" if role == chosen else ""
        yield f'<div class="choice"><input type="radio" id="{name}" name="role" value="{role}"{checked}>'
        yield f'<label for="{name}">{escape(role.replace("_", " ").capitalize())}</label></div>'
    yield "</fieldset>"


def _members(chosen: str, faults: Mapping[str, str]) -> Iterator[str]:
    yield '<label for="member">Member</label><p class="hint" id="member-hint">For a focal point</p>'
    yield f'{_fault("member", faults)}<select id="member" name="member"{_described("member", faults)}>'
    yield '<option value="">None</option>'
    for code, member in sorted(MEMBERS.items(), key=lambda each: each[1].name):
        selected = " selected" if code == chosen else ""
        yield f'<option value="{code}"{selected}>{escape(member.name)} ({code})</option>'
    yield "</select>"


def _text(name: str, label: str, hint: str, typed: Mapping[str, str], faults: Mapping[str, str]) -> Iterator[str]:
    value = escape(typed.get(name, ""))
    yield f'<label for="{name}">{label}</label><p class="hint" id="{name}-hint">{hint}</p>{_fault(name, faults)}'
    yield f'<input type="text" id="{name}" name="{name}" value="{value}" autocomplete="off" spellcheck="false"'
    yield f"{_described(name, faults)}>"


def _described(name: str, faults: Mapping[str, str]) -> str:
    """Tie a field to its hint and fault."""
    hint = "" if name == "role" else f"{name}-hint"
    described = " ".join(filter(None, (hint, f"{name}-fault" if name in faults else "")))
    return (f' aria-describedby="{described}"' if described else "") + (
        ' aria-invalid="true"' if name in faults else ""
    )


def _fault(name: str, faults: Mapping[str, str]) -> str:
    return f'<p class="fault" id="{name}-fault">Error: {escape(faults[name])}</p>' if name in faults else ""
