"""The authority's protocol: what is called, what is raised, and that nothing personal gets into an error."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from activities.authority import AuthorityClient, Rejected
from activities.outward import RateLimit, retry_after
from domain.errors import Unavailable
from programmes.talent_permit.authority.known_entries import read_entries
from programmes.talent_permit.authority.messages import (
    BatchReport,
    EntryEmployer,
    EntryPerson,
    EntryQuestion,
    ListEntry,
    Report,
    ReportedFact,
)
from programmes.talent_permit.authority.polling import read_page
from programmes.talent_permit.permit_stages import Destination

ENTRY = ListEntry(
    case="7K3M9Q2X-4/HK",
    destination=Destination.HK,
    registration_number="HR-2026-000123-P",
    registered_on=date(2026, 2, 24),
    employer=EntryEmployer(name_zh="合成生物研究院", uscc="12440300MB2D0000XX"),
    person=EntryPerson(name_zh="欧阳娜娜", identity_number="440305199001011234", permit_card_number="C12345678"),
)
KEY = "permit/7K3M9Q2X-4/HK"
Answer = Callable[[httpx.Request], httpx.Response]


def authority(answer: Answer) -> AuthorityClient:
    """Return a client of an authority that answers as told."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return AuthorityClient("https://authority.example/api/", "secret-token", client)


def always(status: int, **parts: object) -> Answer:
    """Answer every request alike."""
    return lambda _: httpx.Response(status, **parts)  # type: ignore[arg-type]


async def test_a_list_entry_is_handed_over_with_token_and_key() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202, json={"entry_id": "E-1"})

    assert await authority(answer).send(KEY, ENTRY.message()) == {"entry_id": "E-1"}
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://authority.example/api/list-entries")
    assert request.headers["authorization"] == "Bearer secret-token"
    assert request.headers["idempotency-key"] == KEY
    assert json.loads(request.content) == {
        "case": "7K3M9Q2X-4/HK",
        "destination": "HK",
        "registration_number": "HR-2026-000123-P",
        "registered_on": "2026-02-24",
        "employer": {"name_zh": "合成生物研究院", "uscc": "12440300MB2D0000XX"},
        "person": {
            "name_zh": "欧阳娜娜",
            "identity_number": "440305199001011234",
            "permit_card_number": "C12345678",
        },
    }


@pytest.mark.parametrize("answer", [always(202), always(200, text="ok"), always(202, json=[]), always(204)])
async def test_a_2xx_counts_as_taken_whatever_its_body(answer: Answer) -> None:
    assert await authority(answer).send(KEY, ENTRY.message()) == {}


ASKED = EntryQuestion(case=ENTRY.case, destination=Destination.HK, identity_number="440305199001011234")
FOUND = {"entry_id": "E-1", "case": ENTRY.case, "destination": "HK", "person": {"identity_number": "x"}, "more": 1}


async def test_entries_are_asked_for_in_a_body_and_read_for_what_is_needed() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"entries": [FOUND]})

    found = read_entries(await authority(answer).ask(ASKED.message()) or {})
    assert [(each.entry_id, each.case, each.state) for each in found] == [("E-1", ENTRY.case, None)]
    (request,) = seen
    assert str(request.url) == "https://authority.example/api/list-entries/search"
    assert json.loads(request.content) == {
        "case": ENTRY.case,
        "destination": "HK",
        "identity_number": "440305199001011234",
    }
    assert "idempotency-key" not in request.headers


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_an_authority_that_cannot_be_asked_for_entries_is_told_as_ever(status: int) -> None:
    assert await authority(always(status)).ask(ASKED.message()) is None


@pytest.mark.parametrize("said", [{}, {"entries": {}}, {"entries": [{"entry_id": "E-1"}]}, []])
async def test_entries_that_cannot_be_read_are_asked_for_again(said: object) -> None:
    with pytest.raises(Unavailable, match="authority_answer_unreadable"):
        read_entries(await authority(always(200, json=said)).ask(ASKED.message()) or {})


async def test_reports_go_out_for_one_case_or_many() -> None:
    seen: list[tuple[str, str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.path, request.headers["idempotency-key"], json.loads(request.content)))
        return httpx.Response(202)

    client, day = authority(answer), date(2026, 3, 1)
    report = Report(case="7K3M9Q2X-4/HK", what=ReportedFact.REGISTRATION_ENDED, on=day, reason="resigned")
    await client.send("report/7K3M9Q2X-4/HK/registration_ended", report.message())
    batch = BatchReport(what=ReportedFact.EMPLOYER_LEFT_PARK, on=day, cases=("7K3M9Q2X-4/HK", "7K3M9Q2X-4/MO"))
    await client.send("report/emp-a/employer_left_park", batch.message())
    assert seen == [
        (
            "/api/reports",
            "report/7K3M9Q2X-4/HK/registration_ended",
            {"case": "7K3M9Q2X-4/HK", "what": "registration_ended", "on": "2026-03-01", "reason": "resigned"},
        ),
        (
            "/api/reports/batch",
            "report/emp-a/employer_left_park",
            {"what": "employer_left_park", "on": "2026-03-01", "cases": ["7K3M9Q2X-4/HK", "7K3M9Q2X-4/MO"]},
        ),
    ]


