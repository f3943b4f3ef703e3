"""options/backup: the commands are those of the command line, and no pod sees keys and what they open."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.events.services import SERVICES
from shared.runtime.settings import KafkaSettings
from shared.tlog.keys import origin_of
from shared.tlog.notes import Signer
from tests.certificates import Authority
from tests.cli.terminal import throughline
from tests.kubernetes.rendering import Rendered, Workload, rendered
from tests.kubernetes.test_network import pods, ways
from tests.kubernetes.test_settings import OF_EVERY_PROCESS, SECRETS, names, of_commands
from tools.client import mongodb_client
from tools.files import CHECKOUT

pytestmark = pytest.mark.xdist_group("kubernetes")
JOBS = ("backup-persons", "backup-documents", "backup-export")
AWAY = "127.0.0.1:1"


def objects() -> Rendered:
    return rendered("backup")


def environment(job: Workload) -> dict[str, str]:
    return objects().environment(job, job.pod["containers"][0])


def test_the_option_has_a_row_and_these_jobs() -> None:
    added = {workload.name for workload in objects().workloads} - {
        each.name for each in rendered("production").workloads
    }
    assert added == set(JOBS)
    assert "| `options/backup` |" in (CHECKOUT / "docs/kubernetes.md").read_text()


@pytest.mark.parametrize("name", JOBS)
def test_a_job_sees_one_claim_and_the_password_of_one_user(name: str) -> None:
    volumes = {volume["name"]: volume for volume in objects().workload(name).pod["volumes"]}
    assert volumes["backups"]["persistentVolumeClaim"]["claimName"] == name
    reads = "reader-secrets" if name == "backup-export" else "mongodb-administrator"
    assert volumes["secrets"]["secret"]["secretName"] == reads


@pytest.mark.parametrize("name", JOBS)
def test_a_job_reaches_what_every_job_reaches(name: str) -> None:
    of_jobs = {(way.target, way.port) for way in ways(rendered("production")) if way.source == "indexes"}
    assert {(way.target, way.port) for way in ways(objects()) if way.source == name} == of_jobs
    assert not [way for way in ways(objects()) if way.target == name]
    assert pods(objects())[name]["app.kubernetes.io/component"] == "job"


@pytest.mark.parametrize("name", JOBS)
def test_every_variable_of_a_job_is_read(name: str) -> None:
    variables = {each for each in environment(objects().workload(name)) if each.startswith("THROUGHLINE")}
    assert variables <= names(KafkaSettings) | of_commands() | OF_EVERY_PROCESS | {"THROUGHLINE_TRUSTED_KEYS_FILE"}


@pytest.mark.parametrize("name", JOBS)
def test_the_command_of_a_job_is_taken_and_asks_the_servers(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With servers that are away it ends with 3; a wrong option, variable or file would be bad input."""
    monkeypatch.setattr(mongodb_client, "SELECTION_MS", 100)
    for file in ("throughline_mongodb_password", "throughline_kafka_password"):
        (tmp_path / file).write_text(SECRETS[file])
    for file in ("kafka.crt", "mongodb.crt"):
        (tmp_path / file).write_text(Authority(tmp_path / "authority").file.read_text())
    keys = [Signer.generate(origin_of("synthetic", service)).verifier.vkey for service in SERVICES]
    (tmp_path / "log-keys").write_text("\n".join(keys))
    job = objects().workload(name)
    variables = {variable: at_home(value, tmp_path) for variable, value in environment(job).items()}
    variables |= {"THROUGHLINE_KAFKA": AWAY}
    command = [
        re.sub(r"\$\((\w+)\)", lambda named: variables[named[1]], at_home(word, tmp_path))
        for word in job.pod["containers"][0]["command"]
    ]
    done = throughline(None, *command[1:], **variables)
    assert (command[0], done.exit_code) == ("throughline", 3), done.output
    assert "does not answer" in done.output
    assert not (tmp_path / "backups").exists()


def at_home(text: str, folder: Path) -> str:
    """Return a word of a pod with its files in a folder of this machine, and its servers away."""
    text = re.sub(r"/etc/throughline/\w+", str(folder), text).replace("/backups/", f"{folder}/backups/")
    return re.sub(r"@mongodb-0[^/]*/", f"@{AWAY}/", text)
