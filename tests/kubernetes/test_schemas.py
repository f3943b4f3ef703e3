"""deploy/kubernetes: every object is one that Kubernetes knows, without a field that it does not."""

from __future__ import annotations

import json
from functools import cache

import kubernetes_validate
import pytest
from kubernetes_validate import utils

from tests.kubernetes.programs import KUBERNETES
from tests.kubernetes.rendering import VARIANTS, Object, rendered

pytestmark = pytest.mark.xdist_group("kubernetes")
SCHEMA = cache(utils.schema_contents)
OPERATORS = ("kafka.strimzi.io", "mongodbcommunity.mongodb.com", "keda.sh", "cert-manager.io", "monitoring.coreos.com")


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Schemas are read once, not once for each object."""
    monkeypatch.setattr(utils, "schema_contents", SCHEMA)


def check(an_object: Object) -> None:
    kubernetes_validate.validate(an_object, KUBERNETES, strict=True)


def test_every_object_is_as_kubernetes_has_it() -> None:
    texts = {json.dumps(each, sort_keys=True) for variant in VARIANTS for each in rendered(variant).objects}
    objects = [json.loads(text) for text in sorted(texts)]
    for each in objects:
        if not each["apiVersion"].startswith(OPERATORS):
            check(each)


@pytest.mark.parametrize("field", [{"minReadySecond": 5}, {"replicas": "two"}])
def test_a_field_that_is_misspelt_or_of_another_kind_would_be_found(field: Object) -> None:
    service = json.loads(json.dumps(rendered("local").workload("meetings").object))
    check(service)
    service["spec"] |= field
    with pytest.raises(kubernetes_validate.ValidationError):
        check(service)
