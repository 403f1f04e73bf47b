import asyncio
import secrets
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.programs import Program
from tests.sandbox.receiver import Receiver


def _entry(case: str, card: str = "C12345678") -> dict[str, Any]:
    return {
        "case": case,
        "destination": case[-2:],
        "registration_number": "HR-2026-000001-P",
        "registered_on": "2026-11-23",
        "employer": {"name_zh": "河套量子研究院", "uscc": "91440300MA5F00000X"},
        "person": {
            "name_zh": "张三",
            "name_en": "ZHANG SAN",
            "identity_number": "11010519491231002X",
            "permit_card_number": card,
        },
    }


def _case(destination: str = "HK") -> str:
    return f"HT-{secrets.token_hex(4)}/{destination}"


def _send(authority: Program, case: str, **further: Any) -> str:
    answer = authority.post("/list-entries", _entry(case, **further), key=f"permit/{case}")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["entry_id"])


async def test_a_list_entry_is_accepted_and_then_issued_by_signed_callbacks(
    authority: Program, receiver: Receiver
) -> None:
    case = _case()
    _send(authority, case)
    accepted, issued = await receiver.wait_for(2, about=case)
    assert (accepted["outcome"], issued["outcome"]) == ("accepted", "issued")
    assert "valid_from" not in accepted
    start, end = date.fromisoformat(issued["valid_from"]), date.fromisoformat(issued["valid_until"])
    assert 3 * 365 - 1 <= (end - start).days <= 3 * 365
    assert (issued["stay_days"], issued["entries"]) == (30, "multiple")
    assert issued["authority_number"].startswith("C-HK-")
    assert {path for path, _, body in receiver.got if body.get("case") == case} == {"/v1/authority/outcomes"}


async def test_entries_are_found_by_case_and_by_person_for_a_destination(authority: Program) -> None:
    case, other = _case(), _case()
    _send(authority, case)
    elsewhere = {**_entry(other), "person": {**_entry(other)["person"], "identity_number": "33010619860128072X"}}
    assert authority.post("/list-entries", elsewhere, key=f"permit/{other}").status_code == 202

    def found(case: str, number: str = "33010619860128072X", destination: str = "HK") -> list[dict[str, Any]]:
        asked = {"case": case, "destination": destination, "identity_number": number}
        answer = authority.post("/list-entries/search", asked)
        assert answer.status_code == 200, answer.text
        return [each for each in answer.json()["entries"] if each["case"] in (case, other)]

    (own, of_person) = found(case)
    assert (own["case"], own["idempotency_key"], own["person"]["identity_number"][-4:]) == (
        case,
        f"permit/{case}",
        "002X",
    )
    assert (of_person["case"], of_person["entry_id"][:2]) == (other, "E-")
    assert found(_case("MO"), destination="MO") == []
    assert authority.post("/list-entries/search", {"case": case}).status_code == 422


