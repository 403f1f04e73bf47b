import asyncio
import base64
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.service import RPCError

from bench.embedded import COMMAND, Up
from sandbox.demo.api import Callers
from sandbox.stack.accounts import OF_NOBODY_ELSE
from sandbox.standins import control
from sandbox.standins.issuer import PERSONAS
from tests.e2e.checkout import closed_checkout
from tests.e2e.people import registration
from tests.e2e.witness import Witness, rewrite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witness]:
    witness = Witness(tmp_path_factory.mktemp("other side") / "witness")
    try:
        yield witness
    finally:
        witness.kill()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that none but its owner may enter, as root's home is; checkout and data lie in it."""
    return tmp_path_factory.mktemp("home") / "closed"


@pytest.fixture(scope="module")
def stack(home: Path, witness: Witness) -> Iterator[Up]:
    python = closed_checkout(home)
    up = Up(home / "hetao" / ".hetao", (str(python), "-P", "-m", "cli", "up", "--json"))
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("HETAO_WITNESS_KEYS", witness.public)
            up.start()
            yield up
    finally:
        up.stop()


def hetao(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)


async def read(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(url, headers=headers)


async def test_health_docs_and_the_pages_that_the_ready_line_names_are_served(stack: Up) -> None:
    ready = (await read(stack.ready["api"] + "/health/ready")).json()
    assert ready == {"status": "ready", "postgresql": "up", "temporal": "up"}
    for page in (stack.ready["console"], stack.ready["temporal_ui"], stack.ready["mail"]):
        answer = await read(page)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/html")
    for part, metric in (("api_metrics", "python_info"), ("worker_metrics", "python_info")):
        assert metric in (await read(stack.stack.url(part) + "/metrics")).text
    async with asyncio.timeout(30):
        # The server notes the first poll within a moment of the start.
        while (await read(stack.stack.url("worker_metrics") + "/health/ready")).status_code != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def test_the_doctor_finds_a_stack_that_was_just_brought_up_well(stack: Up) -> None:
    looked = hetao("doctor", "--data-dir", str(stack.directory), "--json")
    lines = json.loads(looked.stdout)["lines"]
    assert (looked.returncode, [line for line in lines if line["health"] == "fail"]) == (0, []), looked.stderr
    assert {line["name"] for line in lines} >= {"schema", "Schedules", "channels", "clock of Temporal", "employers"}


def test_it_runs_from_a_checkout_in_a_home_closed_to_all_others_and_closes_what_it_keeps(stack: Up, home: Path) -> None:
    """Where we are root, PostgreSQL runs as a user of its own, who may not enter that home."""
    process = Path(f"/proc/{stack.pid('postgres')}")
    database = process.stat().st_uid
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert (process / "cwd").resolve() == (stack.directory / "postgres" / "data").resolve()
    assert not (process / "exe").resolve().is_relative_to(home.resolve()) or os.geteuid() != 0
    if os.geteuid() == 0:
        assert database in OF_NOBODY_ELSE
    for path in (stack.directory, *stack.directory.rglob("*")):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue  # The servers make and remove files.
        assert stat.S_IMODE(found.st_mode) & 0o077 == 0, path
        in_database = path.is_relative_to(stack.directory / "postgres" / "data")
        assert found.st_uid == (database if in_database else os.geteuid()), path


async def test_a_token_speaks_for_every_persona(stack: Up) -> None:
    printed = await asyncio.to_thread(hetao, "token", "officer-1", "--data-dir", str(stack.directory))
    assert (printed.returncode, printed.stdout.count(".")) == (0, 2)

    async def status(persona: str) -> int:
        bearer = f"Bearer {control.token(stack.directory, persona)}"
        return (await read(stack.ready["api"] + "/v1/registrations", Authorization=bearer)).status_code

    found = {persona: await status(persona) for persona in PERSONAS}
    may_not = {"operator", "authority", *(persona for persona in PERSONAS if persona.startswith("person-"))}
    assert found == {persona: 403 if persona in may_not else 200 for persona in PERSONAS}


def test_a_second_up_on_the_same_directory_is_refused(stack: Up) -> None:
    refused = hetao("up", "--json", "--data-dir", str(stack.directory))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"process {stack.pid('up')}" in refused.stderr


async def test_loading_the_register_again_changes_nothing(stack: Up) -> None:
    before = await stack.rows("SELECT employer_id, valid_from FROM employer_versions ORDER BY 1, 2")
    assert len(before) == 2
    log = (stack.directory / "logs" / "register.log").read_text()
    assert json.loads(log)["employers"] == 2


async def test_temporal_keeps_no_personal_data_and_its_web_ui_reads_through_the_codec_route(stack: Up) -> None:
    body = registration(1)
    async with Callers(stack.stack) as callers:
        case = await callers.write("employer-a", "POST", "/v1/registrations", body)
    payloads = await first_payloads(stack, case["workflow_id"])
    assert {payload["metadata"]["encoding"] for payload in payloads} == {in_base64(b"binary/hetao-aes-gcm")}
    settings = (await read(stack.ready["temporal_ui"] + "/api/v1/settings")).json()
    endpoint = settings["Codec"]["Endpoint"]
    assert endpoint.startswith(stack.ready["api"] + "/codec/")
    decoded = await decode(endpoint, payloads, stack.ready["temporal_ui"])
    told = " ".join(base64.b64decode(payload["data"]).decode() for payload in decoded)
    assert case["reference"] in told
    person = body["person"]
    for personal in (person["name_zh"], person["name_en"], person["identity_number"], person["email"]):
        assert personal not in told


async def test_a_poisoned_case_gets_stuck_and_goes_on_once_healed_and_resumed(stack: Up) -> None:
    where = ("--data-dir", str(stack.directory))
    async with Callers(stack.stack) as callers:
        case = await callers.write("employer-a", "POST", "/v1/registrations", registration(7))
        path = f"/v1/registrations/{case['reference']}"
        await reaches(callers, path, "under_review")
        poisoned = await asyncio.to_thread(hetao, "sandbox", "poison", case["reference"], *where)
        assert poisoned.returncode == 0, poisoned.stderr
        incident = await callers.get("operator", f"/v1/incidents/{json.loads(poisoned.stdout)['incident']}")
        assert (incident["reason"], incident["case"]["stage"]) == ("poisoned", "under_review")
        assert incident["case"]["workflow_id"] == case["workflow_id"]
        healed = await asyncio.to_thread(hetao, "sandbox", "heal", case["reference"], *where)
        assert json.loads(healed.stdout)["incident"] == incident["id"]
        await callers.write("operator", "POST", f"/v1/incidents/{incident['id']}/resume", {})
        await callers.write("officer-1", "POST", f"{path}/decision", {"action": "approve", "round": 1})
        await reaches(callers, path, "approved")
    unknown = await asyncio.to_thread(hetao, "sandbox", "poison", "HT-0000-0000-E", *where)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "no case of this reference" in unknown.stderr


async def reaches(callers: Callers, path: str, stage: str) -> None:
    """Wait until a case stands where it should."""
    for _ in range(150):
        if (await callers.get("employer-a", path))["stage"] == stage:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"{path} does not reach {stage}")


