"""deploy/kubernetes: Prometheus finds each process by its port of metrics, with its operator or without."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.deploy.observability import PROMETHEUS, RULES
from tests.kubernetes import picture
from tests.kubernetes.rendering import rendered
from tools.local.stack import ALL_FOUR

pytestmark = pytest.mark.xdist_group("kubernetes")
EXPECTED = {**dict.fromkeys(ALL_FOUR, "http"), "console": "metrics"}
POD, PORT = "__meta_kubernetes_pod_label_", "__meta_kubernetes_pod_container_port_name"
(JOB,) = yaml.safe_load((PROMETHEUS / "kubernetes.yml").read_text())["scrape_configs"]


def monitors() -> list[dict[str, Any]]:
    return [each["spec"] for each in rendered("all options").of("PodMonitor")]


def test_the_job_keeps_one_port_of_each_process() -> None:
    (keep,) = [rule for rule in JOB["relabel_configs"] if rule.get("action") == "keep"]
    chosen = {}
    for workload in rendered("local").workloads:
        labels = {POD + re.sub(r"[^a-zA-Z0-9]", "_", name): value for name, value in workload.labels.items()}
        for port in workload.ports:
            values = labels | {PORT: port}
            if re.fullmatch(keep["regex"], ";".join(values.get(label, "") for label in keep["source_labels"])):
                assert chosen.setdefault(workload.name, port) == port
    assert chosen == EXPECTED


def test_the_operator_keeps_the_same_under_the_same_job_and_instance() -> None:
    chosen = {}
    for workload in rendered("all options").workloads:
        for monitor in monitors():
            if monitor["selector"]["matchLabels"].items() <= workload.labels.items():
                (endpoint,) = monitor["podMetricsEndpoints"]
                assert endpoint["port"] in workload.ports
                assert chosen.setdefault(workload.name, endpoint["port"]) == endpoint["port"]
                assert workload.labels[monitor["jobLabel"]] == JOB["job_name"]
    assert chosen == EXPECTED
    named = [rule for rule in JOB["relabel_configs"] if rule.get("target_label") == "instance"]
    for monitor in monitors():
        renamed = monitor["podMetricsEndpoints"][0]["relabelings"]
        assert [(rule["sourceLabels"], rule["targetLabel"]) for rule in renamed] == [
            (rule["source_labels"], rule["target_label"]) for rule in named
        ]


def test_the_operator_has_the_rules_of_prometheus() -> None:
    (rule,) = rendered("all options").of("PrometheusRule")
    assert rule["spec"]["groups"] == [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]


def test_prometheus_may_reach_each_port_that_it_scrapes_and_no_other() -> None:
    scraped = {
        picture.Way(picture.PROMETHEUS, name, f"TCP {rendered('production').workload(name).ports[port]}")
        for name, port in EXPECTED.items()
    }
    assert {way for way in picture.of_the_table() if way.source == picture.PROMETHEUS} == scraped


def test_no_service_of_kubernetes_and_so_no_ingress_leads_to_the_metrics_of_the_console() -> None:
    (service,) = [each for each in rendered("production").of("Service") if each["metadata"]["name"] == "console"]
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]
