"""The platform on a Kafka and a MongoDB that speak TLS only, and a service in production on them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx2
import pytest

from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import Signer
from tests.certificates import Authority
from tests.cli.terminal import PUBLIC_RECORD, output_of, throughline
from tests.local.secure import SecureKafka, SecureMongoDB, ports, running
from tests.patience import AT_MOST_SECONDS, until
from tools.client import indexes
from tools.client.stack_home import user_uri
from tools.deployment import grants
from tools.local.ports import choose
from tools.local.stack import Stack

pytestmark = [pytest.mark.servers, pytest.mark.drill, pytest.mark.xdist_group("TLS")]

SERVICE = "nominations"
PASSWORD = "Synthetic password of nominations"


@dataclass(frozen=True)
class Servers:
    """The two servers, with users, rights, topics and indexes for one service."""

    kafka: SecureKafka
    mongodb: SecureMongoDB
    authority: Authority
    stranger: Authority

    def administrator(self) -> dict[str, str]:
        """Return the variables that name both servers to a local stack."""
        kafka = {f"THROUGHLINE_{name.upper()}": value for name, value in self.kafka.administrator.settings().items()}
        return kafka | {"THROUGHLINE_MONGODB": self.mongodb.admin_uri}


@contextmanager
def servers_with_tls(folder: Path) -> Iterator[Servers]:
    authority = Authority(folder / "certificates")
    stranger = Authority(folder / "stranger", "another CA")
    chosen = ports()
    kafka = SecureKafka(folder / "kafka", authority, chosen)
    mongodb = SecureMongoDB(folder / "mongodb", authority, chosen["mongodb"])
    with running(kafka, folder), running(mongodb, folder):
        yield Servers(kafka, mongodb, authority, stranger)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers_with_tls(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture
def of_the_platform(tmp_path: Path) -> Iterator[Servers]:
    """Servers of its own: a service of another deployment refuses a ledger that this one fills."""
    with servers_with_tls(tmp_path) as servers:
        yield servers


def test_the_whole_platform_runs_on_servers_that_speak_tls_only(
    of_the_platform: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in of_the_platform.administrator().items():
        monkeypatch.setenv(name, value)
    with Stack(tmp_path / "home") as stack:
        assert stack.kafka.protocol == "SASL_SSL"
        assert "tls=true" in stack.mongodb_uri("meetings")
        imported = throughline(stack, "import", "record", str(PUBLIC_RECORD))
        assert imported.exit_code == 0, imported.output
        assert throughline(stack, "trace", "CED/2022/R1").exit_code == 0
        replayed = throughline(stack, "replay", "--from", "kafka", "--compare")
        assert replayed.exit_code == 0, replayed.output
        assert "identical" in output_of(replayed)


@pytest.fixture(scope="module")
def environment(secure: Servers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a service in production, with its secrets in a folder."""
    secure.kafka.make_users()
    grants.grant(secure.mongodb.admin_uri, {SERVICE: PASSWORD})
    assert indexes.ensure(secure.mongodb.admin_uri, {SERVICE: grants.database(SERVICE)}) == {}
    folder = tmp_path_factory.mktemp("secrets")
    keys = LogKeys(Signer.generate(origin_of("synthetic", SERVICE)))
    for name, secret in {
        "kafka_password": PASSWORD,
        "mongodb_password": PASSWORD,
        "actor_key": "Synthetic key of thirty-two characters",
        "checkpoint_keys": keys.text(),
        "trusted_keys": keys.verifiers[0].vkey,
    }.items():
        (folder / f"throughline_{name}").write_text(f"{secret}\n")
    uri = user_uri(secure.mongodb.admin_uri, SERVICE, "none").replace(":none@", "@")
    settings = {
        "MODE": "production", "SECRETS_DIR": str(folder), "PORT": str(choose(())), "DATABASE": grants.database(SERVICE),
        "KAFKA": secure.kafka.access().bootstrap, "KAFKA_USER": SERVICE, "KAFKA_CA_FILE": str(secure.authority.file),
        "MONGODB": uri, "DEPLOYMENT": "synthetic", "ISSUER": "https://127.0.0.1:1", "JWKS": "https://127.0.0.1:1/jwks",
    }  # fmt: skip
    return {f"THROUGHLINE_{name}": value for name, value in settings.items()}


@contextmanager
def service(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    with subprocess.Popen(
        [sys.executable, "-m", f"services.{SERVICE}.app"], env=inherited | environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()


def troubles(port: str) -> dict[str, Any] | None:
    """Return what keeps a service from being ready; None before it answers."""
    try:
        answer: dict[str, Any] = httpx2.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).json()["troubles"]
    except httpx2.TransportError:
        return None
    return answer


def test_a_service_in_production_works_by_tls_with_secrets_from_files(environment: dict[str, str]) -> None:
    with service(environment) as process:
        # the provider of this test is away, and nothing else is
        until(
            lambda: process.poll() is not None or (troubles(environment["THROUGHLINE_PORT"]) or {}).keys() == {"keys"}
        )
        assert process.poll() is None, process.communicate()[1]
        process.terminate()
        assert process.wait(AT_MOST_SECONDS) == 0


def quoted(authority: Authority) -> str:
    """Return the path of a CA as it stands in a URI."""
    return quote_plus(str(authority.file))


Changed = Callable[[Servers, dict[str, str]], dict[str, str | None]]
FAULTS: dict[str, tuple[Changed, str]] = {
    "Kafka's password": (
        lambda _, __: {"MODE": None, "KAFKA_PASSWORD": "wrong"},
        "THROUGHLINE_KAFKA_USER: Kafka at .* does not accept the user nominations",
    ),
    "Kafka's CA": (
        lambda secure, _: {"KAFKA_CA_FILE": str(secure.stranger.file)},
        "THROUGHLINE_KAFKA_CA_FILE: Kafka at .* is not trusted",
    ),
    "plaintext to Kafka": (
        lambda _, __: {"MODE": None, "KAFKA_CA_FILE": None},
        "THROUGHLINE_KAFKA_PROTOCOL: Kafka at .* speaks TLS, and SASL_PLAINTEXT does not",
    ),
    "MongoDB's password": (
        lambda _, __: {"MODE": None, "MONGODB_PASSWORD": "wrong"},
        "THROUGHLINE_MONGODB: MongoDB at .* does not accept the user",
    ),
    "MongoDB's CA": (
        lambda secure, given: {"MONGODB": given["MONGODB"].replace(quoted(secure.authority), quoted(secure.stranger))},
        "THROUGHLINE_MONGODB: MongoDB at .* is not trusted",
    ),
    "plaintext to MongoDB": (
        lambda _, given: {"MODE": None, "MONGODB": given["MONGODB"].partition("&tls=")[0]},
        "THROUGHLINE_MONGODB: MongoDB at .* speaks TLS, and this URI does not",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_service_that_is_not_admitted_names_the_reason_and_ends(
    fault: str, secure: Servers, environment: dict[str, str]
) -> None:
    given = {name.removeprefix("THROUGHLINE_"): value for name, value in environment.items()}
    changed, says = FAULTS[fault]
    settings = given | changed(secure, given)
    with service({f"THROUGHLINE_{name}": value for name, value in settings.items() if value is not None}) as process:
        _, output = process.communicate(timeout=AT_MOST_SECONDS)
    assert process.returncode == 2, output
    assert any(re.match(says, line) for line in output.splitlines()), output
    assert "wrong" not in output
