"""docs/record-format.md names every section and field of the format, and no others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tools.record.format import Recommendation, Record
from tools.record.sections import Row

DOCUMENT = (Path(__file__).parents[2] / "docs/record-format.md").read_text(encoding="utf-8")
NAMES = set(re.findall(r"`([a-z_]+)`", DOCUMENT))


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in models_in(part)]


def all_models(model: type[BaseModel]) -> set[type[BaseModel]]:
    inner = [each for field in model.model_fields.values() for each in models_in(field.annotation)]
    return {model}.union(*(all_models(each) for each in inner))


@pytest.mark.parametrize("model", sorted(all_models(Record), key=lambda model: model.__name__))
def test_every_field_is_documented(model: type[BaseModel]):
    fields = {field.alias or name for name, field in model.model_fields.items()}
    assert fields - NAMES == set()


@pytest.mark.parametrize("model", [Record, Recommendation])
def test_every_documented_field_is_in_the_format(model: type[BaseModel]):
    start = "| section |" if model is Record else "| field |"
    table = DOCUMENT[DOCUMENT.index(start) :].split("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    documented = {name for cell in first_cells for name in re.findall(r"`([a-z_]+)`", cell)}
    assert documented == model.model_fields.keys() - Row.model_fields.keys()