async def test_the_same_key_gets_the_same_entry_and_another_body_is_refused(authority: Program) -> None:
    case = _case()
    first = _send(authority, case)
    assert _send(authority, case) == first
    assert len(authority.get("/sandbox/books", case=case)["entries"]) == 1
    other = authority.post("/list-entries", _entry(case, card="C99999999"), key=f"permit/{case}")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"unknown": 1}, 422),
        ({"destination": "MO"}, 422),
        ({"registered_on": "2026-02-30"}, 422),
        ({"person": {"name_zh": "张三", "identity_number": "1"}}, 422),
    ],
    ids=["unknown field", "other destination", "impossible date", "identity number"],
)
async def test_a_malformed_entry_gets_a_problem_document(
    authority: Program, change: dict[str, Any], status: int
) -> None:
    case = _case()
    answer = authority.post("/list-entries", _entry(case) | change, key=f"permit/{case}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert authority.get("/sandbox/books", case=case)["entries"] == []


async def test_an_entry_is_changed_once_under_its_key(authority: Program) -> None:
    case = _case()
    person = {**_entry(case)["person"], "permit_card_number": "C87654321"}
    change = {"case": case, "changed": ["permit_card_number"], "person": person}
    key = f"report/{case}/entry_changed/2"
    assert authority.post("/list-entries/changes", change, key=key).status_code == 404
    _send(authority, case)
    for _ in range(2):
        assert authority.post("/list-entries/changes", change, key=key).status_code == 202
    other = {**change, "person": {**person, "name_en": "ZHANG SI"}}
    assert authority.post("/list-entries/changes", other, key=key).json()["code"] == "idempotency_key_reused"
    books = authority.get("/sandbox/books", case=case)
    assert books["entries"][0]["body"]["person"]["permit_card_number"] == "C87654321"
    assert [each["what"] for each in books["reports"]] == ["entry_changed"]


async def test_a_card_ending_in_0422_is_malformed(authority: Program) -> None:
    case = _case()
    assert authority.post("/list-entries", _entry(case, card="C12340422"), key="k").status_code == 422


async def test_a_request_without_token_or_key_is_refused(authority: Program) -> None:
    case = _case()
    assert authority.post("/list-entries", _entry(case), key="k", token="other").status_code == 401
    assert authority.post("/list-entries", _entry(case)).status_code == 400


@pytest.mark.parametrize(
    ("card", "destination", "last"),
    [
        ("C12340404", "HK", "refused"),
        ("C12340404", "MO", "refused"),
        ("C12340405", "HK", "issued"),
        ("C12340405", "MO", "refused"),
    ],
)
async def test_the_card_number_decides_who_is_refused(
    authority: Program, receiver: Receiver, card: str, destination: str, last: str
) -> None:
    case = _case(destination)
    _send(authority, case, card=card)
    answers = await receiver.wait_for(2, about=case)
    assert answers[1]["outcome"] == last
    assert ("reason_code" in answers[1]) == (last == "refused")


async def test_answers_are_read_since_a_cursor(authority: Program, receiver: Receiver) -> None:
    start = authority.get("/outcomes", limit=1000)["next"]
    case = _case()
    _send(authority, case)
    given = await receiver.wait_for(2, about=case)
    first = authority.get("/outcomes", after=start, limit=1, case=case)
    second = authority.get("/outcomes", after=first["next"], limit=1, case=case)
    last = authority.get("/outcomes", after=second["next"], case=case)
    assert first["outcomes"] + second["outcomes"] == given
    assert (last["outcomes"], last["next"]) == ([], second["next"])


async def test_an_ended_registration_is_answered_withdrawn_before_issue_and_revoked_after(
    authority: Program, receiver: Receiver
) -> None:
    issued, waiting = _case(), _case("MO")
    _send(authority, issued)
    await receiver.wait_for(2, about=issued)
    authority.mood("manual")
    _send(authority, waiting)
    authority.post("/sandbox/answers", {"case": waiting, "outcome": "accepted"}).raise_for_status()
    for case in (issued, waiting):
        body = {"case": case, "what": "registration_ended", "on": "2026-11-23", "reason": "resigned"}
        assert authority.post("/reports", body, key=f"report/{case}/registration_ended").status_code == 202
    authority.mood("normal")
    assert (await receiver.wait_for(3, about=issued))[2]["outcome"] == "revoked"
    assert (await receiver.wait_for(2, about=waiting))[1]["outcome"] == "withdrawn"


async def test_a_batch_report_is_answered_for_each_case(authority: Program, receiver: Receiver) -> None:
    cases = [_case(), _case("MO")]
    for case in cases:
        _send(authority, case)
        await receiver.wait_for(2, about=case)
    body = {"what": "employer_left_park", "on": "2026-11-23", "cases": cases}
    for _ in range(2):
        assert authority.post("/reports/batch", body, key=f"batch/{cases[0]}").status_code == 202
    for case in cases:
        assert (await receiver.wait_for(3, about=case))[2]["outcome"] == "revoked"
    assert len(authority.get("/sandbox/books", case=cases[0])["reports"]) == 1


async def test_reports_are_answered_kept_where_told(authority: Program, receiver: Receiver) -> None:
    case = _case()
    _send(authority, case)
    await receiver.wait_for(2, about=case)
    authority.mood("normal", keep=True)
    body = {"case": case, "what": "registration_revoked", "on": "2026-11-23"}
    assert authority.post("/reports", body, key=f"report/{case}/registration_revoked").status_code == 202
    assert (await receiver.wait_for(3, about=case))[2]["outcome"] == "kept"


async def test_a_duplicating_authority_repeats_message_id_outcome_id_and_content(
    authority: Program, receiver: Receiver
) -> None:
    authority.mood("duplicating")
    case = _case()
    _send(authority, case)
    answers = await receiver.wait_for(8, about=case)
    messages = [headers["webhook-id"] for _, headers, body in receiver.got if body.get("case") == case]
    accepted = [answer["outcome_id"] for answer in answers if answer["outcome"] == "accepted"]
    assert len(accepted) == 4
    assert len(set(accepted)) == 2
    assert len(set(messages)) == 6
    assert len({answer["occurred_at"] for answer in answers if answer["outcome"] == "accepted"}) == 1


async def test_an_authority_out_of_order_issues_before_it_accepts(authority: Program, receiver: Receiver) -> None:
    authority.mood("out-of-order")
    case = _case()
    _send(authority, case)
    assert [answer["outcome"] for answer in await receiver.wait_for(2, about=case)] == ["issued", "accepted"]
    assert authority.get("/sandbox/books", case=case)["entries"][0]["state"] == "issued"


async def test_a_refusing_authority_refuses(authority: Program, receiver: Receiver) -> None:
    authority.mood("refusing")
    case = _case()
    _send(authority, case)
    assert (await receiver.wait_for(2, about=case))[1]["outcome"] == "refused"


async def test_a_manual_authority_answers_what_it_is_told_and_the_rest_when_normal_again(
    authority: Program, receiver: Receiver
) -> None:
    authority.mood("manual")
    by_hand, left = _case(), _case()
    _send(authority, by_hand)
    _send(authority, left)
    await asyncio.sleep(0.5)
    assert authority.get("/sandbox/books", case=left)["answers"] == []
    told = {"case": by_hand, "outcome": "issued", "valid_until": "2027-01-31", "callback": False}
    assert authority.post("/sandbox/answers", told).status_code == 201
    assert authority.get("/outcomes", case=by_hand)["outcomes"][0]["valid_until"] == "2027-01-31"
    authority.mood("normal")
    assert len(await receiver.wait_for(2, about=left)) == 2
    assert [body for body in receiver.bodies if body.get("case") == by_hand] == []


async def test_a_failing_authority_says_when_to_retry_and_may_have_done_the_work(authority: Program) -> None:
    authority.mood("failing")
    case = _case()
    answers = [authority.post("/list-entries", _entry(case), key=f"permit/{case}") for _ in range(2)]
    assert {answer.status_code for answer in answers} == {500, 503}
    assert all(answer.headers["retry-after"] == "1" for answer in answers)
    assert len(authority.get("/sandbox/books", case=case)["entries"]) == 1


async def test_what_met_a_mood_is_counted(authority: Program, receiver: Receiver) -> None:
    before = authority.get("/sandbox/mood")["met"]
    authority.mood("failing")
    authority.ask("GET", "/outcomes")
    for mood in ("duplicating", "out-of-order"):
        authority.mood(mood)
        case = _case()
        _send(authority, case)
        await receiver.wait_for(2, about=case)
    met = {mood: n - before.get(mood, 0) for mood, n in authority.get("/sandbox/mood")["met"].items()}
    assert {mood: met[mood] > 0 for mood in ("failing", "duplicating", "out-of-order")} == {
        "failing": True,
        "duplicating": True,
        "out-of-order": True,
    }
    assert met.get("slow", 0) == met.get("away", 0) == 0


async def test_a_slow_authority_takes_its_time(authority: Program) -> None:
    authority.mood("slow")
    async with asyncio.timeout(10):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.to_thread(_send, authority, _case())
        assert loop.time() - begun >= 2


async def test_an_authority_away_keeps_silent_and_comes_back_by_itself(authority: Program, receiver: Receiver) -> None:
    case = _case()
    authority.mood("away", for_seconds=2)
    with pytest.raises(httpx.ReadTimeout):
        await asyncio.to_thread(authority.ask, "GET", "/outcomes", timeout=0.3)
    _send(authority, case)
    assert authority.get("/sandbox/mood")["moods"] == {"all": "normal"}
    assert len(await receiver.wait_for(2, about=case)) == 2


async def test_a_callback_is_repeated_under_its_message_id_until_it_is_taken(
    authority: Program, receiver: Receiver
) -> None:
    case = _case()
    receiver.statuses[case] = [503, 409]
    _send(authority, case)
    await receiver.wait_for(4, about=case)
    sent = [
        (headers["webhook-id"], headers[":status"]) for _, headers, body in receiver.got if body.get("case") == case
    ]
    assert [status for _, status in sent] == ["503", "409", "200", "200"]
    assert len({message for message, _ in sent[:3]}) == 1


async def test_a_refused_callback_is_not_repeated(authority: Program, receiver: Receiver) -> None:
    case = _case()
    receiver.statuses[case] = [404]
    _send(authority, case)
    assert [answer["outcome"] for answer in await receiver.wait_for(2, about=case)] == ["accepted", "issued"]


async def test_books_moods_and_open_callbacks_outlive_a_kill(directory: Path) -> None:
    receiver = Receiver()
    await receiver.start()
    address = receiver.url
    await receiver.stop()
    authority = Program("authority", directory, address).start()
    authority.mood("manual")
    cases = [_case() for _ in range(5)]
    for case in cases:
        _send(authority, case)
    authority.post("/sandbox/answers", {"case": cases[0], "outcome": "accepted"}).raise_for_status()
    authority.kill()
    authority.start()
    assert authority.get("/sandbox/mood")["moods"] == {"all": "manual"}
    assert [entry["case"] for entry in authority.get("/sandbox/books")["entries"]] == cases
    await receiver.start(int(address.rpartition(":")[2]))
    authority.mood("normal")
    for case in cases[1:]:
        assert len(await receiver.wait_for(2, about=case)) == 2
    assert len(await receiver.wait_for(1, about=cases[0])) == 1
    authority.stop()
    await receiver.stop()
