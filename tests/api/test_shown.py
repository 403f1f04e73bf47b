"""What every view shows of a person: masks in all of them, and the whole only where it was opened or given."""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import httpx

from cases.notices import due as deliveries
from domain.notices import Channel
from tests.api.conftest import Stage
from tests.api.every_route import walk_all
from tests.api.walk import Walk
from tests.cases.contexts import registration_body
from tests.record.seal.sealed import seal_all

# How each kind of what the walk gives of persons looks where it stands whole, or with more of it than its mask leaves.
WHOLE: Final[Mapping[str, re.Pattern[str]]] = {
    "identity_number": re.compile(r"(?<![\w*-])(?=[\d*]{17}[\dX](?![\w*]))(?:\**[\dX]){9}"),
    "permit_card_number": re.compile(r"(?<![\w*])C(?=[\d*]{8}(?![\w*]))(?:\**\d){3}"),
    "name": re.compile("冯承泽|Feng Chengze|文书谦"),
    "address": re.compile(r"(?:feng|new)@example\.com|\+8613812345678"),
}
EVERYTHING: Final = frozenset(WHOLE)
NAME: Final = frozenset({"name"})
# Who is shown what whole: what an employer gave itself, what was opened for a purpose, and what is the reader's own.
SHOWN: Final[tuple[tuple[str, str, frozenset[str]], ...]] = (
    (r"\w+", r"GET /v1/registrations/\{reference\}/person", EVERYTHING),
    (r"officer|auditor|supervisor", r"GET /v1/registrations/\{reference\}/(requests|facts)", EVERYTHING),
    (r"officer|supervisor", r"POST /v1/registrations/\{reference\}/decision/preview", NAME),
    (r"employer", r"\w+ /v1/registrations(/.*)?", NAME),
    (r"employer", r"GET /v1/notices", NAME),
    (r"employer", r"GET /v1/rosters/\{id\}/annotated", EVERYTHING),
    (r"person", r"GET /v1/me/data", EVERYTHING),
    (r"nobody", r"GET /(openapi\.json|docs.*)", EVERYTHING),  # made-up examples
)
_REFERENCE: Final = re.compile(r"HT-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]")
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _role(request: httpx.Request) -> str:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token:
        return "nobody"
    if token.startswith("hps_"):
        return "person"
    content = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))["role"])


def _route(request: httpx.Request) -> str:
    path = _ID.sub("{id}", _REFERENCE.sub("{reference}", request.url.path))
    return f"{request.method} {path}"


def _allowed(role: str, route: str) -> frozenset[str]:
    kinds: set[str] = set()
    for of, at, shown in SHOWN:
        if re.fullmatch(of, role) and re.fullmatch(at, route):
            kinds |= shown
    return frozenset(kinds)


async def test_no_view_shows_whole_what_its_reader_has_not_opened(stage: Stage) -> None:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    views: set[tuple[str, str]] = set()

    async def look(response: httpx.Response) -> None:
        await response.aread()
        place = (_role(response.request), _route(response.request))
        views.add(place)
        # A number in the reader's own words comes back masked or not at all; what was sent is no showing.
        seen = {kind for kind, whole in WHOLE.items() if whole.search(response.text)}
        found[place] |= seen - _allowed(*place)

    stage.client.event_hooks["response"].append(look)
    walk = await walk_all(stage)
    await _look_on(stage, walk)

    assert {place: kinds for place, kinds in found.items() if kinds} == {}
    for role in ("employer", "officer", "supervisor", "auditor", "operator", "person"):
        assert any(of == role for of, _ in views), role
    for channel in (Channel.WEBHOOK, Channel.SMS):
        for due in await deliveries.lease(stage.context, channel, stage.clock(), 500):
            assert not [kind for kind, whole in WHOLE.items() if whole.search(due.text)], (channel, due.text)


async def _look_on(stage: Stage, walk: Walk) -> None:
    """Read as each role what the walk reads as another, of a case with a decision whose receipt is there."""
    reference = await walk.register()
    await walk.decide(reference, "return", "document_unreadable")
    await seal_all(stage.context)
    lists = ("/v1/registrations", "/v1/tasks", "/v1/objections", "/v1/notices", "/v1/audit/events", "/v1/employers")
    one = (
        "", "/receipts", "/legal-holds", "/notices", "/permits/HK/receipts",
    )  # fmt: skip
    audit = ("history", "reconciliation", "re-evaluation")
    for persona in ("employer-a", "officer-1", "supervisor", "auditor", "operator"):
        caller = stage.as_(persona)
        for path in (
            *lists,
            *(f"/v1/registrations/{reference}{each}" for each in one),
            *(f"/v1/audit/cases/{reference}/{each}" for each in audit),
            f"/v1/rosters/{walk.ids['roster_id']}/rows",
            f"/v1/webhooks/{walk.ids['webhook_id']}/deliveries",
        ):
            await caller.get(path)


async def test_staff_sees_masked_names_and_the_employer_that_gave_them_sees_them_whole(stage: Stage) -> None:
    body = registration_body(name_en="Feng Chengze")
    given = await stage.as_("employer-a").post("/v1/registrations", body)
    await stage.settle()
    reference = given.json()["reference"]
    seen: dict[str, Any] = {}
    for persona in ("employer-a", "officer-1", "supervisor", "auditor"):
        one = (await stage.as_(persona).get(f"/v1/registrations/{reference}")).json()
        (listed,) = (await stage.as_(persona).get("/v1/registrations")).json()["items"]
        assert listed["person"] == one["person"]
        seen[persona] = one["person"]

    number = {"identity_number": "4403**********123X", "document": None, "language": "zh-Hans", "erased": False}
    masked = {"name_zh": "冯○○", "name_en": "F○○ C○○", **number}
    assert given.json()["person"] == {"name_zh": "冯承泽", "name_en": "Feng Chengze", **number}
    assert seen["employer-a"] == given.json()["person"]
    assert [seen[persona] for persona in ("officer-1", "supervisor", "auditor")] == [masked] * 3


async def test_a_card_number_in_a_receipt_shows_its_letter_and_the_last_two(stage: Stage) -> None:
    walk = Walk(stage)
    reference = await walk.register()
    await walk.decide(reference, "return", "document_unreadable")
    await seal_all(stage.context)
    receipts = (await stage.as_("auditor").get(f"/v1/registrations/{reference}/receipts")).json()
    facts = {each["name"]: each["value"] for each in _facts_in(receipts)}
    assert facts["permit_card_number"] == "C******78"
    assert facts["identity_number"].startswith("4403**********")


def _facts_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [each for each in value.get("facts", []) if isinstance(each, dict) and "name" in each]
        return own + [fact for each in value.values() for fact in _facts_in(each)]
    return [fact for each in value for fact in _facts_in(each)] if isinstance(value, list) else []
