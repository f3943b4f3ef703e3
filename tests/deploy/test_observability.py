"""Alerts, their runbooks, dashboards and metrics belong together; what they name is exported by the services."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from typer.main import get_command

from shared.runtime import telemetry
from tests.deploy.observability import (
    FOLDER,
    OF_PROMETHEUS,
    PROMETHEUS,
    alerts,
    dashboards,
    named,
)
from tools.cli.app import app
from tools.files import CHECKOUT
from tools.local.stack import ALL_FOUR, Stack

RUNBOOKS = CHECKOUT / "docs/runbooks"
CONFIGURATION = PROMETHEUS / "prometheus.yml"
PAGE = (CHECKOUT / "docs/observability.md").read_text()
HEADINGS = ["## Meaning", "## Diagnosis", "## Mitigation"]
_COMMAND = re.compile(r"throughline ((?:[a-z-]+ ?)+)")
_OF_SCRAPE = {"job", "instance"}


def own_metrics() -> dict[str, Any]:
    """Return the metrics that telemetry declares, by the name under which Prometheus knows each."""
    declared = [each for each in vars(telemetry).values() if hasattr(each, "_labelnames")]
    return {each._name + ("_total" if each._type == "counter" else ""): each for each in declared}


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert sorted(page.stem for page in RUNBOOKS.glob("*.md")) == sorted(alert["alert"] for alert in alerts())


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_says_what_it_means_how_to_look_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == HEADINGS
    severity = next(alert["labels"]["severity"] for alert in alerts() if alert["alert"] == page.stem)
    assert f"\n**{severity}**: " in text
    for target in re.findall(r"\]\((\w+\.md)\)", text):
        assert (RUNBOOKS / target).exists(), target


def test_every_command_of_a_runbook_is_one_of_throughline() -> None:
    commands: Any = get_command(app)
    seen = set()
    for page in RUNBOOKS.glob("*.md"):
        for words in _COMMAND.findall(page.read_text()):
            command, name = commands, ""
            for word in words.split():
                if not hasattr(command, "commands"):
                    break
                assert word in command.commands, f"{page.name}: throughline {words}"
                command, name = command.commands[word], f"{name} {word}"
            assert not hasattr(command, "commands"), f"{page.name}: throughline {words}"
            seen.add(name.strip())
    assert {"stalled", "dead-letters list", "refill", "republish", "notification resend"} <= seen


def test_every_alert_has_a_severity_a_summary_and_the_way_to_its_runbook() -> None:
    for alert in alerts():
        assert alert["labels"]["severity"] in ("page", "ticket"), alert
        assert alert["annotations"]["summary"], alert
        assert alert["annotations"]["runbook"] == f"docs/runbooks/{alert['alert']}.md", alert


def test_an_alert_is_kept_back_by_one_that_names_its_cause_on_the_labels_of_both() -> None:
    labels = {alert["alert"]: _labels_of(alert["expr"]) for alert in alerts()}
    for rule in yaml.safe_load((FOLDER / "alertmanager.yml").read_text())["inhibit_rules"]:
        causes, effects = (_alerts_of(rule[f"{side}_matchers"]) for side in ("source", "target"))
        assert causes.isdisjoint(effects)
        for alert in causes | effects:
            assert set(rule["equal"]) <= labels[alert], alert


def _alerts_of(matchers: list[str]) -> set[str]:
    (matcher,) = matchers
    names = set(re.fullmatch(r'alertname=~?"([\w|]+)"', matcher)[1].split("|"))  # type: ignore[index]
    assert names <= {alert["alert"] for alert in alerts()}
    return names


def _labels_of(query: str) -> set[str]:
    grouped = re.findall(r"\bby \(([\w, ]+)\)", query)
    return set(grouped[0].split(", ")) if grouped else {"service", "instance"}


def test_the_job_for_kubernetes_has_the_name_by_which_rules_select() -> None:
    (job,) = yaml.safe_load((PROMETHEUS / "kubernetes.yml").read_text())["scrape_configs"]
    assert job["job_name"] in {each["job_name"] for each in yaml.safe_load(CONFIGURATION.read_text())["scrape_configs"]}
    assert job["kubernetes_sd_configs"][0]["namespaces"]["names"] == ["throughline"]


def test_every_alert_has_a_unit_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    fires, silent = Counter[str](), Counter[str]()
    for file in (PROMETHEUS / "tests").glob("*.yml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                (fires if case["exp_alerts"] else silent)[case["alertname"]] += 1
    assert fires.keys() == silent.keys() == {alert["alert"] for alert in alerts()}


def test_every_query_selects_by_labels_that_its_metric_has() -> None:
    metrics = own_metrics()
    histograms = {name: metric for name, metric in metrics.items() if metric._type == "histogram"}
    metrics |= {f"{name}_{part}": metric for name, metric in histograms.items() for part in ("bucket", "count")}
    of_process = {sample.name for family in REGISTRY.collect() for sample in family.samples} - metrics.keys()
    for each in named():
        if each.metric in OF_PROMETHEUS:
            assert each.labels <= set(OF_PROMETHEUS[each.metric]), each
        elif each.metric in of_process:
            assert each.labels <= _OF_SCRAPE, each
        else:
            assert each.labels <= {*metrics[each.metric]._labelnames, *_OF_SCRAPE, "le"}, each


def test_the_page_lists_every_metric_of_the_services_and_no_other() -> None:
    listed = re.findall(r"^\| `(throughline_\w+)`", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(own_metrics())


def test_dashboards_are_told_apart_and_say_what_each_panel_shows() -> None:
    assert len({dashboard["uid"] for dashboard in dashboards()}) == len(dashboards()) == 3
    provisioned = yaml.safe_load((FOLDER / "grafana/provisioning/datasources/prometheus.yaml").read_text())
    uids = {source["uid"] for source in provisioned["datasources"]}
    for dashboard in dashboards():
        panels = dashboard["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        for panel in panels:
            assert all((panel["title"], panel["description"])), panel["id"]
            assert {target["datasource"]["uid"] for target in panel["targets"]} <= uids


def test_the_collector_receives_traces_and_names_only_what_it_declares() -> None:
    collector = yaml.safe_load((FOLDER / "otel-collector.yaml").read_text())
    assert set(collector["receivers"]["otlp"]["protocols"]) == {"grpc", "http"}
    pipeline = collector["service"]["pipelines"]["traces"]
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) <= set(collector[kind])
    assert set(collector["service"]["extensions"]) <= set(collector["extensions"])


@pytest.mark.servers
def test_every_metric_that_a_query_names_is_exported_by_a_running_service(stack: Stack, web: httpx2.Client) -> None:
    exported: dict[str, set[str]] = {}
    for service in ALL_FOUR:
        for family in text_string_to_metric_families(web.get(f"{stack.urls[service]}/metrics").text):
            names = {family.name, *(sample.name for sample in family.samples)}
            names |= {f"{family.name}_total"} if family.type == "counter" else set()
            names |= {f"{family.name}_{part}" for part in ("bucket", "count")} if family.type == "histogram" else set()
            for name in names:
                exported.setdefault(name, set()).add(service)
    missing = {each for each in named() if each.metric not in exported and each.metric not in OF_PROMETHEUS}
    assert not missing
    assert own_metrics().keys() <= exported.keys()
