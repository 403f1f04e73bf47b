"""A Temporal that asks for TLS and an API key, as its Cloud does: all that is done there, and what failures say."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.service import RPCError

from domain.checkups import Health, Line
from domain.errors import SettingError
from domain.messages import REGISTRATION_QUEUE
from domain.stages import Stage
from programmes import CASE_TYPES
from temporal.api_key import keep_reading_api_key, read_api_key
from temporal.away import NotConnectedError, explain
from temporal.check import look_at_temporal
from temporal.client import connect, connect_config
from temporal.deployments import Deployments
from temporal.engine import TemporalEngine
from tests.cases.contexts import shared_keyring
from tests.temporal.gateway import Certificates, Gateway, make_certificates, open_gateway
from tests.workflows.world import open_world
from workflows import archive, authority_poll, notification, reconciliation, retention, seal_check
from workflows.ensured import ensure_all

_PARTS = (archive, authority_poll, reconciliation, retention, seal_check)
_SCHEDULES = [part.SCHEDULE_ID for part in _PARTS]
_CHANNELS = [notification.notification_workflow_id(channel) for channel in notification.CHANNELS]


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return make_certificates()


@pytest_asyncio.fixture
async def gateway(temporal_address: str, certificates: Certificates) -> AsyncIterator[Gateway]:
    async with open_gateway(temporal_address, certificates, {"first-key"}) as gateway:
        yield gateway


@pytest.fixture
def key_file(
    gateway: Gateway,
    certificates: Certificates,
    temporal_namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The file with the API key; the environment says where the gateway is."""
    _tell(monkeypatch, certificates.write(tmp_path), gateway.address, temporal_namespace)
    for name in ("TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_KEY_PATH"):
        monkeypatch.delenv(name)
    return _write(tmp_path / "api-key", "first-key\n")


def _tell(monkeypatch: pytest.MonkeyPatch, told: dict[str, str], address: str, namespace: str) -> None:
    further = {"TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": namespace, "TEMPORAL_CONFIG_FILE": "/dev/null"}
    for name, value in {**told, **further}.items():
        monkeypatch.setenv(name, value)


def _write(path: Path, key: str) -> Path:
    path.write_text(key, encoding="ascii")
    path.chmod(0o600)
    return path


async def _doctor(key_file: Path | None) -> list[Line]:
    return await look_at_temporal(
        shared_keyring(), [REGISTRATION_QUEUE], _SCHEDULES, _CHANNELS, "hetao", api_key_file=key_file
    )


async def test_a_case_is_carried_schedules_are_made_and_the_doctor_is_well_through_tls_and_key(
    clean_database: str, key_file: Path, gateway: Gateway, temporal_client: Client
) -> None:
    client = await connect(shared_keyring(), api_key_file=key_file)
    try:
        async with open_world(clean_database, client) as world:
            assert await world.engine.is_up()
            await ensure_all(world.client)
            case = await world.submit()
            assert (await case.decide("approve")).progress == "applied"
            assert await case.stage() is Stage.APPROVED
            lines = {line.name: line.health for line in await _doctor(key_file)}
    finally:
        for schedule_id in _SCHEDULES:
            await temporal_client.get_schedule_handle(schedule_id).delete()
        for channel in _CHANNELS:
            await temporal_client.get_workflow_handle(channel).terminate()
    assert {lines[name] for name in ("Temporal", "workers", "Schedules", "channels")} == {Health.OK}
    for method in (
        "StartWorkflowExecution",
        "ExecuteMultiOperation",  # the update of a decision, with the start of a workflow that is gone
        "PollWorkflowTaskQueue",
        "PollActivityTaskQueue",
        "CreateSchedule",
        "DescribeNamespace",
    ):
        assert gateway.keys_of(method) == {"first-key"}, method


async def test_a_server_that_is_too_busy_to_tell_the_versions_is_asked_again(key_file: Path, gateway: Gateway) -> None:
    client = await connect(shared_keyring(), api_key_file=key_file)
    gateway.too_busy["DescribeWorkerDeployment"] = 2
    assert (await Deployments(client, "none").read()).current is None
    assert [method for method, _ in gateway.calls].count("DescribeWorkerDeployment") == 3


async def test_a_key_that_changes_in_the_file_is_shown_from_then_on_by_client_and_worker(
    clean_database: str, key_file: Path, gateway: Gateway
) -> None:
    client = await connect(shared_keyring(), api_key_file=key_file)
    stopping = asyncio.Event()
    reading = asyncio.create_task(keep_reading_api_key(client, key_file, stopping, every=0.02))
    async with open_world(clean_database, client) as world:
        await world.submit()
        # Two keys are good while they are exchanged; then the first one ends.
        gateway.api_keys.add("second-key")
        _write(key_file, "")
        await asyncio.sleep(0.1)
        assert client.api_key == "first-key"  # a file half written changes nothing
        _write(key_file, "second-key")
        async with asyncio.timeout(10):
            while client.api_key != "second-key":  # noqa: ASYNC110 - the file is looked at, and tells nobody
                await asyncio.sleep(0.02)
        gateway.calls.clear()
        case = await world.submit(identity_number="33010619860128072X")
        assert gateway.keys_of("StartWorkflowExecution") == {"second-key"}
        assert (await case.decide("approve")).progress == "applied"
        assert gateway.keys_of("PollWorkflowTaskQueue") == {"second-key"}
        gateway.api_keys.discard("first-key")
        assert await world.engine.is_up()
    stopping.set()
    await reading


