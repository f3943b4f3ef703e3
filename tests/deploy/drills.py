"""Drills of an operator under compose: each line that is typed stands in the pages of PAGES."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from shared.events.services import SERVICES
from tests.deploy.platform import NotAsExpected, Platform, wait_until
from tools.files import CHECKOUT

PAGES = ("backup.md", "kafka-lost.md", "console.md")
EXAMPLE = "meetings"
RESTORED = "escap-2"
ADMIN = "docker compose run --rm admin"
INIT = "docker compose run --rm init throughline"
DROP = " --drop-retired"
VERIFY = (
    f"{ADMIN} sh -c 'throughline audit export /backups/export && (throughline audit verify /backups/export "
    '--format json $(sed "s/^/--key /" /run/secrets/public.vkeys) >/run/verification/new; [ $? -le 1 ]) '
    "&& mv /run/verification/new /run/verification/verification.json'"
)


class Drills:
    """Actions of an operator on one platform, by the containers `init`, `admin` and `cli`."""

    def __init__(self, platform: Platform, secrets: Path) -> None:
        self._platform, self._secrets = platform, secrets
        pages = "".join((CHECKOUT / "docs" / page).read_text(encoding="utf-8") for page in PAGES)
        self._pages = " ".join(pages.replace("\\\n", "").split())

    def replace(self) -> list[str]:
        """Replace whatever the page's table names, in its order; return how often that restarted everything."""
        everything = ("kafka", "mongo", *SERVICES, "console")
        self._type(f"{ADMIN} throughline rotate kafka --passwords /run/deployment/kafka/passwords")
        self._type(f"{ADMIN} throughline rotate mongodb --passwords /run/deployment/mongodb/passwords")
        self._type(
            keygen
            := f"{INIT} audit keygen /secrets/log-keys/{EXAMPLE}.key --service {EXAMPLE} --deployment local --rotate"
        )
        self._type(authority := f"{INIT} rotate authority /secrets")
        self._restart(everything)
        self._await_rotation(EXAMPLE)
        self._type(keygen.removesuffix(" --rotate"), DROP)
        self._type(f"{INIT} rotate certificates /secrets")
        self._type(members := f"{INIT} rotate mongodb-key /secrets")
        self._type(cookies := f"{INIT} rotate console-keys /secrets")
        self._type(f"{INIT} rotate kafka-administrator /secrets")
        self._type(f"{ADMIN} throughline rotate mongodb admin --passwords /run/deployment/mongodb/passwords")
        self._restart(everything)
        for line in (authority, members, cookies):
            self._type(line, DROP)
        self._restart(everything)
        return ["everything restarted 3 times"]

    def _await_rotation(self, service: str) -> None:
        def published() -> bool:
            return "key_rotated" in self._platform.compose("logs", "--no-color", service)

        wait_until(published, f"{service} does not say key_rotated")

    def copy(self) -> None:
        """Copy the files of MongoDB, which is held meanwhile."""
        self._type(f"{ADMIN} throughline backup hold -- cp -a /data/db /backups/mongodb-2026-11-29")

    def lose_mongodb(self) -> list[str]:
        """Delete MongoDB's files, put the copy back, and fill it up from Kafka; return what each service says of it."""
        self._type("docker compose stop nominations meetings recommendations notifications mongo")
        restore = "find /data/db -mindepth 1 -delete && cp -a /backups/mongodb-2026-11-29/. /data/db"
        self._type(f"{ADMIN} sh -c '{restore}'")
        self._type("docker compose up --detach")
        answers = []
        for service in SERVICES:
            self._await_words(service, f"throughline refill {service}")
            answers += self._type_for(service, "docker compose exec meetings throughline refill meetings").splitlines()[
                -1:
            ]
        self._restart(("nominations", "notifications"))
        return answers

    def lose_kafka(self, token: str) -> None:
        """Delete Kafka's volume, make it anew, and publish every ledger again."""
        self._platform.lose_volume("kafka")
        self._type("docker compose up --detach")
        for service in SERVICES:
            self._await_words(service, f"throughline republish {service}")
            self._type_for(service, "docker compose run --rm cli republish meetings", token)
        self._await_healthy()

    def save(self, token: str) -> None:
        """Save persons and documents, each apart, export the record, and verify it for the console's page."""
        for what in ("persons", "documents"):
            self._type(f"{ADMIN} throughline backup save /backups/{what} --what {what}")
        self._type(f"{ADMIN} throughline audit export /backups/export", token=token)
        self._type(VERIFY, token=token)
        report = json.loads(self._platform.job("admin", "cat", "/run/verification/verification.json"))
        if not report["verified"]:
            raise NotAsExpected(f"the nightly verification does not hold: {report}")

    def lose_both(self) -> list[str]:
        """Delete both, and restore the record under another name; return the first line of what is lost."""
        self._platform.down(volumes=True)
        (self._secrets / "log-keys").rename(self._secrets / "lost-log-keys")
        self._platform.set("THROUGHLINE_DEPLOYMENT", RESTORED)
        for job in ("init", "indexes", "users", "topics"):
            self._type(f"docker compose run --rm {job}")
        lost = self._type(
            f"{ADMIN} throughline restore /backups/export --deployment {RESTORED} "
            "--old-keys /run/deployment/lost-log-keys --new-keys /run/deployment/log-keys"
        )
        for what in ("persons", "documents"):
            self._type(f"{ADMIN} throughline backup load /backups/{what}")
        self._platform.up()
        return lost.strip().splitlines()[:1]

    def _type_for(self, service: str, line: str, token: str = "") -> str:
        """Run for a service the line that the pages have for another."""
        self._expect_on_page(line)
        return self._run(line.replace(EXAMPLE, service), token)

    def _type(self, line: str, more: str = "", token: str = "") -> str:
        self._expect_on_page(line)
        return self._run(line + more, token)

    def _expect_on_page(self, line: str) -> None:
        if line not in self._pages:
            raise NotAsExpected(f"none of {', '.join(PAGES)} says: {line}")

    def _run(self, line: str, token: str) -> str:
        command, *words = shlex.split(line.removeprefix("docker compose "))
        terminal = ["--no-TTY"] if command in {"run", "exec"} else []
        return self._platform.compose(command, *terminal, *words, environment={"THROUGHLINE_TOKEN": token})

    def _await_words(self, service: str, words: str) -> None:
        ready = ("exec", "--no-TTY", service, "python3", "-m", "shared.runtime.health_check", "/readyz")
        wait_until(lambda: words in self._platform.attempt(*ready), f"/readyz of {service} does not say: {words}")

    def _restart(self, names: Sequence[str]) -> None:
        self._platform.compose("restart", *names)
        self._await_healthy()

    def _await_healthy(self) -> None:
        for name in self._platform.variant.servers:
            self._platform.await_healthy(name)