async def decode(endpoint: str, payloads: list[dict[str, Any]], origin: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False) as http:
        # As the web UI sends it (tests/api/test_codec_route.py compares with the one in the wheel).
        address, sent = f"{endpoint}/decode?preserveStorageRefs=true", {"Origin": origin, "X-Namespace": "default"}
        asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
        asked = await http.options(address, headers={"Origin": origin} | asking)
        assert {"content-type", "x-namespace"} <= set(asked.headers["access-control-allow-headers"].split(", "))
        answer = await http.post(address, json={"payloads": payloads}, headers=sent)
        elsewhere = await http.post(f"{endpoint}x/decode", json={"payloads": payloads}, headers={"Origin": origin})
    assert elsewhere.status_code == 404
    assert {each.headers["access-control-allow-origin"] for each in (asked, answer)} == {origin}
    found: list[dict[str, Any]] = answer.json()["payloads"]
    return found


async def first_payloads(stack: Up, workflow_id: str) -> list[dict[str, Any]]:
    """The input of a workflow as Temporal keeps it."""
    client = await Client.connect(stack.ready["temporal_address"])
    request = GetWorkflowExecutionHistoryRequest(namespace="default")
    request.execution.workflow_id = workflow_id
    for _ in range(50):
        try:
            history = await client.workflow_service.get_workflow_execution_history(request)
            break
        except RPCError:  # The workflow is started after the answer.
            await asyncio.sleep(0.2)
    given = history.history.events[0].workflow_execution_started_event_attributes.input.payloads
    return [
        {"metadata": {name: in_base64(value) for name, value in each.metadata.items()}, "data": in_base64(each.data)}
        for each in given
    ]


