"""Alerts and the dashboard look at metrics that exist, and lead to sections of the runbook that exist."""

import json
import re

import pytest
from ruamel.yaml import YAML

from agents.worker.metrics import Metrics
from schemas.terms import EscalationKind, SlaMetric
from tests.house.command import ROOT

ALERTS = [
    rule for group in YAML(typ="safe", pure=True).load(ROOT / "deploy/alerts.yml")["groups"] for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/mindgap.json").read_text())
SECTIONS = set(re.findall(r"^### (\w+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE))


def _exported() -> set[str]:
    """The names of all samples: `x_total` of a counter, `x_bucket` of a histogram, `x` of a gauge."""
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    families = Metrics().registry.collect()
    return {family.name + ending for family in families for ending in endings[family.type]}


def _named(expression: str) -> set[str]:
    return set(re.findall(r"\bmindgap_\w+", expression))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_looks_at_metrics_that_exist_and_says_what_to_do(alert):
    """Its metrics are exported, and its runbook link is a section of its own name."""
    assert _named(alert["expr"]) <= _exported()
    assert alert["annotations"]["runbook"] == f"docs/runbook.md#{alert['alert'].lower()}"
    assert alert["alert"] in SECTIONS


@pytest.mark.parametrize(
    "metric",
    [
        "mindgap_unreadable_state",
        "mindgap_internal_errors_total",
        "mindgap_outputs_refused_total",
        "mindgap_paging_off",
    ],
)
def test_what_nothing_else_would_show_calls_somebody(metric):
    """Where a partition goes on without what failed, no lag tells of it: such a metric has an alert."""
    assert any(metric in _named(alert["expr"]) for alert in ALERTS)


@pytest.mark.parametrize("panel", DASHBOARD["panels"], ids=lambda panel: panel["title"])
def test_a_panel_looks_at_metrics_that_exist(panel):
    """A renamed metric empties no panel unnoticed."""
    named = set().union(*(_named(target["expr"]) for target in panel["targets"]))
    assert named
    assert named <= _exported()


def test_every_escalation_leads_to_a_section_of_the_runbook():
    """An `sla` escalation names its metric, the other kinds their kind: each has a section."""
    assert set(SlaMetric.__args__) | (set(EscalationKind.__args__) - {"sla"}) <= SECTIONS
