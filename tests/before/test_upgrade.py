"""What the version before left is taken up by this one: its cases go on, and what it handed out still verifies.

The tests go in their order on one stack, whose directory is the dump's (`tests/before/dump.py`).
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bench.embedded import COMMAND, Up
from sandbox.demo.api import Callers, DemoError
from tests.before.far_limits import write_far_limits
from tests.before.restore import DUMPS, Before, restore
from tests.before.scenes import FAR_DAY, LETTER, Story, request_of, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

_CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=DUMPS, ids=lambda path: path.name.partition(".")[0])
def before(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Before:
    """The dump in the directory of a stack."""
    return restore(request.param, tmp_path_factory.mktemp("before") / "stack")


@pytest.fixture(scope="module")
def up(before: Before, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """This version's stack, started on that directory."""
    up = Up(before.stack)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in write_far_limits(_CHECKOUT, tmp_path_factory.mktemp("policy")).items():
            environment.setenv(name, value)
        up.start()
    try:
        yield up
    finally:
        up.stop()


@pytest_asyncio.fixture
async def story(up: Up, before: Before) -> AsyncIterator[Story]:
    """The people at work on the cases of before."""
    async with Callers(up.stack) as callers:
        yield Story(up, callers, dict(before.cases))
    await up.close()


def hetao(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)


async def test_what_waits_for_the_engine_is_taken_up(story: Story) -> None:
    story.up.mood("authority", "manual")
    await story.reach("received", "under_review")
    for name in ("decided", "eligible"):
        await story.reach_permit(name, "submitted")
    (incident,) = [
        each for each in await story.callers.pages("operator", "/v1/incidents")
        if each["reference"] == story.cases["stuck"]
    ]  # fmt: skip
    await story.callers.write("operator", "POST", f"/v1/incidents/{incident['id']}/resume", {})
    await story.reach("stuck", "under_review")


async def test_what_waits_for_people_goes_on(story: Story) -> None:
    await story.decide("review", "approve")
    await story.decide("fact", "approve")
    await story.reach_permit("review", "submitted")
    await story.act("officer-1", "held", "hold", {"action": "release", "reason": "other_authority_asked"})
    await story.decide("held", "approve")
    await story.reach("held", "approved")
    await story.confirm("second_signature")
    await story.reach("second_signature", "refused")
    await story.confirm("revocation")
    await story.reach("revocation", "ended")
    await story.act("employer-a", "correction", "correction", LETTER)
    await story.reach("correction", "under_review")
    tasks = await story.callers.pages("officer-1", "/v1/tasks", kind="change")
    (task,) = [each for each in tasks if each["reference"] == story.cases["change"]]
    await story.callers.write("officer-1", "POST", f"/v1/tasks/{task['id']}/answer", {"action": "take"})
    person = f"{story.path('change')}/person?fields=name_en"

    async def renamed() -> bool:
        return bool((await story.callers.opened("officer-1", person, "case_review"))["name_en"] == "Shili Lee")

    await until(renamed, "the name that was asked for")


async def test_permits_go_on_from_where_each_stood(story: Story) -> None:
    term: dict[str, Any] = {"valid_from": "2026-12-01", "valid_until": FAR_DAY, "stay_days": 30, "entries": "multiple"}
    await story.answer("submitted", "accepted")
    await story.answer("accepted", "issued", **term)
    await story.answer("accepted", "refused", "MO", reason_code="other")
    await story.answer("issued", "revoked")
    send = {"action": "send", "reasons": [{"code": "permit_card_missing"}]}
    await story.act("officer-1", "no_card", "permits/HK/eligibility", send)
    await story.act("supervisor", "withheld", "permits/HK/confirmation", {"action": "confirm"})
    for name, stage in {
        "submitted": "accepted", "accepted": "issued", "issued": "revoked", "no_card": "submitted",
        "withheld": "ended", "permit_refused": "refused", "permit_withdrawn": "ended", "permit_expired": "expired",
        "contradicted": "issued", "ended": "revoked",
    }.items():  # fmt: skip
        await story.reach_permit(name, stage)
    await story.reach_permit("accepted", "refused", "MO")


