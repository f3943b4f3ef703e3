"""Production: a process that is set up unsafely does not start, and names each setting in one go."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import ReadPreference

from services.notifications.sending.settings import NotificationSettings
from shared.events.services import SERVICES
from shared.http.people import People
from shared.runtime.configuration import CannotStart, Configuration, read, secret_of
from shared.runtime.database import connect
from shared.runtime.kafka_settings import KafkaSettings
from shared.runtime.settings import Settings
from tests.certificates import Authority
from tools.console.settings import ConsoleSettings

KEY = "Synthetic key of thirty-two characters"
CONSOLE_KEY = "c3ludGhldGljLWtleS0zMi1ieXRlcy1sb25nLXllcyE="
URI = "mongodb://meetings@db.example.org/?replicaSet=synthetic&authSource=throughline_meetings&tls=true"
SERVICE = {
    "THROUGHLINE_MODE": "production",
    "THROUGHLINE_KAFKA": "kafka.example.org:9093",
    "THROUGHLINE_KAFKA_USER": "meetings",
    "THROUGHLINE_KAFKA_PROTOCOL": "SASL_SSL",
    "THROUGHLINE_MONGODB": URI,
    "THROUGHLINE_DATABASE": "throughline_meetings",
    "THROUGHLINE_DEPLOYMENT": "synthetic",
    "THROUGHLINE_ISSUER": "https://login.example.org",
    "THROUGHLINE_JWKS": "https://login.example.org/jwks",
    "THROUGHLINE_TRUSTED_KEYS": "Synthetic keys",
    "THROUGHLINE_SMTP_TLS": "starttls",
    "THROUGHLINE_SMTP_USER": "synthetic",
    "THROUGHLINE_SMTP_SENDER": "throughline@example.org",
}
CONSOLE = {
    "THROUGHLINE_MODE": "production",
    "THROUGHLINE_CONSOLE_ADDRESS": "https://throughline.example.org",
    "THROUGHLINE_CONSOLE_SERVICES": str(dict.fromkeys(SERVICES, "http://synthetic")).replace("'", '"'),
    "THROUGHLINE_CONSOLE_ISSUER": "https://login.example.org",
}
SECRETS = {
    "throughline_kafka_password": "Synthetic password of Kafka",
    "throughline_mongodb_password": "Synthetic password of MongoDB",
    "throughline_smtp_password": "Synthetic password of SMTP",
    "throughline_actor_key": KEY,
    "throughline_checkpoint_keys": "Synthetic log key",
    "throughline_console_keys": CONSOLE_KEY,
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with every secret; nothing else is set."""
    for name in [name for name in os.environ if name.startswith("THROUGHLINE_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name, secret in SECRETS.items():
        (folder / name).write_text(f"{secret}\n")
    monkeypatch.setenv("THROUGHLINE_SECRETS_DIR", str(folder))
    return folder


@contextmanager
def unprivileged(file: Path, user: int = 65_534, group: int | None = None) -> Iterator[None]:
    """Be a user who may not read everything, where this one may."""
    own, own_group = os.geteuid(), os.getegid()
    for folder in (file.parent, *file.parent.parents):
        if own == 0 and folder.stat().st_uid == 0 and folder.is_relative_to(tempfile.gettempdir()):
            folder.chmod(folder.stat().st_mode | 0o555)
    if own == 0:
        os.setegid(own_group if group is None else group)
        os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(own)
        os.setegid(own_group)


def prefixed(changed: dict[str, str | None]) -> dict[str, str | None]:
    return {f"THROUGHLINE_{name}": value for name, value in changed.items()}


def refusal(kind: type[Configuration], environment: dict[str, str | None], monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the reason why a process does not start, "" where it does."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value) if value is not None else monkeypatch.delenv(name, raising=False)
    says = ""
    try:
        read(kind)
    except CannotStart as reason:
        says = str(reason)
    assert not any(secret in says for secret in SECRETS.values())
    return says


def test_a_service_that_is_set_up_safely_starts_with_secrets_from_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(NotificationSettings, SERVICE, monkeypatch) == ""
    settings = read(NotificationSettings)
    assert settings.kafka_access().password.get_secret_value() == SECRETS["throughline_kafka_password"]
    assert settings.mongodb_options() == {"password": SECRETS["throughline_mongodb_password"]}
    assert settings.smtp_server().password == settings.smtp_password
    assert settings.key_of_actors() == KEY.encode()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"KAFKA_PROTOCOL": None}, "KAFKA_PROTOCOL: in production it is SASL_SSL or SSL, not SASL_PL"),
        ({"KAFKA_PROTOCOL": "SASL_PLAINTEXT"}, "KAFKA_PROTOCOL: in production it is SASL_SSL"),
        ({"KAFKA_USER": None, "KAFKA_PROTOCOL": "SSL"}, "KAFKA_PROTOCOL: .* authenticates"),
        ({"KAFKA_PASSWORD": "in the open"}, "KAFKA_PASSWORD: in production a secret is in a file"),
        ({"MONGODB": None}, "MONGODB: Field required"),
        ({"MONGODB": URI.replace("meetings@", "", 1)}, "MONGODB: in production it names .* own user"),
        ({"MONGODB": URI.replace("&tls=true", "")}, "MONGODB: in production it has tls=true"),
        ({"MONGODB": URI.replace("tls=true", "tls=false")}, "MONGODB: .* does not turn TLS off"),
        ({"MONGODB": f"{URI}&tlsInsecure=true"}, "MONGODB: .* does not have tlsinsecure"),
        ({"MONGODB": URI.replace("meetings@", "meetings:open@")}, "MONGODB: .* a secret is in a file"),
        ({"MONGODB_PASSWORD": "in the open"}, "MONGODB_PASSWORD: .* a secret is in a file"),
        ({"DEPLOYMENT": None}, "DEPLOYMENT: in production it names this deployment"),
        ({"ISSUER": None}, "ISSUER: in production it is the provider's"),
        ({"JWKS": "http://login.example.org/jwks"}, "JWKS: in production it is an https address"),
        ({"JWKS": "/etc/jwks.json"}, "JWKS: in production it is an https address"),
        ({"ACTOR_KEY": KEY}, "ACTOR_KEY: in production a secret is in a file"),
        ({"CHECKPOINT_KEYS": "in the open"}, "CHECKPOINT_KEYS: in production a secret is in a file"),
        ({"TRUSTED_KEYS": None}, "TRUSTED_KEYS: in production it must be set"),
        ({"FRONTS": "*"}, "FRONTS: in production it lists addresses"),
        ({"FRONTS": "10.0.0.1, 0.0.0.0/0"}, "FRONTS: in production it lists addresses"),
        ({"FRONTS": "::/0"}, "FRONTS: in production it lists addresses"),
        ({"SMTP_TLS": None, "SMTP_USER": None}, "SMTP_TLS: in production it is starttls or tls"),
        ({"SMTP_TLS": "none", "SMTP_USER": None}, "SMTP_TLS: in production it is starttls or tls"),
        ({"SMTP_PASSWORD": "in the open"}, "SMTP_PASSWORD: in production a secret is in a file"),
        ({"SMTP_SENDER": None}, "SMTP_SENDER: in production it is an address that can be answered"),
    ],
    ids=str,
)  # fmt: skip
def test_production_refuses_each_setting_that_is_missing_or_unsafe(
    changed: dict[str, str | None], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = refusal(NotificationSettings, SERVICE | prefixed(changed), monkeypatch)
    assert re.match(f"THROUGHLINE_{named}", says), says
    assert "in the open" not in says
    assert len(says.splitlines()) == 1
    monkeypatch.delenv("THROUGHLINE_MODE")
    if "required" not in named:
        read(NotificationSettings)


@pytest.mark.parametrize(
    ("secret", "named"),
    [
        ("kafka_password", "KAFKA_PASSWORD: THROUGHLINE_KAFKA_USER is set, so set this"),
        ("mongodb_password", "MONGODB_PASSWORD: THROUGHLINE_MONGODB names a user without a password"),
        ("smtp_password", "SMTP_PASSWORD: THROUGHLINE_SMTP_USER is set, so set this"),
        ("actor_key", "ACTOR_KEY: in production it must be set"),
        ("checkpoint_keys", "CHECKPOINT_KEYS: in production it must be set"),
    ],
)
def test_production_refuses_a_missing_secret(
    secret: str, named: str, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (secrets / f"throughline_{secret}").unlink()
    assert refusal(NotificationSettings, SERVICE, monkeypatch).startswith(f"THROUGHLINE_{named}")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\r\n", "is empty"),
        (b"\xef\xbb\xbfSynthetic", "has a byte order mark"),
        (b"a\0b", "zero byte"),
    ],
)
def test_a_secret_that_was_not_written_is_refused(
    secret: str, content: bytes, says: str, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (secrets / secret).write_bytes(content)
    kind, environment = (ConsoleSettings, CONSOLE) if "console" in secret else (NotificationSettings, SERVICE)
    output = refusal(kind, environment, monkeypatch)
    assert output.startswith(f"{secret.upper()}: ")
    assert says in output or "Fernet" in output


def test_a_secret_of_a_cluster_is_a_link_and_one_to_nothing_is_named(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = secrets / "throughline_kafka_password"
    (secrets / "..data").mkdir()
    file.rename(secrets / "..data" / file.name)
    file.symlink_to(secrets / "..data" / file.name)
    assert refusal(NotificationSettings, SERVICE, monkeypatch) == ""
    (secrets / "..data" / file.name).unlink()
    says = refusal(NotificationSettings, SERVICE, monkeypatch)
    assert says == "THROUGHLINE_KAFKA_PASSWORD: its file in THROUGHLINE_SECRETS_DIR is a symbolic link to nothing"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA", ""), ("KAFKA", "kafka.example.org"), ("KAFKA", "kafka.example.org:99999"), ("KAFKA", "a:1,"),
        ("PORT", "-1"), ("PORT", "65536"), ("DATABASE", ""), ("DATABASE", "a/b"), ("FRONTS", "10.0.0.0/99"),
        ("FRONTS", "the front"),
    ],
)  # fmt: skip
def test_what_no_process_could_use_is_refused_at_the_start(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = refusal(NotificationSettings, SERVICE | prefixed({name: value}), monkeypatch)
    assert says.startswith(f"THROUGHLINE_{name}: "), says
    assert len(says.splitlines()) == 1


def test_several_brokers_and_fronts_are_listed_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    several = prefixed({"KAFKA": "[::1]:9092, b.example.org:9093", "FRONTS": "10.0.0.0/8, ::1"})
    assert refusal(NotificationSettings, SERVICE | several, monkeypatch) == ""


def test_a_service_reads_from_the_primary_whatever_its_uri_says(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = {"THROUGHLINE_MONGODB": f"{URI}&readPreference=secondaryPreferred"}
    assert refusal(NotificationSettings, SERVICE | behind, monkeypatch) == ""
    database = connect(read(NotificationSettings), "meetings")
    assert database["states"].read_preference == ReadPreference.PRIMARY
    database.client.close()


def test_an_option_of_mongodb_that_is_written_wrongly_is_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    misspelt = {"THROUGHLINE_MONGODB": f"{URI}&maxPoolSize=many"}
    assert refusal(NotificationSettings, SERVICE | misspelt, monkeypatch) == ""
    with pytest.raises(CannotStart, match=r"^THROUGHLINE_MONGODB: an option of it cannot be used: .*maxpoolsize"):
        connect(read(NotificationSettings), "meetings")


@pytest.mark.parametrize("password", ["a?SYNTHETIC=b", "a?tlsCAFile=SYNTHETIC&b"])
def test_a_password_that_passes_for_an_option_is_not_repeated(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unescaped = {"THROUGHLINE_MODE": "development", "THROUGHLINE_MONGODB": f"mongodb://own:{password}@db.example.org/"}
    assert refusal(NotificationSettings, SERVICE | unescaped, monkeypatch) == ""
    with pytest.raises(CannotStart, match=r"^THROUGHLINE_MONGODB: is no MongoDB URI") as reason:
        connect(read(NotificationSettings), "meetings")
    assert "synthetic" not in str(reason.value).lower()


@pytest.mark.parametrize("content", [b"\xff", b"[]", b"topics: 1", b"a: {", None])
def test_a_declaration_of_topics_that_is_none_is_named(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "topics.yaml"
    if content is not None:
        file.write_bytes(content)
    assert refusal(NotificationSettings, SERVICE | {"THROUGHLINE_TOPICS_FILE": str(file)}, monkeypatch) == ""
    with pytest.raises(CannotStart, match=rf"^THROUGHLINE_TOPICS_FILE: {file} (is no declaration|cannot be read)"):
        read(NotificationSettings).declared_topics()


def test_all_that_is_missing_or_unsafe_is_named_in_one_go(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for secret in secrets.iterdir():
        secret.unlink()
    names = [line.partition(":")[0] for line in refusal(
        NotificationSettings, prefixed({"MODE": "production", "FRONTS": "*", "PORT": "no"}), monkeypatch
    ).splitlines()]  # fmt: skip
    assert names == [
        f"THROUGHLINE_{name}"
        for name in (
            "KAFKA", "KAFKA_PROTOCOL", "JWKS", "ISSUER", "ACTOR_KEY", "MONGODB", "DATABASE", "PORT", "FRONTS",
            "DEPLOYMENT", "CHECKPOINT_KEYS", "TRUSTED_KEYS", "SMTP_TLS", "SMTP_SENDER",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"CONSOLE_ADDRESS": "http://127.0.0.1:8080"}, "CONSOLE_ADDRESS: in production it begins"),
        ({"CONSOLE_ISSUER": "http://login.example.org"}, "CONSOLE_ISSUER: in production it begins"),
        ({"CONSOLE_FRONTS": "*"}, "CONSOLE_FRONTS: in production it lists addresses"),
        ({"CONSOLE_KEYS": CONSOLE_KEY}, "CONSOLE_KEYS: .* a secret is in a file"),
        ({"CONSOLE_CLIENT_SECRET": "in the open"}, "CONSOLE_CLIENT_SECRET: .* a secret is in a file"),
    ],
    ids=str,
)  # fmt: skip
def test_production_refuses_each_setting_of_the_console_that_is_unsafe(
    changed: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refusal(ConsoleSettings, CONSOLE, monkeypatch) == ""
    says = refusal(ConsoleSettings, CONSOLE | prefixed(changed), monkeypatch)
    assert re.match(f"THROUGHLINE_{named}", says), says
    monkeypatch.delenv("THROUGHLINE_MODE")
    read(ConsoleSettings)


def test_the_mode_has_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (NotificationSettings, ConsoleSettings):
        wrong = refusal(kind, {**SERVICE, **CONSOLE, "THROUGHLINE_MODE": "staging"}, monkeypatch)
        assert wrong == "THROUGHLINE_MODE: Input should be 'development' or 'production'"


def test_a_command_that_names_a_kafka_is_held_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {"THROUGHLINE_MODE": "production", "THROUGHLINE_KAFKA": "kafka.example.org:9092"}
    assert refusal(KafkaSettings, plain, monkeypatch).startswith("THROUGHLINE_KAFKA_PROTOCOL: in production")


def test_a_secret_that_cannot_be_read_is_named_with_its_owner(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(Settings, **{name[12:].lower(): value for name, value in SERVICE.items() if "SMTP" not in name})
    file = secrets / "throughline_kafka_password"
    file.chmod(0o000)
    with unprivileged(file):
        says = refusal(Settings, SERVICE, monkeypatch)
    assert says.startswith(f"THROUGHLINE_SECRETS_DIR: {file} cannot be read by user ")
    assert f"(owner {os.getuid()}, group " in says
    assert "mode 0000)" in says


@pytest.fixture
def absent(secrets: Path) -> Path:
    return secrets / "absent"


def test_a_folder_of_secrets_that_is_none_is_named(absent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = refusal(Settings, {**SERVICE, "THROUGHLINE_SECRETS_DIR": str(absent)}, monkeypatch)
    assert says == f'THROUGHLINE_SECRETS_DIR: directory "{absent}" does not exist'


def test_a_secret_that_is_a_folder_or_no_text_is_named(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = secrets / "throughline_kafka_password"
    file.write_bytes(b"\xff")
    assert refusal(Settings, SERVICE, monkeypatch) == "THROUGHLINE_KAFKA_PASSWORD: is not text in UTF-8"
    file.unlink()
    file.mkdir()
    assert "throughline_kafka_password" in refusal(Settings, SERVICE, monkeypatch)


@pytest.mark.parametrize("name", ["kafka_password", "mongodb_password", "actor_key", "checkpoint_keys", "trusted_keys"])
def test_a_file_that_a_variable_names_and_cannot_be_read_is_named(
    name: str, absent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = refusal(Settings, {**SERVICE, f"THROUGHLINE_{name.upper()}_FILE": str(absent)}, monkeypatch)
    assert says == f"THROUGHLINE_{name.upper()}_FILE: {absent} cannot be read: No such file or directory"


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A file that nobody writes: to read it waits for ever."""
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


@pytest.mark.parametrize(
    "name",
    [
        "kafka_password", "kafka_ca", "kafka_cert", "kafka_key", "mongodb_password", "smtp_password", "smtp_ca",
        "actor_key", "checkpoint_keys", "trusted_keys",
    ],
)  # fmt: skip
def test_a_fifo_or_a_device_in_place_of_a_file_is_refused_and_not_read(
    name: str, fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (fifo, Path(os.devnull)):
        says = refusal(NotificationSettings, {**SERVICE, f"THROUGHLINE_{name.upper()}_FILE": str(file)}, monkeypatch)
        assert says.startswith(f"THROUGHLINE_{name.upper()}_FILE: {file} cannot be read by user "), says
        assert "it is not a regular file: put a file with the content in its place" in says


def test_a_fifo_among_the_secrets_is_refused_and_not_read(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = secrets / "throughline_kafka_password"
    file.unlink()
    os.mkfifo(file)
    says = refusal(Settings, SERVICE, monkeypatch)
    assert says.startswith("THROUGHLINE_KAFKA_PASSWORD: "), says
    assert says.endswith(f'"{file}" but found a FIFO instead: put a file with the content there')
    with pytest.raises(CannotStart, match=f"{file} cannot be read .* not a regular file"):
        secret_of("THROUGHLINE_KAFKA_PASSWORD")


def test_a_fifo_in_place_of_people_topics_or_a_certificate_of_mongodb_is_refused_and_not_read(
    fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = prefixed({"MONGODB": f"{URI}&tlsCAFile={fifo}", "TOPICS_FILE": str(fifo)})
    assert refusal(NotificationSettings, SERVICE | changed, monkeypatch) == ""
    settings = read(NotificationSettings)
    for variable, use in (
        ("MONGODB", lambda: connect(settings, "meetings")),
        ("TOPICS_FILE", settings.declared_topics),
        ("PEOPLE_FILE", lambda: People(fifo, settings.issuer)),
    ):
        with pytest.raises(CannotStart, match=f"^THROUGHLINE_{variable}: .*not a regular file"):
            use()


def test_files_of_tls_that_do_not_fit_are_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, other = authority.issue("one"), authority.issue("other")
    for given, named in (
        ({"kafka_ca_file": one.key}, f"KAFKA_CA_FILE: {one.key} holds no certificates"),
        ({"kafka_cert_file": one.certificate}, "KAFKA_KEY_FILE: THROUGHLINE_KAFKA_CERT_FILE and this"),
        ({"kafka_key_file": one.key}, "KAFKA_KEY_FILE: THROUGHLINE_KAFKA_CERT_FILE and this"),
        ({"kafka_cert_file": one.certificate, "kafka_key_file": other.key}, f"KAFKA_KEY_FILE: {other.key} is"),
        ({"kafka_ca_file": authority.file, "kafka_protocol": "PLAINTEXT"}, "KAFKA_PROTOCOL: PLAINTEXT does not"),
        ({"kafka_protocol": "SASL_SSL"}, "KAFKA_PROTOCOL: SASL_SSL does not go with"),
    ):  # fmt: skip
        fitting: dict[str, Any] = given
        with pytest.raises(CannotStart, match=f"^THROUGHLINE_{named}"):
            read(KafkaSettings, kafka="synthetic:9092", **fitting)
