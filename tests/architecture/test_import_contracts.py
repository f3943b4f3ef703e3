"""Every import contract holds on the code, and a fault planted in the import graph turns each of them red."""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import api
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.contract import Contract

CHECKOUT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")
CONFIGURATION = api.read_configuration(str(CHECKOUT / ".importlinter"))
CONTRACTS: dict[str, dict[str, Any]] = {options["id"]: options for options in CONFIGURATION["contracts_options"]}
ROOTS: list[str] = CONFIGURATION["session_options"]["root_packages"]
TYPES: dict[str, type[Contract]] = {
    "acyclic_siblings": AcyclicSiblingsContract,
    "forbidden": ForbiddenContract,
    "independence": IndependenceContract,
    "layers": LayersContract,
    "protected": ProtectedContract,
}


@dataclass(frozen=True)
class Fault:
    """An import by one module, or a stray module without any, and the contract that refuses it."""

    contract: str
    module: str
    imports: str | None = None

    def __str__(self) -> str:
        return f"{self.contract}: {self.module} " + (f"imports {self.imports}" if self.imports else "is a stray file")


FAULTS = [
    Fault("whole", "shared.domain.members", "services.meetings.commands"),
    Fault("whole", "shared.domain.members", "tools.local"),
    Fault("whole", "services.meetings.app", "tools.local.ports"),
    Fault("shared", "shared.utils"),
    Fault("shared", "shared.http.app", "shared.composition"),
    Fault("shared", "shared.projection", "shared.ledger"),
    Fault("shared", "shared.ledger", "shared.projection"),
    Fault("shared", "shared.store", "shared.http"),
    Fault("shared", "shared.store", "shared.consumer"),
    Fault("shared", "shared.consumer", "shared.ledger"),
    Fault("shared", "shared.privacy", "shared.runtime"),
    Fault("shared", "shared.runtime", "shared.http"),
    Fault("shared", "shared.domain", "shared.store"),
    Fault("shared", "shared.events", "shared.domain"),
    Fault("shared", "shared.tlog", "shared.events"),
    Fault("tools", "tools.helpers"),
    Fault("tools", "tools.client", "tools.cli"),
    Fault("tools", "tools.audit", "tools.cli"),
    Fault("tools", "tools.replay", "tools.audit"),
    Fault("tools", "tools.client", "tools.local"),
    Fault("tools", "tools.contracts", "tools.local"),
    Fault("tools", "tools.render", "tools.replay"),
    Fault("tools", "tools.cli", "tools.demo"),
    Fault("tools", "tools.audit", "tools.local"),
    Fault("deployed", "tools.cli.trace", "tools.local.stack"),
    Fault("services", "services.meetings.projection", "services.nominations.domain.call"),
    Fault("services", "services.notifications.api", "services.recommendations.queries"),
    Fault("services", "services.archives"),
    Fault("nominations", "services.nominations.utils"),
    Fault("nominations", "services.nominations.domain.call", "services.nominations.projection"),
    Fault("nominations", "services.nominations.subscribers", "services.nominations.api"),
    Fault("meetings", "services.meetings.trace"),
    Fault("meetings", "services.meetings.commands", "services.meetings.domain.states"),
    Fault("meetings", "services.meetings.projection", "services.meetings.api"),
    Fault("recommendations", "services.recommendations.service"),
    Fault("recommendations", "services.recommendations.projection", "services.recommendations.queries"),
    Fault("recommendations", "services.recommendations.trace.work", "services.recommendations.projection"),
    Fault("recommendations", "services.recommendations.queries", "services.recommendations.app"),
    Fault("notifications", "services.notifications.tasks"),
    Fault("notifications", "services.notifications.sending.courier", "services.notifications.api"),
    Fault("pure", "services.meetings.domain.rules", "motor"),
    Fault("pure", "services.notifications.domain.rules", "shared.http.app"),
    Fault("pure", "services.nominations.domain.call", "shared.projection.state_store"),
    Fault("pure", "services.nominations.commands", "shared.privacy.key_ring"),
    Fault("pure", "services.recommendations.trace.gaps", "structlog"),
    Fault("pure", "services.recommendations.domain.recorded_fact", "random"),
    Fault("pure", "services.recommendations.trace.window", "time"),
    Fault("pure", "shared.projection.fold", "shared.projection.journal"),
    Fault("pure", "shared.tlog.merkle", "os"),
    Fault("pure", "shared.tlog.tiles", "shared.ledger.ledger"),
    Fault("language", "shared.events.values", "shared.domain.members"),
    Fault("mongodb", "services.meetings.api", "pymongo"),
    Fault("mongodb", "services.recommendations.queries", "motor"),
    Fault("mongodb", "shared.domain.aggregate", "bson"),
    Fault("outside", "services.nominations.subscribers", "aiokafka"),
    Fault("outside", "services.meetings.api", "httpx2"),
    Fault("outside", "services.nominations.projection", "cryptography"),
    Fault("outside", "shared.tlog.merkle", "cryptography"),
    Fault("outside", "shared.store.command_handler", "faststream"),
    Fault("outside", "shared.ledger.relay", "opentelemetry"),
    Fault("shared", "shared.tracing.spans", "shared.runtime.settings"),
    Fault("console", "tools.console.pages.today", "services.nominations.api"),
    Fault("console", "tools.console.services", "pymongo"),
    Fault("console", "tools.console.app", "shared.store.event_store"),
]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """The import graph of the code as it is."""
    return grimp.build_graph(ROOTS[0], *ROOTS[1:], include_external_packages=True, cache_dir=None)


def plant(graph: grimp.ImportGraph, fault: Fault) -> grimp.ImportGraph:
    """Return a copy of the graph with the fault in it; raise where the fault names a module that does not exist."""
    planted = deepcopy(graph)
    if fault.imports is None:
        assert fault.module not in graph.modules, f"{fault.module} is no stray file"
        planted.add_module(fault.module)
        return planted
    internal = fault.imports.partition(".")[0] in ROOTS
    missing = {fault.module, *([fault.imports] if internal else [])} - graph.modules
    assert not missing, f"the fault names {missing}, gone from the code: name the modules that replaced it"
    if fault.imports not in graph.modules:
        planted.add_module(fault.imports, is_squashed=True)
    planted.add_import(importer=fault.module, imported=fault.imports, line_number=1, line_contents="a planted import")
    return planted


@pytest.mark.slow
def test_lint_imports_finds_every_contract_kept() -> None:
    command = [str(LINTER), "--no-cache", "--no-logo"]
    outcome = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, env={"COLUMNS": "200"})
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in outcome.stdout


def test_a_planted_fault_turns_every_contract_red() -> None:
    assert {fault.contract for fault in FAULTS} == CONTRACTS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_planted_fault_turns_its_contract_red(
    fault: Fault, graph: grimp.ImportGraph, capsys: pytest.CaptureFixture[str]
) -> None:
    options = CONTRACTS[fault.contract]
    contract = TYPES[options["type"]](options["name"], CONFIGURATION["session_options"], options)
    check = contract.check(plant(graph, fault), verbose=False)
    contract.render_broken_contract(check)
    shown = capsys.readouterr().out
    container = next((name for name in options.get("containers", ()) if fault.module.startswith(f"{name}.")), None)
    stray = container and fault.imports is None
    assert (fault.module.removeprefix(f"{container}.").partition(".")[0] if stray else fault.module) in shown
