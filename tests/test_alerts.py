"""Alerts and dashboard can be read, ask for metrics that there are, and each alert has its page and is seen to fire."""

import json
import re
import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY, generate_latest
from sqlalchemy import text

import api.app
import worker
from store.database import Database

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "prometheus"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
TESTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text(encoding="utf-8"))["tests"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "hetao.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [rule["expr"] for rule in RULES.values()] + [
    target["expr"] for panel in PANELS for target in panel["targets"]
]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PAGES = dict(re.findall(r"^### (Hetao\w+)\n\n(.+?)(?=\n##)", OPERATIONS, re.MULTILINE | re.DOTALL))
# Of the SDK's core: tests/temporal/test_core_metrics.py sees a worker count them.
CORE = {
    "temporal_activity_execution_failed",
    "temporal_activity_execution_latency_seconds",
    "temporal_activity_schedule_to_start_latency_seconds",
    "temporal_long_request_failure",
    "temporal_request_failure",
    "temporal_worker_task_slots_available",
    "temporal_worker_task_slots_used",
    "temporal_workflow_task_execution_failed",
    "temporal_workflow_task_execution_latency_seconds",
    "temporal_workflow_task_schedule_to_start_latency_seconds",
}


def _metrics(expression: str) -> set[str]:
    """Return the names that an expression asks for; one that cannot be read raises."""
    names: set[str] = set()

    def visit(part: Any) -> bool:
        if isinstance(part, promql_parser.VectorSelector):
            assert part.name is not None
            names.add(part.name)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    return names


def _known() -> set[str]:
    """Return the names of all series that our processes give."""
    assert {api.app.__name__, worker.__name__} == {"api.app", "worker"}  # whose imports declare them
    core = {f"{name}{suffix}" for name in CORE for suffix in ("", "_total", "_bucket", "_count")}
    return set(REGISTRY._names_to_collectors) | core | {"up"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_metrics_that_there_are(expression: str) -> None:
    asked = _metrics(expression)
    assert asked or expression == "time()"
    assert asked <= _known()


def test_names_follow_the_conventions_of_prometheus() -> None:
    ours = [metric for metric in REGISTRY.collect() if metric.name.startswith("hetao_")]
    assert _known()
    for metric in ours:
        assert re.fullmatch(r"hetao(_[a-z]+)+", metric.name), metric.name
        assert metric.documentation.endswith("."), metric.name
        assert not re.search(r"_(ms|milliseconds|minutes|hours|days|created)$", metric.name)
        assert not any(sample.name.endswith("_created") for sample in metric.samples), metric.name


@pytest.mark.parametrize("name", sorted(RULES))
def test_an_alert_has_a_page_that_says_what_to_do(name: str) -> None:
    rule = RULES[name]
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert re.search(r"\*\*Means\.\*\* .+\*\*Look\.\*\* .+\*\*Do\.\*\* ", PAGES[name], re.DOTALL), name
    assert "`" in PAGES[name], "names what is looked at, or which command mends it"


async def test_a_statement_of_a_page_can_be_run_as_the_page_says(clean_database: str) -> None:
    statements = [" ".join(each.split()) for page in PAGES.values() for each in re.findall(r"`(SELECT [^`]+)`", page)]
    assert len(statements) >= 4
    database = Database(clean_database, pool_size=1)
    async with database.engine.begin() as connection:
        await connection.execute(text("SET hetao.tenant = '*'"))
        for each in statements:
            await connection.execute(text(f"EXPLAIN {each.replace('PID', '1')}"))
    await database.close()


@pytest.mark.parametrize("name", sorted(RULES))
def test_what_a_page_names_is_somewhere_in_the_code(name: str) -> None:
    """Events of the log, fields, kinds of incidents and metrics: a page that names what is not there misleads."""
    for each in set(re.findall(r"`([a-z]+(?:_[a-z]+)+)(?:\{[^}]*\})?`", PAGES[name])):
        assert each in _known() or each in _source() or each in ("max_connections", "application_name"), each


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_panel_that_a_page_names_is_on_the_dashboard(name: str) -> None:
    titles = {panel["title"] for panel in PANELS}
    for sentence in re.findall(r"[Pp]anels? ([^.:;]+)", PAGES[name]):
        assert set(re.findall(r"\*([^*]+)\*", sentence)) <= titles, sentence


def test_a_link_within_the_page_leads_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", OPERATIONS, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", each.lower()).replace(" ", "-") for each in headings}
    anchors |= set(re.findall(r'<a id="([^"]+)">', OPERATIONS))
    assert set(re.findall(r"\]\(#([^)\s]+)\)", OPERATIONS)) <= anchors


@cache
def _source() -> str:
    """Return the code of the service, in one text."""
    folders = (
        "activities", "api", "cases", "domain", "policy/packs", "privacy", "programmes", "record", "register", "store",
        "temporal", "workflows",
    )  # fmt: skip
    files = [ROOT / "worker.py", *(file for folder in folders for file in (ROOT / folder).rglob("*.py"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_a_page_is_of_an_alert_that_there_is() -> None:
    assert list(PAGES) == list(RULES)


@pytest.mark.parametrize("name", sorted(RULES))
def test_an_alert_is_seen_to_fire_and_to_be_silent(name: str) -> None:
    told = [each for test in TESTS for each in test["alert_rule_test"] if each["alertname"] == name]
    assert any(each.get("exp_alerts") for each in told)
    assert any(not each.get("exp_alerts") for each in told)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_the_rules_and_their_tests_hold() -> None:
    for command in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]):
        done = subprocess.run(["promtool", *command], cwd=FOLDER, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_no_fault_with_our_names() -> None:
    assert _known()
    ours = [line for line in generate_latest().decode().splitlines() if re.match("(# [A-Z]+ )?hetao_", line)]
    done = subprocess.run(
        ["promtool", "check", "metrics"], input="\n".join([*ours, ""]), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_dashboard_has_each_panel_once_and_in_a_place_of_its_own() -> None:
    everything = DASHBOARD["panels"]
    assert all(count == 1 for count in Counter(panel["id"] for panel in everything).values())
    assert all(count == 1 for count in Counter(panel["title"] for panel in everything).values())
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert all(panel["description"] for panel in PANELS)
