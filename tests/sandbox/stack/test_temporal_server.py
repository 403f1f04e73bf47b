import os
import shutil
import signal
import subprocess
from pathlib import Path

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from sandbox.stack.ports import free_port
from sandbox.stack.temporal_server import NAMESPACE, TemporalServer
from tests.sandbox.waiting import until


def _server(directory: Path) -> TemporalServer:
    return TemporalServer(
        directory, free_port(), free_port(), search_attributes={"HetaoTest": "Keyword"}, codec_endpoint="http://x/codec"
    )


async def test_a_workflow_in_flight_is_there_after_a_kill(tmp_path: Path) -> None:
    server = _server(tmp_path)
    server.start()
    client = await Client.connect(server.address)
    handle = await client.start_workflow("Nobody", id="in-flight", task_queue="none")
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: server.pid is None)
    server.start()
    again = await Client.connect(server.address)
    described = await again.get_workflow_handle("in-flight").describe()
    assert (described.run_id, described.close_time) == (handle.first_execution_run_id, None)
    namespace = await again.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=NAMESPACE))
    assert namespace.config.workflow_execution_retention_ttl.seconds == 30 * 24 * 3600
    # The file's own mark of its journal: 2 is a write-ahead log (SQLite file format, offset 18).
    assert (tmp_path / "temporal.db").read_bytes()[18] == 2
    server.stop()


def test_the_command_never_skips_time_by_itself(tmp_path: Path) -> None:
    command = _server(tmp_path).command()
    assert shutil.which(command[0])
    assert not [part for part in command if "TimeSkipping" in part or "ReuseMinimalInterval" in part]
    assert command[command.index("--ip") + 1] == "127.0.0.1"


def test_the_pinned_program_knows_every_option_used(tmp_path: Path) -> None:
    command = _server(tmp_path).command()
    known = subprocess.run([*command[:3], "--help"], capture_output=True, text=True, check=True).stdout
    shown = subprocess.run([command[0], "options"], capture_output=True, text=True, check=False).stdout
    assert [part for part in command if part.startswith("--") and part not in known + shown] == []