async def test_answers_are_read_from_a_cursor_on() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.query.decode())
        return httpx.Response(200, json={"outcomes": [{"outcome_id": "o-1"}, "noise"], "next": 7})

    page = await read_page(authority(answer), "5", limit=50, case="7K3M9Q2X-4/HK")
    assert seen == ["after=5&limit=50&case=7K3M9Q2X-4%2FHK"]
    assert [dict(each) for each in page.answers] == [{"outcome_id": "o-1"}]
    assert page.next_cursor == "7"
    first = await read_page(authority(always(200, json={"outcomes": [], "next": None})), None, limit=9)
    assert (first.answers, first.next_cursor) == ((), None)


async def test_an_empty_page_keeps_the_cursor() -> None:
    assert (
        await read_page(authority(always(200, json={"outcomes": [], "next": None})), "5", limit=9)
    ).next_cursor == "5"


@pytest.mark.parametrize("parts", [{"text": "no"}, {"json": []}, {"json": {"outcomes": 1}}, {"json": {"next": "1"}}])
async def test_an_unreadable_page_is_tried_again(parts: dict[str, object]) -> None:
    with pytest.raises(Unavailable):
        await read_page(authority(always(200, **parts)), None, limit=9)


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 405, 408, 409, 425, 429, 500, 502, 503, 504])
async def test_a_call_that_may_succeed_later_is_unavailable(status: int) -> None:
    with pytest.raises(Unavailable) as raised:
        await authority(always(status, headers={"Retry-After": "12"})).send(KEY, ENTRY.message())
    assert raised.value.reason == f"authority_{status}"
    assert raised.value.retry_after == 12


@pytest.mark.parametrize("status", [400, 413, 415, 422])
async def test_a_malformed_entry_is_rejected_with_the_fields_alone(status: int) -> None:
    problem = {
        "detail": "欧阳娜娜 440305199001011234",
        "errors": [
            {"field": "person.permit_card_number", "message": "C12345678 is wrong"},
            {"field": "440305199001011234"},
            {"field": "欧阳娜娜"},
            {"field": 5},
            "noise",
        ],
    }
    with pytest.raises(Rejected) as raised:
        await authority(always(status, json=problem)).send(KEY, ENTRY.message())
    assert (raised.value.status, raised.value.fields) == (status, ("person.permit_card_number",))
    shown = f"{raised.value!r} {raised.value} {vars(raised.value)}"
    for personal in ("欧阳娜娜", "440305199001011234", "C12345678"):
        assert personal not in shown


async def test_a_rejection_without_a_problem_document_names_no_field() -> None:
    answers: list[dict[str, object]] = [{"text": "no"}, {"json": {"errors": "no"}}, {"json": {}}]
    for parts in answers:
        with pytest.raises(Rejected) as raised:
            await authority(always(422, **parts)).send(KEY, ENTRY.message())
        assert raised.value.fields == ()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("欧阳娜娜"), "authority_unreachable"),
        (httpx.ConnectTimeout(""), "authority_timeout"),
        (httpx.ReadTimeout(""), "authority_timeout"),
        (httpx.ReadError(""), "authority_connection_lost"),
    ],
)
async def test_a_failure_of_the_network_is_unavailable_and_quotes_nothing(error: httpx.HTTPError, reason: str) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(Unavailable) as raised:
        await authority(fail).send(KEY, ENTRY.message())
    assert raised.value.reason == reason
    assert raised.value.__cause__ is None


def test_no_personal_data_shows_in_a_repr() -> None:
    for personal in ("欧阳娜娜", "440305199001011234", "C12345678"):
        assert personal not in repr(ENTRY)


async def test_calls_beyond_the_burst_wait_their_turn() -> None:
    limit = RateLimit(per_second=10, burst=3)
    loop = asyncio.get_running_loop()
    started = loop.time()
    await asyncio.gather(*(limit.wait() for _ in range(3)))
    assert loop.time() - started < 0.1
    await asyncio.gather(*(limit.wait() for _ in range(2)))
    assert loop.time() - started >= 0.199


NOW = datetime(2026, 2, 10, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("99999999", 86400),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds
    assert retry_after({}, NOW) is None
