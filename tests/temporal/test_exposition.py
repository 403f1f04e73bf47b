"""The port of metrics: ours and the core's in one text, by Prometheus' conventions."""

import socket
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import httpx
import pytest
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client

from sandbox.stack.ports import free_port
from temporal.exposition import exposition, serve_metrics
from temporal.runtime import EngineRuntime, start_runtime

_COUNTED = Counter("hetao_test_exposition", "Counted by a test.")


@pytest.fixture(scope="module")
def runtime() -> EngineRuntime:
    return start_runtime(counts=True)


@pytest.fixture
def port(runtime: EngineRuntime) -> Iterator[int]:
    port = free_port()
    beside = {"/health/ready": lambda: ("503 Service Unavailable", "application/json", b'{"status":"away"}')}
    server = serve_metrics(port, core_url=runtime.metrics_url, beside=beside)
    assert server is not None
    yield port
    server.shutdown()
    server.server_close()


async def test_one_port_has_ours_and_the_cores(port: int, runtime: EngineRuntime, temporal_address: str) -> None:
    _COUNTED.inc()
    await Client.connect(temporal_address, runtime=runtime.runtime)
    async with httpx.AsyncClient() as client:
        response = await client.get(f"http://127.0.0.1:{port}/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = response.text
    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert {"hetao_test_exposition", "temporal_request_latency_seconds"} <= set(names)
    # Durations are seconds, counters end with `_total`, and nothing tells when it began.
    assert "hetao_test_exposition_total 1.0" in text
    assert "temporal_request_total{" in text
    assert "_created" not in text


def test_what_else_is_asked_there(port: int) -> None:
    with pytest.raises(HTTPError) as answered:
        urlopen(f"http://127.0.0.1:{port}/health/ready")
    assert answered.value.code == 503
    assert answered.value.read() == b'{"status":"away"}'
    with pytest.raises(HTTPError) as unknown:
        urlopen(f"http://127.0.0.1:{port}/")
    assert unknown.value.code == 404
    answered.value.close()
    unknown.value.close()


def test_ours_are_told_without_a_core_too() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{taken.getsockname()[1]}/metrics"
        assert b"hetao_test_exposition_total" in exposition(away)
    assert b"hetao_test_exposition_total" in exposition(None)


def test_port_0_is_off() -> None:
    assert serve_metrics(0) is None


def test_a_port_that_is_taken_for_the_core_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1], ours])
        monkeypatch.setattr("temporal.runtime._free_port", lambda: next(ports))
        assert start_runtime(counts=True).metrics_url == f"http://127.0.0.1:{ours}/metrics"
