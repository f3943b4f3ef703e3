"""The generated files: their content, and the differences from the files in a checkout."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import yaml

from tools.contracts.api import as_lines, table
from tools.contracts.asyncapi import documents
from tools.contracts.commands_page import page_of
from tools.contracts.schemas import schemas
from tools.contracts.settings_page import page as settings_page
from tools.contracts.visibility import page

CHECKOUT = Path(__file__).parents[2]
SCHEMAS = Path("shared/events/schemas")
DOCUMENTS = Path("docs/asyncapi")
API = Path("tools/client/api.json")
VISIBILITY = Path("docs/visibility.md")
SETTINGS = Path("docs/settings.md")
COMMANDS_PAGE = Path("docs/commands.md")
TOPICS = CHECKOUT / "deploy/topics.yaml"


@cache
def generated() -> dict[Path, bytes]:
    """Return the bytes of every generated file, by its path in the checkout; they are made once in a process."""
    topics = yaml.safe_load(TOPICS.read_text(encoding="utf-8"))
    api, prose = table(), (CHECKOUT / COMMANDS_PAGE).read_text(encoding="utf-8")
    return {
        **{SCHEMAS / f"{name}.json": _json(schema) for name, schema in schemas().items()},
        **{DOCUMENTS / f"{name}.yaml": _yaml(document) for name, document in documents(topics).items()},
        VISIBILITY: page(),
        SETTINGS: settings_page(),
        API: as_lines(api),
        COMMANDS_PAGE: page_of(prose, api),
    }


def write(root: Path = CHECKOUT) -> int:
    """Write the files, remove those that are no longer generated, and return the number of changes."""
    expected, changed = generated(), [path for path, _ in drift(root)]
    for path in changed:
        if path in expected:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(expected[path])
        else:
            (root / path).unlink()
    return len(changed)


def drift(root: Path = CHECKOUT) -> Iterator[tuple[Path, str]]:
    """Yield the path of each file that differs from the generated one, and the difference."""
    expected = generated()
    existing = {path.relative_to(root) for folder in (SCHEMAS, DOCUMENTS) for path in (root / folder).glob("*")}
    existing |= {path for path in (API, COMMANDS_PAGE, SETTINGS, VISIBILITY) if (root / path).exists()}
    for path in sorted(expected.keys() | existing):
        if path not in existing:
            yield path, "is missing"
        elif path not in expected:
            yield path, "is not generated"
        elif (root / path).read_bytes() != expected[path]:
            yield path, "differs from the generated file"


def _json(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(value: dict[str, Any]) -> bytes:
    text: str = yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()
