"""The compose files, merged as Docker Compose merges them: what other platforms' users complain of must not be in them.

The numbers are those of docs/compose.md, which names the complaints.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.notifications.sending.settings import NotificationSettings
from shared.events.services import SERVICES
from shared.runtime.configuration import CannotStart, Configuration, read
from shared.runtime.process import LOOPS_GRACE_SECONDS, REQUESTS_GRACE_SECONDS
from shared.runtime.settings import Settings
from tests.cli.terminal import throughline
from tests.deploy import tools
from tools.cli.named_mongodb import ADMIN_MONGODB
from tools.console.languages import LANGUAGES
from tools.console.settings import ConsoleSettings
from tools.deployment import kafka_users, secret_files
from tools.deployment.secret_folder import SecretFolder
from tools.files import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
VARIANTS = {"plain": ("compose.yaml",), "tls": ("compose.yaml", "compose.tls.yaml")}
MAKERS = ("apache/kafka", "mongo", "prom/prometheus", "grafana/grafana", "otel/opentelemetry-collector-contrib")
OWN = ("throughline",)
JOBS = {"mongo-init", "indexes", "users", "topics", "init", "cli", "doctor", "admin", "development"}
AS_ROOT = {"init", "admin"}
WITHOUT_CHECK = {"mongo": "mongo-init waits until it is primary", "otel-collector": "its image has nothing but itself"}
BROKERS = ("kafka", "kafka-2", "kafka-3")
INSTANCES = tuple(f"{service}{number}" for service in SERVICES for number in ("", "-2"))
NOT_READ_ONLY = dict.fromkeys(BROKERS, "their image writes its configuration at the start")
OF_A_SERVICE = re.compile(
    r"docker compose (?:-f \S+ )*((?:run|exec|logs)(?: --(?:rm|all|no-log-prefix)| --tail \d+| -T)*) ([\w-]+)"
)
Service = dict[str, Any]


@cache
def merged(variant: str, given: frozenset[tuple[str, str]] = frozenset()) -> dict[str, Any]:
    command = [tools.compose(), *(word for file in VARIANTS[variant] for word in ("--file", str(DEPLOY / file)))]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("THROUGHLINE_", "COMPOSE_"))}
    ran = subprocess.run(
        [*command, "--profile", "*", "config", "--format", "json"],
        env=own | dict(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "level=warning" not in ran.stderr, ran.stderr
    content: dict[str, Any] = json.loads(ran.stdout)
    return content


@pytest.fixture(params=VARIANTS)
def services(request: pytest.FixtureRequest) -> dict[str, Service]:
    actual: dict[str, Service] = merged(request.param)["services"]
    return actual


def environment(service: Service) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def heap(text: str) -> int:
    amount, unit = re.findall(r"-Xmx(\d+)([mg])", text)[0]
    return int(amount) * {"m": 2**20, "g": 2**30}[unit]


def seconds(text: str) -> int:
    minutes, rest = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", text).groups()  # type: ignore[union-attr]
    return int(minutes or 0) * 60 + int(rest or 0)


def test_everything_of_the_platform_is_there(services: dict[str, Service]) -> None:
    assert services.keys() >= {"kafka", "mongo", "console", "mail", "sign-in", *SERVICES, *JOBS}


def test_1_the_heap_of_kafka_is_at_most_half_its_limit(services: dict[str, Service]) -> None:
    brokers = [service for service in services.values() if "KAFKA_HEAP_OPTS" in environment(service)]
    assert brokers
    for broker in brokers:
        assert 2 * heap(environment(broker)["KAFKA_HEAP_OPTS"]) <= int(broker["mem_limit"])


def test_2_a_health_check_only_looks(services: dict[str, Service]) -> None:
    looking = (
        ["CMD", "bash", "-c", "</dev/tcp/"],
        ["CMD", "python3", "-m", "shared.runtime.health_check"],
        ["CMD", "wget", "-q", "-O"],
    )
    for name, service in services.items():
        test = service.get("healthcheck", {}).get("test")
        if test:
            assert any(test[:3] == start[:3] and test[3].startswith(start[3]) for start in looking), (
                f"{name} checks by {test}"
            )


def test_2_whatever_goes_on_is_checked_and_no_job_inherits_a_check(services: dict[str, Service]) -> None:
    for name, service in services.items():
        if name in JOBS:
            assert service["healthcheck"] == {"disable": True}, name
            assert service["restart"] == "no", name
        else:
            assert service["restart"] == "unless-stopped", name
            assert name in WITHOUT_CHECK or name in INSTANCES or service["healthcheck"]["test"], name


def test_3_the_replica_set_is_known_by_the_name_of_its_service(services: dict[str, Service]) -> None:
    command = services["mongo-init"]["command"]
    words = " ".join(command)
    assert re.search(r"--member[ =]mongo:27017\b", words)
    assert services["mongo"]["hostname"] == "mongo"


def test_5_no_secret_has_an_owner_or_a_mode_in_a_compose_file(services: dict[str, Service]) -> None:
    for name, service in services.items():
        for secret in service.get("secrets", ()):
            assert secret.keys() <= {"source", "target"}, name


def test_5_each_process_can_read_its_secrets_and_gets_no_others(services: dict[str, Service]) -> None:
    for service in SERVICES:
        sources = {secret["source"] for secret in services[service]["secrets"]}
        own = {f"log_keys_{service}", f"kafka_{service}", f"mongodb_{service}"}
        assert sources - {"ca.crt"} == own | {"actor_key", "jwks.json", "public.vkeys"}
    users = {"kafka": secret_files.KAFKA, "mongo": secret_files.MONGODB}
    for name, user in users.items():
        assert services[name]["user"] == f"{user}:{user}"


def test_6_and_5_no_password_is_in_the_environment(services: dict[str, Service]) -> None:
    for name, service in services.items():
        for variable, value in environment(service).items():
            assert not ("PASSWORD" in variable and not variable.endswith("_FILE")), f"{name}: {variable}"
            assert re.search(r"://[^/@\s]*:[^/@\s]*@", value) is None, f"{name}: {variable}"


def test_7_the_cluster_has_one_id_in_one_place() -> None:
    texts = [path.read_text() for path in DEPLOY.glob("*.yaml")]
    assert sum(len(re.findall(r"^\s*CLUSTER_ID:", text, re.M)) for text in texts) == 1


def test_8_only_the_console_and_the_sign_in_are_published_and_on_loopback_alone(services: dict[str, Service]) -> None:
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert published.keys() - {"prometheus", "grafana"} == {"console", "sign-in"}
    for name, listed in published.items():
        assert {port["host_ip"] for port in listed} == {"127.0.0.1"}, name


def test_10_the_grace_is_longer_than_what_a_service_needs_to_end(services: dict[str, Service]) -> None:
    for name in INSTANCES:
        assert seconds(services[name]["stop_grace_period"]) >= REQUESTS_GRACE_SECONDS + LOOPS_GRACE_SECONDS + 10
    for name in (*BROKERS, "mongo"):
        assert seconds(services[name]["stop_grace_period"]) >= 60


def test_14_the_second_of_each_is_like_the_first_but_for_its_name(services: dict[str, Service]) -> None:
    for service in SERVICES:
        first, second = services[service], services[f"{service}-2"]
        assert second["networks"] == {"data": {"aliases": [service]}, "front": {"aliases": [service]}}
        different = {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}
        assert different == {"profiles", "networks"}
    given = {name: environment(services[name]) for name in BROKERS}
    assert [given[name]["KAFKA_NODE_ID"] for name in BROKERS] == ["1", "2", "3"]
    assert {each["CLUSTER_ID"] for each in given.values()} == {given["kafka"]["CLUSTER_ID"]}
    for broker, server in secret_files.SERVERS.items():
        assert "kafka" not in broker or set(server[1]) == set(BROKERS)


@pytest.mark.parametrize(
    ("processes", "instances"), [("one", (*SERVICES, "console")), ("two", (*INSTANCES, "console"))]
)
def test_14_prometheus_knows_each_process_by_a_name_of_its_own(
    processes: str, instances: Sequence[str], services: dict[str, Service]
) -> None:
    (group,) = yaml.safe_load((DEPLOY / f"observability/prometheus/targets/{processes}.yml").read_text())
    fronts = {each: services[each]["networks"]["front"] or {} for each in instances}
    for target, instance in zip(group["targets"], instances, strict=True):
        name, _, port = target.partition(":")
        assert [each for each in instances if name in (each, *fronts[each].get("aliases", ()))] == [instance]
        assert port == environment(services[instance]).get("THROUGHLINE_CONSOLE_METRICS_PORT", "8000")


def test_14_no_port_of_metrics_is_published(services: dict[str, Service]) -> None:
    published = {str(port["target"]) for port in services["console"]["ports"]}
    assert published == {str(ConsoleSettings.model_fields["port"].default)}
    assert environment(services["console"])["THROUGHLINE_CONSOLE_METRICS_PORT"] not in published


def test_14_prometheus_is_given_the_processes_that_run() -> None:
    files = {volume["target"]: volume["source"] for volume in merged("plain")["services"]["prometheus"]["volumes"]}
    assert files["/etc/prometheus-targets.yml"] == str(DEPLOY / "observability/prometheus/targets/one.yml")
    assert "\nTHROUGHLINE_PROCESSES=two\n" in (DEPLOY / "scale.env").read_text()
    assert "${THROUGHLINE_PROCESSES:-one}.yml:" in (DEPLOY / "compose.yaml").read_text()


def test_14_no_service_that_is_scaled_has_a_fixed_name(services: dict[str, Service]) -> None:
    for name in INSTANCES:
        assert not services[name].keys() & {"container_name", "hostname"}
        assert "THROUGHLINE_INSTANCE" not in environment(services[name])


def test_15_every_image_is_from_its_maker_and_pinned_by_digest(services: dict[str, Service]) -> None:
    for name, service in services.items():
        repository, _, digest = service["image"].partition("@")
        assert repository.partition(":")[0] in (*MAKERS, *OWN), name
        if repository.partition(":")[0] in MAKERS:
            assert re.fullmatch("sha256:[0-9a-f]{64}", digest), name


def test_each_container_is_confined(services: dict[str, Service]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("read_only") or name in NOT_READ_ONLY, name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["logging"]["options"].keys() >= {"max-size", "max-file"}, name
        assert not service.get("privileged"), name
        assert name in AS_ROOT or not service.get("cap_add"), name
        assert name in AS_ROOT or service.get("user") != "0:0", name


def test_the_servers_of_data_are_reached_by_services_and_jobs_alone(services: dict[str, Service]) -> None:
    on_data = {name for name, service in services.items() if "data" in (service.get("networks") or {})}
    kept_out = {"console", "sign-in", "prometheus", "grafana", "otel-collector"}
    assert on_data & kept_out == set()
    assert on_data >= {"kafka", "mongo", *SERVICES}
    for name in (*BROKERS, "mongo", "mail"):
        assert set(services[name]["networks"]) == {"data"}
    assert merged("plain")["networks"]["data"]["internal"] is True


def test_every_user_of_kafka_gets_its_password_from_its_own_file(services: dict[str, Service]) -> None:
    targets = {secret["target"]: secret["source"] for secret in services["users"]["secrets"]}
    given = {target: source for target, source in targets.items() if target.startswith("/run/kafka/")}
    assert given == {f"/run/kafka/{user}": f"kafka_{user}" for user in kafka_users.users()}


def variables() -> Iterator[tuple[str, str]]:
    for variant in VARIANTS:
        for name, service in merged(variant)["services"].items():
            for variable in environment(service):
                if variable.startswith("THROUGHLINE_"):
                    yield name, variable


def test_each_setting_that_is_given_is_one() -> None:
    known = {f"THROUGHLINE_{field.upper()}" for field in NotificationSettings.model_fields}
    known |= {f"THROUGHLINE_CONSOLE_{field.upper()}" for field in ConsoleSettings.model_fields}
    known |= {f"THROUGHLINE_URL_{service.upper()}" for service in SERVICES}
    known |= {"THROUGHLINE_HOME", "THROUGHLINE_TOKEN", "THROUGHLINE_SECRETS_DIR"}
    known |= {"THROUGHLINE_MONGODB_PASSWORD_FILE", "THROUGHLINE_KAFKA_CA_FILE"}
    known |= {"THROUGHLINE_INDEXES_MONGODB", "THROUGHLINE_INDEXES_MONGODB_PASSWORD_FILE"}
    known |= {ADMIN_MONGODB, f"{ADMIN_MONGODB}_PASSWORD_FILE"}
    assert {variable for _, variable in variables()} - known == set()


def test_with_tls_nothing_is_left_in_clear_text() -> None:
    services = merged("tls")["services"]
    for name, service in services.items():
        given = environment(service)
        for variable, value in given.items():
            if "mongodb://" in value:
                assert "tls=true&tlsCAFile=" in value, f"{name}: {variable}"
        if "THROUGHLINE_KAFKA" in given:
            assert given["THROUGHLINE_KAFKA_CA_FILE"] == "/run/secrets/ca.crt", name
            assert "ca.crt" in {secret["source"] for secret in service["secrets"]}, name
        if "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP" in given:
            assert "PLAINTEXT" not in given["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"], name
    assert "--tlsMode=requireTLS" in services["mongo"]["command"]
    plain = merged("plain")["services"]["mongo"]["command"]
    assert services["mongo"]["command"][: len(plain)] == plain


@pytest.mark.parametrize(
    "given",
    [{}, {"THROUGHLINE_CONSOLE_PORT": "9999"}, {"THROUGHLINE_CONSOLE_ADDRESS": "https://throughline.example.org"}],
)
def test_init_prints_the_address_of_the_console(given: dict[str, str], tmp_path: Path) -> None:
    services = merged("plain", frozenset(given.items()))["services"]
    address = environment(services["console"])["THROUGHLINE_CONSOLE_ADDRESS"]
    command = [tmp_path if word == "/secrets" else word for word in services["init"]["command"][1:]]
    done = throughline(None, *map(str, command), "--no-owners")
    *_, printed, last = done.output.splitlines()
    assert printed == f"Once docker compose up --wait has ended, open {address}"
    assert " made" in last


IN_PRODUCTION = dict(
    line.split("=", 1)
    for line in (CHECKOUT / "docs/compose.md").read_text().split("## In production")[1].split("```")[1].split()
)
"""The settings that the page gives."""


@pytest.fixture
def in_production(tmp_path: Path) -> dict[str, dict[str, str]]:
    """Return the environment of each process with TLS in production, its secrets made by `throughline deploy init`."""
    secrets = tmp_path / "secrets"
    about = secret_files.Deployment(IN_PRODUCTION["THROUGHLINE_DEPLOYMENT"], (), "http://127.0.0.1:8080")
    secret_files.ensure(SecretFolder(secrets, owners=False), about)
    content = merged("tls", frozenset({**IN_PRODUCTION, "THROUGHLINE_SECRETS": str(secrets)}.items()))
    environments = {}
    for name in (*SERVICES, "console"):
        (run := tmp_path / name).mkdir()
        for secret in content["services"][name]["secrets"]:
            shutil.copy(content["secrets"][secret["source"]]["file"], run / secret["target"].rpartition("/")[2])
        given = content["services"][name]["environment"].items()
        environments[name] = {
            key: str(value).replace("/run/secrets", str(run)) for key, value in given if value is not None
        }
    return environments


@pytest.mark.parametrize("name", [*SERVICES, "console"])
def test_with_tls_and_a_provider_and_a_mail_server_each_process_starts_in_production(
    name: str, in_production: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in in_production[name].items():
        monkeypatch.setenv(variable, value)
    kinds: dict[str, type[Configuration]] = {"console": ConsoleSettings, "notifications": NotificationSettings}
    assert read(kinds.get(name, Settings)).mode == "production"
    monkeypatch.setenv("THROUGHLINE_CONSOLE_ISSUER" if name == "console" else "THROUGHLINE_JWKS", "http://127.0.0.1")
    with pytest.raises(CannotStart, match="in production it"):
        read(kinds.get(name, Settings))


def test_no_name_of_a_listener_makes_the_official_image_ask_for_a_key_store_of_java(
    services: dict[str, Service],
) -> None:
    for name in BROKERS:
        listeners = environment(services[name])["KAFKA_ADVERTISED_LISTENERS"]
        assert listeners == f"CLIENTS://{name}:9092"


def test_each_command_of_compose_in_docs_names_a_service_that_there_is() -> None:
    known = merged("plain")["services"].keys() | {"SERVICE"}
    named = set()
    for page in [CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md")]:
        for options, service in OF_A_SERVICE.findall(page.read_text()):
            assert service in known, f"{page.name}: {service}"
            named.add((options.split()[0], service))
    assert {("exec", "meetings"), ("run", "admin"), ("run", "doctor"), ("logs", "mongo")} <= named


def test_a_tool_that_is_missing_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: "/nonexistent")
    with pytest.raises(tools.Missing, match=r"make \.venv/ready"):
        tools.compose()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_merged_files_pass_their_linter_but_for_the_exceptions_on_record(variant: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(json.dumps(merged(variant)))
    command = [tools.of_environment("compose-lint"), "check", "--config", str(DEPLOY / "compose-lint.yaml")]
    command += ["--strict-config", "--fail-on", "low", "--skip-suppressed", str(tmp_path / "compose.yaml")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_image_keeps_the_dates_and_numbers_of_each_language() -> None:
    stored = re.findall(r"! -name '(\w+)\*?\.dat'", (DEPLOY / "Dockerfile").read_text())
    assert set(stored) == {"root", *LANGUAGES}


def test_the_dockerfile_passes_its_linter() -> None:
    ran = subprocess.run(
        [tools.of_environment("hadolint"), str(DEPLOY / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")