async def test_what_is_closed_stays_closed_and_who_was_erased_stays_erased(story: Story) -> None:
    for name, stage in {"refused": "refused", "withdrawn": "withdrawn", "lapsed": "lapsed", "ended": "ended"}.items():
        await story.reach(name, stage)
    with pytest.raises(DemoError, match="409 case_closed"):
        await story.act("employer-a", "lapsed", "correction", LETTER)
    erased = await story.read("erased")
    assert (erased["person"]["erased"], erased["person"]["name_zh"]) == (True, None)


async def test_a_request_of_before_gets_its_first_answer_again(story: Story) -> None:
    path, key = "/v1/registrations", "before-review"
    again = await story.callers.write("employer-a", "POST", path, request_of(1), key=key)
    assert (again["reference"], again["stage"]) == (story.cases["review"], "received")


async def test_what_was_sealed_before_is_opened(story: Story) -> None:
    wanted = request_of(2)["person"]
    person = f"{story.path('held')}/person?fields=name_zh,identity_number,email"
    opened = await story.callers.opened("officer-1", person, "case_review")
    assert {name: opened[name] for name in ("name_zh", "identity_number", "email")} == {
        name: wanted[name] for name in ("name_zh", "identity_number", "email")
    }
    asked = await story.callers.opened("auditor", f"{story.path('withdrawn')}/requests", "audit")
    assert "The person chose another post." in json.dumps(asked)
    holds = (await story.callers.get("auditor", f"{story.path('fact')}/legal-holds"))["items"]
    assert [hold["paper"] for hold in holds] == ["2026-0042"]
    (hook,) = (await story.callers.get("employer-a", "/v1/webhooks"))["items"]
    assert hook["url"].endswith("/hooks/before")
    assert (await story.callers.get("employer-a", "/v1/employers/me/contact"))["email"] == "hr@htri.example"


async def test_no_two_records_of_a_case_differ(story: Story) -> None:
    async def settled() -> bool:
        found = await story.up.rows("SELECT count(*) AS n FROM commands WHERE state = 'stored' OR unanswered")
        return bool(found[0]["n"] == 0)

    await until(settled, "no command waits")
    found = {}
    for name, reference in story.cases.items():
        compared = await story.callers.get("auditor", f"/v1/audit/cases/{reference}/reconciliation")
        if compared["differences"]:
            found[name] = compared["differences"]
    assert found == {}
    both = await story.up.rows(
        "SELECT count(*) AS n FROM (SELECT FROM ledger WHERE after_hash IS NOT NULL GROUP BY chain"
        " HAVING min(seq) FILTER (WHERE NOT detail ? 'state_form')"
        " < max(seq) FILTER (WHERE CAST(detail ->> 'state_form' AS integer) > 2)) x"
    )
    assert both[0]["n"] > 10, "chains whose states are hashed in the form of before, and then in today's"


async def test_export_receipts_and_checkpoint_of_before_hold(story: Story, before: Before, tmp_path: Path) -> None:
    keys, now = before.handed_out / "keys.json", tmp_path / "keys.json"
    now.write_bytes(await story.callers.content("auditor", "/v1/audit/keys"))
    files = [str(path) for path in sorted(before.handed_out.glob("*")) if path.stem not in ("keys", "checkpoint")]
    assert len(files) == 4
    for known in (keys, now):
        checked = await asyncio.to_thread(hetao, "audit", "verify", *files, "--keys", str(known), "--json")
        assert checked.returncode == 0, checked.stdout + checked.stderr
    old: dict[str, Any] = json.loads((before.handed_out / "checkpoint.json").read_text())
    new = tmp_path / "export.ndjson"

    async def grown() -> bool:
        return bool((await story.callers.get("auditor", "/v1/audit/checkpoint"))["size"] > old["size"])

    await until(grown, "a tree that grew")
    new.write_bytes(await story.callers.content("auditor", "/v1/audit/export", headers={"Purpose": "audit"}))
    checked = await asyncio.to_thread(hetao, "audit", "verify", str(new), "--keys", str(keys), "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    told = await story.callers.get("auditor", "/v1/audit/consistency", **{"from": old["size"]})
    assert told["from"] == old["size"]


async def test_the_doctor_finds_nothing_wrong(story: Story) -> None:
    looked = await asyncio.to_thread(hetao, "doctor", "--data-dir", str(story.up.directory), "--json")
    lines = json.loads(looked.stdout)["lines"]
    assert [line for line in lines if line["health"] == "fail"] == []
