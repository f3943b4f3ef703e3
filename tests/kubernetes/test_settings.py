"""deploy/kubernetes: each variable is a setting of the program that reads it, each probe and published path a route."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from services.notifications.sending.settings import NotificationSettings
from shared.runtime.settings import KafkaSettings, Settings
from tests.cli.terminal import throughline
from tests.http.test_open_routes import application
from tests.kubernetes.rendering import OPTIONS, Rendered, Workload, rendered, secret_files
from tools.console.settings import ConsoleSettings
from tools.files import CHECKOUT
from tools.local.stack import ALL_FOUR

pytestmark = pytest.mark.xdist_group("kubernetes")
JOBS = ("topics", "kafka-users", "indexes")
READ_BY: dict[str, type[BaseSettings]] = {
    **dict.fromkeys(ALL_FOUR, Settings),
    "notifications": NotificationSettings,
    "console": ConsoleSettings,
    **dict.fromkeys(JOBS, KafkaSettings),
}
OF_EVERY_PROCESS = {"THROUGHLINE_SECRETS_DIR"}
SECRETS = {
    "throughline_mongodb_password": "Synthetic password",
    "throughline_kafka_password": "Synthetic password",
    "throughline_smtp_password": "Synthetic password",
    "throughline_actor_key": "Synthetic key of thirty-two characters",
    "throughline_checkpoint_keys": "Synthetic log key",
    "throughline_console_keys": "c3ludGhldGljLWtleS0zMi1ieXRlcy1sb25nLXllcyE=",
}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
UNPUBLISHED = {"metrics", "readyz", "servez", "livez"}


def names(kind: type[BaseSettings]) -> set[str]:
    """Return the variables that settings are read from."""
    prefix = str(kind.model_config.get("env_prefix", ""))
    fields = kind.model_fields.items()
    return {str(field.validation_alias or prefix + name.upper()) for name, field in fields}


def known(workload: Workload) -> set[str]:
    of_options = of_commands() if workload.name in JOBS else set()
    return names(READ_BY[workload.name]) | of_options | OF_EVERY_PROCESS


def of_commands() -> set[str]:
    """Return the variables that options of commands read."""
    sources = [file.read_text() for file in (CHECKOUT / "tools/cli").rglob("*.py")]
    options = {name for source in sources for name in re.findall(r'"(THROUGHLINE_[A-Z_]+)"', source)}
    return options | {f"{name}_PASSWORD_FILE" for name in options if name.endswith("_MONGODB")}


def test_every_variable_of_throughline_is_a_setting_of_its_program(objects: Rendered) -> None:
    for name in READ_BY:
        if name in ("topics", "kafka-users") and "KafkaTopic" in {each["kind"] for each in objects.objects}:
            continue
        workload = objects.workload(name)
        variables = objects.environment(workload, workload.pod["containers"][0])
        assert {each for each in variables if each.startswith("THROUGHLINE")} <= known(workload), name


def test_every_secret_file_is_named_after_a_setting_of_its_program() -> None:
    secrets = rendered("local").named("Secret")
    for name in (*ALL_FOUR, "console"):
        keys = set(secrets[f"{name}-secrets"]["data"])
        assert {key.upper() for key in keys} <= known(rendered("local").workload(name))


def test_the_secrets_of_the_local_overlay_are_those_that_init_makes(tmp_path: Path) -> None:
    assert throughline(None, "deploy", "init", str(tmp_path / "secrets"), "--no-owners").exit_code == 0
    paths = set(secret_files(CHECKOUT / "deploy/kubernetes/overlays/local"))
    assert [path for path in sorted(paths) if not (tmp_path / path).is_file()] == []


@pytest.mark.parametrize("variant", ["local", "production"])
def test_each_program_takes_the_values_of_its_variables(
    variant: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in SECRETS.items():
        (tmp_path / name).write_text(value)
    for name in (*ALL_FOUR, "console"):
        workload = rendered(variant).workload(name)
        variables = rendered(variant).environment(workload, workload.pod["containers"][0])
        with monkeypatch.context() as environment:
            for variable in (each for each in os.environ if each.startswith("THROUGHLINE_")):
                environment.delenv(variable)
            for variable, value in variables.items():
                if not variable.endswith(("_FILE", "_DIR")):  # which are files of the pod
                    environment.setenv(variable, value)
                elif variable == "THROUGHLINE_TRUSTED_KEYS_FILE":
                    environment.setenv(variable, str(tmp_path / "throughline_checkpoint_keys"))
            settings: Any = READ_BY[name](_secrets_dir=tmp_path)
        assert settings.port == workload.ports["http"]


def test_services_and_jobs_name_the_same_kafka(objects: Rendered) -> None:
    by_name = {name: each["data"] for name, each in objects.named("ConfigMap").items()}
    (settings,) = [data for name, data in by_name.items() if re.fullmatch("settings-[a-z0-9]+", name)]
    for variable in ("THROUGHLINE_KAFKA", "THROUGHLINE_KAFKA_PROTOCOL", "THROUGHLINE_KAFKA_CA_FILE"):
        assert settings.get(variable) == by_name["job-settings"].get(variable)


async def test_every_probe_of_a_service_is_a_route_of_it() -> None:
    routes = {route.path for route in application("meetings").routes}  # type: ignore[attr-defined]
    for service in ALL_FOUR:
        container = rendered("production").workload(service).pod["containers"][0]
        assert [container[probe]["httpGet"]["path"] for probe in PROBES] == ["/healthz", "/servez", "/livez"]
        assert {container[probe]["httpGet"]["path"] for probe in PROBES} <= routes
        assert {container[probe]["httpGet"]["port"] for probe in PROBES} == {"http"}


def test_every_probe_of_the_console_is_a_route_of_it() -> None:
    container = rendered("production").workload("console").pod["containers"][0]
    assert [container[probe]["httpGet"]["path"] for probe in PROBES] == ["/healthz", "/servez", "/livez"]
    source = (CHECKOUT / "tools/console/app.py").read_text()
    routes = {path for path in ("/healthz", "/servez", "/livez") if f'"{path}"' in source}
    assert {container[probe]["httpGet"]["path"] for probe in PROBES} <= routes


@pytest.mark.parametrize("service", ALL_FOUR)
def test_what_is_published_of_a_service_is_its_api_and_no_probe(service: str) -> None:
    table = json.loads((CHECKOUT / "tools/client/api.json").read_text())
    operations = [each for kind in ("commands", "operations", "queries") for each in table[kind]]
    expected = {each["path"].split("/")[1] for each in operations if each["service"] == service}
    (rule,) = rendered("production").named("Ingress")[service]["spec"]["rules"]
    published = {path["path"].removeprefix("/") for path in rule["http"]["paths"]}
    assert published == expected | {"docs", "healthz", "openapi.json"}, "overlays/production/ingress.yaml"
    assert not published & UNPUBLISHED


def test_keda_scales_to_the_partitions_that_a_group_reads_at_most() -> None:
    topics = {each["metadata"]["name"]: each["spec"] for each in rendered("all options").of("KafkaTopic")}
    users = {each["metadata"]["name"]: each["spec"] for each in rendered("all options").of("KafkaUser")}
    for each in rendered("all options").of("ScaledObject"):
        name, (trigger,) = each["metadata"]["name"], each["spec"]["triggers"]
        acls = users[name]["authorization"]["acls"]
        read = {acl["resource"]["name"] for acl in acls if "Read" in acl["operations"]} & topics.keys()
        consumed = read - {f"throughline.{name}", "throughline.checkpoints"} or {f"throughline.{name}"}
        assert each["spec"]["maxReplicaCount"] <= sum(topics[topic]["partitions"] for topic in consumed)
        assert trigger["metadata"]["excludePersistentLag"] == "true"
        groups = {acl["resource"]["name"] for acl in acls if acl["resource"]["type"] == "group"}
        assert groups == {trigger["metadata"]["consumerGroup"]}
        assert "replicas" not in rendered("all options").workload(name).object["spec"], "an apply would put it back"


def test_each_option_is_rendered_by_these_tests() -> None:
    assert set(OPTIONS) == {each.name for each in (CHECKOUT / "deploy/kubernetes/options").iterdir()}
