"""What a worker takes for a refusal that passes, what for a failure of its own, and that it serves again."""

import asyncio
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from domain.errors import SettingError
from temporal import serving
from temporal.serving import WorkersFailedError, keep_serving, refusal

# As the SDK's core says it.
_REFUSED = 'Poll failure: Unhandled grpc error when polling: Status { code: PermissionDenied, message: "code: Ok" }'
_ODD = 'Poll failure: Unhandled grpc error when polling: Status { code: InvalidArgument, message: "" }'


@activity.defn
async def _nothing() -> None:
    """Be there to be polled for."""


def _ended(said: str) -> RuntimeError:
    error = RuntimeError("Activity worker failed")
    error.__cause__ = RuntimeError(said)
    return error


async def test_what_the_sdk_says_of_a_namespace_that_is_not_there_is_understood(temporal_client: Client) -> None:
    config = temporal_client.config()
    config["namespace"] = "nowhere"
    with pytest.raises(RuntimeError) as raised:
        await Worker(Client(**config), task_queue=f"serving-{uuid4()}", activities=[_nothing]).run()
    assert refusal(raised.value) == "namespace_not_found"
    assert refusal(_ended(_REFUSED)) == "permission_denied"
    assert refusal(_ended("Failed creating worker: code: NotFound")) == ""
    assert refusal(TimeoutError()) == ""


async def test_it_waits_while_it_is_refused_says_so_once_and_serves_on_a_connection_of_its_own_each_time(
    temporal_client: Client, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_FIRST_PAUSE", 0.0)
    stopping, told, served = asyncio.Event(), list[str | None](), list[Client]()
    ways: list[BaseException] = [
        SettingError("a file that is being written"),
        RuntimeError("Failed client connect: tcp connect error"),
        RuntimeError('Failed client connect: Status { code: Unauthenticated, message: "" }'),
    ]

    async def reach() -> Client:
        if ways:
            raise ways.pop(0)
        return await Client.connect(temporal_address, namespace=temporal_client.namespace)

    async def serve(client: Client) -> None:
        served.append(client)
        if len(served) <= serving._TRIES * 2:
            raise _ended(_REFUSED)
        if len(served) == serving._TRIES * 2 + 1:
            return  # refused, and ended by itself
        stopping.set()

    with capture_logs() as lines:
        await keep_serving(reach, serve, stopping, told=told.append, longest_pause=0.0)
    whys = ["setting", "unavailable", "unauthenticated"]
    assert told[:4] == [*whys, None]
    assert told[-1] is None
    said = [(line["event"], line.get("why") or line["after"]) for line in lines]
    assert said[:4] == [*(("worker_waits", why) for why in whys), ("worker_goes_on", "unauthenticated")]
    assert said[-2:] == [("worker_waits", "permission_denied"), ("worker_goes_on", "permission_denied")]
    assert len(set(map(id, served))) == serving._TRIES * 2 + 2


@pytest.mark.parametrize(("error", "tries"), [(RuntimeError("Failed creating worker"), 1), (_ended(_ODD), 5)])
async def test_what_waiting_does_not_mend_is_raised(
    temporal_client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, tries: int
) -> None:
    monkeypatch.setattr(serving, "_FIRST_PAUSE", 0.0)
    times = 0

    async def reach() -> Client:
        return temporal_client

    async def serve(_client: Client) -> None:
        nonlocal times
        times += 1
        raise error

    with pytest.raises(WorkersFailedError):
        await keep_serving(reach, serve, asyncio.Event(), longest_pause=0.0)
    assert times == tries
