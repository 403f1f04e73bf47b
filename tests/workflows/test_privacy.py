"""Marked values in every field of a case: Temporal, the logs and the metrics of its way hold none of them."""

import base64
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import generate_latest
from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest

from cases.decisions import settling
from domain.commands import CommandKind
from domain.decisions import GivenReason
from domain.messages import AUTHORITY_POLL_WORKFLOW, REGISTRATION_QUEUE
from domain.stages import Stage
from programmes.talent_permit.permit_stages import PermitStage
from temporal.codec import ENCODING, Codec
from tests.cases.contexts import registration_body
from tests.json_logs import logging_as_json
from tests.workflows.histories import runs
from tests.workflows.world import EMPLOYER_A, SUPERVISOR, Case, World

PERSON = {
    "name_zh": "萬鬯魙",
    "name_en": "Qzxmark Wvjplant",
    "identity_number": "33010619860128072X",
    "permit_card_number": "C98989898",
    "email": "qzxmark@planted.example",
    "phone": "+8613898989898",
}
WORK = {"position": "標記職位", "work_site": "標記地址77號"}
LETTER = {"issuer": "標記機關", "number": "標記字第77號", "date": "2026-02-20"}
NOTES = {"note": "標記便箋", "reason": "標記原因", "contest": "標記異議", "authority": "標記答覆", "recall": "標記撤回"}
MARKS = [*PERSON.values(), *WORK.values(), LETTER["issuer"], LETTER["number"], *NOTES.values(), "13898989898", "标记"]


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that the process logs, as its own configuration writes it."""
    lines = io.StringIO()
    with logging_as_json("worker", "DEBUG") as handlers:
        for handler in handlers:
            handler.setStream(lines)
        yield lines


async def _say_all(world: World, monkeypatch: pytest.MonkeyPatch) -> Case:
    """Carry a case past every place where someone writes, and past a defect that quotes."""
    body = registration_body(**PERSON)
    body["employment"] |= {**WORK, "state_worker": True}
    case = await world.submit(body=body)
    assert await case.stage() is Stage.CORRECTION_REQUESTED
    await case.ask(EMPLOYER_A, CommandKind.CONTEST, {"note": NOTES["contest"]})
    note = GivenReason(code="document_unreadable", note=NOTES["reason"])
    returned = {"action": "return", "round": 2, "reasons": [note.model_dump()], "note": NOTES["note"]}
    await case.ask(SUPERVISOR, CommandKind.DECIDE, returned)
    await case.ask(EMPLOYER_A, CommandKind.CORRECT, {"employment": {"consent_letter": LETTER, "work_site": "SZP-001"}})
    await case.until_stage(Stage.UNDER_REVIEW)
    monkeypatch.setattr("temporal.engine._DECIDE_SECONDS", 1.0)
    whole = settling.settle

    async def quoting(*_: object) -> None:
        raise RuntimeError(f"cannot settle {PERSON['name_zh']} {PERSON['identity_number']}")

    monkeypatch.setattr(settling, "settle", quoting)
    await case.decide("approve", actor=SUPERVISOR, note=NOTES["note"])
    await case.until(lambda file: any(task.kind == "stuck" for task in file.tasks))
    monkeypatch.setattr(settling, "settle", whole)
    await case.resume()
    await case.until_permits(PermitStage.SUBMITTED)
    await case.answer("HK", "refused", reason_code=NOTES["authority"], reason_text=NOTES["authority"])
    world.authority.outcomes.append({"case": f"{case.reference}/MO", "outcome": NOTES["authority"]})
    await world.client.execute_workflow(
        AUTHORITY_POLL_WORKFLOW, id=f"poll/{case.reference}", task_queue=REGISTRATION_QUEUE
    )
    await case.answer("MO", "issued", authority_number="C-1")
    await case.ask(EMPLOYER_A, CommandKind.CHANGE, {"email": PERSON["email"], "name_en": PERSON["name_en"]})
    await case.idle()
    return case


async def test_nothing_that_temporal_keeps_or_the_worker_logs_holds_a_planted_value(
    world: World, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    case = await _say_all(world, monkeypatch)
    sent = json.dumps(list(world.authority.entries.values()), ensure_ascii=False)
    assert PERSON["name_zh"] in sent  # The values did travel: to the authority, who needs them.
    _find_none("logs", logged.getvalue())
    assert "defect" in logged.getvalue()
    _find_none("metrics", generate_latest().decode())
    _find_none("visibility", await _visible(world))
    for history in await runs(case):
        _find_none("history", history.to_json())
        # What the codec seals is free of them as well.
        opened = _opened(world, history.to_json())
        _find_none("sealed payloads", " ".join(opened))
        assert opened


async def test_planted_value_would_be_found() -> None:
    with pytest.raises(AssertionError):
        _find_none("example", f'{{"message": {json.dumps(PERSON["name_zh"])}}}')
    with pytest.raises(AssertionError):
        _find_none("example", base64.b64encode(f"x{PERSON['email']}".encode()).decode())


def _find_none(where: str, text: str) -> None:
    spellings = [text, text.encode().decode("unicode_escape", errors="ignore"), *_decoded(text)]
    for mark in MARKS:
        for spelling in spellings:
            assert mark not in spelling, f"{mark!r} in {where}"


def _decoded(text: str) -> list[str]:
    found = []
    for chunk in re.findall(r"[A-Za-z0-9+/]{8,}={0,2}", text):
        padded = chunk + "=" * (-len(chunk) % 4)
        try:
            found.append(base64.b64decode(padded).decode(errors="ignore"))
        except ValueError:
            continue
    return found


def _opened(world: World, text: str) -> list[str]:
    """Return every sealed payload of a history in clear; the SDK's own marks of a local activity are not sealed."""
    codec = world.client.data_converter.payload_codec
    assert isinstance(codec, Codec)
    found = []
    for given in _payloads(json.loads(text)):
        metadata = {name: base64.b64decode(value) for name, value in given["metadata"].items()}
        (payload,) = codec.open_all([Payload(metadata=metadata, data=base64.b64decode(given["data"]))])
        if metadata["encoding"] == ENCODING:
            found.append(payload.data.decode())
    return found


def _payloads(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if {"metadata", "data"} <= node.keys():
            yield node
        for each in node.values():
            yield from _payloads(each)
    elif isinstance(node, list):
        for each in node:
            yield from _payloads(each)


async def _visible(world: World) -> str:
    """Return what the server's list of workflows shows: ids, memos and search attributes."""
    request = ListWorkflowExecutionsRequest(namespace=world.client.namespace, page_size=200)
    return str(await world.client.workflow_service.list_workflow_executions(request))