def in_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


async def test_after_a_clean_end_a_second_up_goes_on_with_the_case(stack: Up) -> None:
    async with Callers(stack.stack) as callers:
        case = await callers.write("employer-a", "POST", "/v1/registrations", registration(2))
    ready = stack.ready
    assert stack.stop() == 0
    stack.start()
    assert stack.ready == ready
    path = f"/v1/registrations/{case['reference']}"
    async with Callers(stack.stack) as callers:
        await reach(callers, path, "under_review")
        body = {"action": "approve", "round": 1, "reasons": []}
        await callers.write("officer-1", "POST", f"{path}/decision", body)
        found = await reach(callers, path, "approved")
        for _ in range(100):
            if found["permits"] and found["permits"][0]["stage"] == "issued":
                break
            await asyncio.sleep(0.2)
            found = await callers.get("auditor", path)
    assert [permit["stage"] for permit in found["permits"]] == ["issued"]


async def test_an_auditor_reads_the_story_of_a_case_in_a_terminal(stack: Up) -> None:
    async with Callers(stack.stack) as callers:
        case = await callers.write("employer-a", "POST", "/v1/registrations", registration(3))
        await reach(callers, f"/v1/registrations/{case['reference']}", "under_review")
    place = ("--data-dir", str(stack.directory))
    shown = await asyncio.to_thread(hetao, "audit", "show", case["reference"], *place)
    assert shown.returncode == 0, shown.stderr
    assert "under review; round 1" in shown.stdout
    assert "The employer submitted the registration." in shown.stdout
    earlier = await asyncio.to_thread(
        hetao, "audit", "show", case["reference"], "--as-of", "2026-01-01T00:00:00+08:00", "--json", *place
    )
    assert json.loads(earlier.stdout)["state"] is None
    unknown = await asyncio.to_thread(hetao, "audit", "show", "HT-0000-0000-E", *place)
    assert (unknown.returncode, unknown.stderr.partition(":")[2].strip()[:12]) == (1, "case_unknown")


async def reach(callers: Callers, path: str, stage: str) -> Any:
    for _ in range(150):
        case = await callers.get("auditor", path)
        if case["stage"] == stage:
            return case
        await asyncio.sleep(0.2)
    raise AssertionError(f"{path} is {case['stage']} and not {stage}")


async def test_a_witness_co_signs_what_grows_survives_a_kill_and_refuses_a_log_written_again(
    stack: Up, witness: Witness
) -> None:
    """The last one on this stack, whose log it spoils."""
    api = stack.ready["api"]

    def ask(path: str) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{api}/v1/audit/{path}", trust_env=False).json()
        return found

    def cosigned(above: int = 0) -> bool:
        newest = ask("checkpoint")
        names = {each["witness"] for each in newest["cosignatures"]}
        return newest["size"] > above and "witness.test/w1" in names

    (log_key,) = ask("keys")["log_keys"]
    witness.start(api, log_key)
    await asyncio.to_thread(witness.until, cosigned, "a cosignature at the newest checkpoint")
    witness.kill()
    seen = witness.seen
    assert seen["size"] > 0
    witness.start(api, log_key)
    await asyncio.to_thread(witness.until, lambda: "co-signed" in witness.said, "a look after the kill")
    assert witness.seen["size"] >= seen["size"]
    async with Callers(stack.stack) as callers:
        await callers.write("employer-a", "POST", "/v1/registrations", registration(4))
    await asyncio.to_thread(witness.until, lambda: cosigned(seen["size"]), "a cosignature at a larger tree")

    await rewrite(stack)
    async with Callers(stack.stack) as callers:  # the log that was written again outgrows the old one
        await callers.write("employer-a", "POST", "/v1/registrations", registration(5))
    before = witness.seen
    assert await asyncio.to_thread(witness.ended) == 1
    assert re.search("the witness refuses: (a fork|the tree shrank)", witness.said), witness.said
    assert witness.seen["size"] >= before["size"]
    assert not cosigned(), "nothing of the other log is vouched for"
    # Started again it remembers, and refuses again.
    witness.start(api, log_key)
    assert await asyncio.to_thread(witness.ended) == 1


def test_a_file_that_is_no_register_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("premises: []\nemployers: [{employer_id: emp-x}]\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cli", "register", "load", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot be loaded" in done.stderr
