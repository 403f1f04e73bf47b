"""The script that makes Temporal's namespace, on a real server that knows nothing of it yet."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.services import Addresses

SCRIPT = Path(__file__).parent.parent / "deploy" / "temporal" / "namespace.sh"
PROGRAMS = Path(sys.executable).parent


def _run(address: str, *command: str | Path, **more: str) -> "subprocess.CompletedProcess[str]":
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": "just-made", **more}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=150)


def test_the_namespace_is_right_the_first_time_and_a_second_run_changes_nothing(addresses: Addresses) -> None:
    told = {"RETENTION": "720h", "SEARCH_ATTRIBUTES": "HetaoStage=Keyword"}
    for _ in range(2):
        done = _run(addresses.temporal, "sh", SCRIPT, **told)
        assert done.returncode == 0, done.stdout + done.stderr

    shown = _run(addresses.temporal, "temporal", "operator", "namespace", "describe", "-n", "just-made", "-o", "json")
    assert json.loads(shown.stdout)["config"]["workflowExecutionRetentionTtl"] == "2592000s"
    listed = _run(addresses.temporal, "temporal", "operator", "search-attribute", "list", "-n", "just-made")
    assert "HetaoStage" in listed.stdout