@pytest.mark.parametrize(
    ("spoil", "code", "to_do"),
    [
        ("key", "key_refused", "HETAO_TEMPORAL_API_KEY_FILE"),
        ("no key", "key_refused", "HETAO_TEMPORAL_API_KEY_FILE"),
        ("authority", "certificate_not_trusted", "TEMPORAL_TLS_SERVER_CA_CERT_PATH"),
        ("name", "certificate_of_another", "TEMPORAL_TLS_SERVER_NAME"),
        ("no tls", "closed_on_us", "TEMPORAL_TLS=true"),
        ("tls where none is", "no_tls_there", "TEMPORAL_TLS=false"),
        ("host", "no_such_host", "TEMPORAL_ADDRESS"),
        ("port", "no_answer", "TEMPORAL_ADDRESS"),
    ],
)
async def test_what_is_wrong_is_one_plain_line_without_the_key(
    spoil: str,
    code: str,
    to_do: str,
    key_file: Path,
    temporal_address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: Path | None = key_file
    match spoil:
        case "key":
            _write(key_file, "of-nobody")
        case "no key":
            given = None
        case "authority":
            (tmp_path / "ca.pem").write_bytes(make_certificates().authority)
        case "name":
            monkeypatch.setenv("TEMPORAL_TLS_SERVER_NAME", "another.tmprl.example")
        case "no tls":
            for name in ("TEMPORAL_TLS_SERVER_NAME", "TEMPORAL_TLS_SERVER_CA_CERT_PATH"):
                monkeypatch.delenv(name)
            monkeypatch.setenv("TEMPORAL_TLS", "false")
        case "tls where none is":
            monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
        case "host":
            monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.invalid:7233")
        case "port":
            monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    with pytest.raises(NotConnectedError) as caught:
        await connect(shared_keyring(), api_key_file=given)
    assert caught.value.away.code == code
    assert to_do in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not {"first-key", "of-nobody"} & set(str(caught.value).split())
    (line,) = await _doctor(given)
    assert (line.name, line.health) == ("Temporal", Health.FAIL)
    assert to_do in line.to_do


async def test_a_client_certificate_is_shown_where_one_is_asked_for(
    temporal_address: str,
    temporal_namespace: str,
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key_file = _write(tmp_path / "api-key", "first-key")
    async with open_gateway(temporal_address, certificates, {"first-key"}, asks_client=True) as gateway:
        _tell(monkeypatch, certificates.write(tmp_path), gateway.address, temporal_namespace)
        client = await connect(shared_keyring(), api_key_file=key_file)
        assert await TemporalEngine(client, CASE_TYPES).is_up()
        monkeypatch.delenv("TEMPORAL_TLS_CLIENT_CERT_PATH")
        monkeypatch.delenv("TEMPORAL_TLS_CLIENT_KEY_PATH")
        with pytest.raises(NotConnectedError) as caught:
            await connect(shared_keyring(), api_key_file=key_file)
    assert caught.value.away.code == "closed_on_us"


async def test_a_key_that_ends_while_a_process_runs_is_said_once_and_mended_by_the_file(
    key_file: Path, gateway: Gateway
) -> None:
    client = await connect(shared_keyring(), api_key_file=key_file)
    engine = TemporalEngine(client, CASE_TYPES)
    gateway.api_keys.clear()
    with pytest.raises(RPCError) as refused:
        await client.count_workflows()
    assert explain(refused.value).code == "key_refused"
    with capture_logs() as said:
        assert [await engine.is_up() for _ in range(2)] == [False, False]
    assert [(line["event"], line["error"]) for line in said] == [("temporal_away", "key_refused")]
    gateway.api_keys.add("second-key")
    stopping = asyncio.Event()
    reading = asyncio.create_task(keep_reading_api_key(client, _write(key_file, "second-key"), stopping, every=0.02))
    async with asyncio.timeout(10):
        while not await engine.is_up():  # noqa: ASYNC110 - it is asked, and tells nobody
            await asyncio.sleep(0.02)
    stopping.set()
    await reading


def test_a_file_that_is_no_key_is_named_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "api-key"
    assert read_api_key(_write(path, "  eyJhbGciOi.J9.x-y_z \n")) == "eyJhbGciOi.J9.x-y_z"
    for content in ("", "\n", "two words", "one\ntwo"):
        with pytest.raises(SettingError, match=r"HETAO_TEMPORAL_API_KEY_FILE: .* holds no API key") as caught:
            read_api_key(_write(path, content))
        assert "two" not in str(caught.value)
    _write(path, "secret-of-mine").chmod(0o644)
    with pytest.raises(SettingError, match="chmod 0600"):
        read_api_key(path)
    with pytest.raises(SettingError, match="cannot be read"):
        read_api_key(tmp_path / "none")
    _write(path, "secret-of-mine")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
    assert connect_config(path)["tls"] is True  # never shown in clear unless told so
    monkeypatch.setenv("TEMPORAL_API_KEY", "another-secret")
    with pytest.raises(SettingError, match="TEMPORAL_API_KEY: leave it out") as caught:
        connect_config(path)
    assert "secret" not in str(caught.value)
