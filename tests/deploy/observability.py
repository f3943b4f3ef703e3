"""The files of deploy/observability, and what their queries name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser
import yaml

from tools.files import CHECKOUT

FOLDER = CHECKOUT / "deploy/observability"
PROMETHEUS = FOLDER / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
DASHBOARDS = sorted((FOLDER / "grafana/dashboards").glob("*.json"))
OF_PROMETHEUS = {"up": ["job", "instance"], "ALERTS": ["alertname", "alertstate"]}
"""Metrics that Prometheus makes itself."""
_VARIABLE = re.compile(r"\$\w+")


def alerts() -> list[dict[str, Any]]:
    """Return every alert of the rules."""
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def dashboards() -> list[dict[str, Any]]:
    """Return every dashboard."""
    return [json.loads(file.read_text()) for file in DASHBOARDS]


def queries() -> Iterator[tuple[str, str]]:
    """Yield each query, after where it stands."""
    for alert in alerts():
        yield alert["alert"], alert["expr"]
    for dashboard in dashboards():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield f"{dashboard['uid']}: {panel['title']}", _VARIABLE.sub("x", target["expr"])


@dataclass(frozen=True)
class Named:
    """A metric that a query names, with the labels by which it selects."""

    where: str
    metric: str
    labels: frozenset[str]


def named() -> list[Named]:
    """Return every metric that a query names. Raises ValueError where a query is no PromQL."""
    metrics: list[Named] = []
    for where, query in queries():

        def visit(expression: promql_parser.Expr, where: str = where) -> bool:
            if isinstance(expression, promql_parser.VectorSelector):
                labels = frozenset(matcher.name for matcher in expression.matchers.matchers)
                metrics.append(Named(where, expression.name or "", labels))
            return True

        promql_parser.walk(promql_parser.parse(query), visit)
    return metrics
