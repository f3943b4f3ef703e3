"""Every import contract holds, and each is shown turning red on a copy of the code with a fault planted in it."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
CONTRACTS = CHECKOUT / ".importlinter"
LINTER = Path(sys.executable).with_name("lint-imports")
ROOTS = ("services", "shared", "tools")
PREFIX = "importlinter:contract:"


@dataclass(frozen=True)
class Fault:
    """One line of code in one file, and the contract that refuses it."""

    contract: str
    path: str
    line: str = ""

    def __str__(self) -> str:
        return f"{self.contract}: {self.path}: {self.line or 'a stray file'}"


FAULTS = [
    Fault("whole", "shared/domain/members.py", "from services.meetings import commands"),
    Fault("whole", "shared/domain/members.py", "import tools.local"),
    Fault("whole", "services/meetings/app.py", "from tools.local import ports"),
    Fault("deployed", "tools/cli/trace.py", "from tools.local.stack import Stack"),
    Fault("services", "services/meetings/projection.py", "from services.nominations.domain.call import CALL"),
    Fault("services", "services/notifications/api.py", "from services.recommendations.queries import coverage"),
    Fault("services", "services/archives/__init__.py"),
    Fault("nominations", "services/nominations/utils.py"),
    Fault("nominations", "services/nominations/domain/call.py", "from services.nominations import projection"),
    Fault("nominations", "services/nominations/subscribers.py", "from services.nominations import api"),
    Fault("meetings", "services/meetings/trace.py"),
    Fault("meetings", "services/meetings/commands.py", "from services.meetings.domain import states"),
    Fault("meetings", "services/meetings/handlers.py", "from services.meetings import projection"),
    Fault("recommendations", "services/recommendations/service.py"),
    Fault("recommendations", "services/recommendations/queries.py", "from services.recommendations import handlers"),
    Fault("recommendations", "services/recommendations/trace/work.py", "import services.recommendations.projection"),
    Fault("recommendations", "services/recommendations/handlers.py", "from services.recommendations import app"),
    Fault("notifications", "services/notifications/tasks/__init__.py"),
    Fault("notifications", "services/notifications/sending/courier.py", "from services.notifications import handlers"),
    Fault("pure", "services/meetings/domain/rules.py", "import motor.motor_asyncio"),
    Fault("pure", "services/notifications/domain/rules.py", "from shared.http import make_app"),
    Fault("pure", "services/nominations/domain/call.py", "from shared.folding import States"),
    Fault("pure", "services/nominations/commands.py", "from shared.sealing import KeyRing"),
    Fault("pure", "services/recommendations/trace/gaps.py", "import structlog"),
    Fault("pure", "services/recommendations/domain/recorded_fact.py", "from random import random"),
    Fault("pure", "services/recommendations/trace/window.py", "from time import time"),
    Fault("pure", "shared/projection/fold.py", "from shared.journal import Journal"),
    Fault("pure", "shared/tlog/merkle.py", "import os"),
    Fault("pure", "shared/tlog/tiles.py", "from shared.ledger import Ledger"),
    Fault("language", "shared/events/values.py", "from shared.members import MEMBERS"),
    Fault("mongodb", "services/meetings/handlers.py", "from pymongo.errors import DuplicateKeyError"),
    Fault("mongodb", "services/recommendations/queries.py", "from motor.motor_asyncio import AsyncIOMotorDatabase"),
    Fault("mongodb", "shared/domain/aggregate.py", "from bson import ObjectId"),
    Fault("outside", "services/nominations/subscribers.py", "from aiokafka import AIOKafkaProducer"),
    Fault("outside", "services/meetings/api.py", "import httpx"),
    Fault("outside", "services/nominations/handlers.py", "from cryptography.hazmat.primitives import hashes"),
    Fault("outside", "shared/tlog/merkle.py", "from cryptography.hazmat.primitives import hashes"),
    Fault("outside", "shared/store/command_handler.py", "from faststream.kafka import KafkaBroker"),
]


def copy_to(folder: Path) -> Path:
    """Copy the code and its contracts, nothing else."""
    for root in ROOTS:
        shutil.copytree(CHECKOUT / root, folder / root, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CONTRACTS, folder)
    return folder


def lint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter there; it is an error where import-linter is not installed."""
    command = [str(LINTER), "--no-cache", "--no-logo", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={"COLUMNS": "200"})


def contracts() -> dict[str, str]:
    """Return the names of the contracts by their ids."""
    parser = configparser.ConfigParser()
    parser.read(CONTRACTS)
    return {section.removeprefix(PREFIX): parser[section]["name"] for section in parser if section.startswith(PREFIX)}


def test_the_code_as_it_is_keeps_every_contract(tmp_path: Path) -> None:
    outcome = lint(copy_to(tmp_path))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert f"Contracts: {len(contracts())} kept, 0 broken." in outcome.stdout


def test_every_contract_is_shown_turning_red() -> None:
    assert {fault.contract for fault in FAULTS} == contracts().keys()


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_planted_fault_turns_its_contract_red(fault: Fault, tmp_path: Path) -> None:
    planted = copy_to(tmp_path) / fault.path
    planted.parent.mkdir(exist_ok=True)
    with planted.open("a") as file:
        file.write(f"\n{fault.line}\n")
    outcome = lint(tmp_path, "--contract", fault.contract)
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    assert f"{contracts()[fault.contract]} BROKEN" in outcome.stdout
    assert "Contracts: 0 kept, 1 broken." in outcome.stdout
    assert planted.relative_to(tmp_path).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__") in (
        outcome.stdout
    )
