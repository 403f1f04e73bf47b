"""Dates and times at both ends of the calendar, in every body and query that takes one: a clear refusal or the act."""

import os
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from domain.fields import FIRST_YEAR, LAST_YEAR
from tests.api.bodies import BODIES
from tests.api.callers import PERSONAS
from tests.api.conftest import AUTHORITY_SECRET, RECEIPTS_SECRET, Stage
from tests.api.routes import NOBODY, fitting_roles, published
from tests.api.walk import Walk

ENDS = (
    "0000-01-01", "0001-01-01", f"{FIRST_YEAR - 1}-12-31", f"{FIRST_YEAR}-01-01", "2026-02-30", f"{LAST_YEAR}-12-31",
    f"{LAST_YEAR + 1}-01-01", "9999-12-31", "10000-01-01", "-001-01-01", "20260101", "1767225600",
)  # fmt: skip
TIMES = ("00:00:00", "23:59:59.999999", "24:00:00", "23:59:60")
OFFSETS = ("Z", "+08:00", "-23:59", "+23:59", "")
SIGNED = {"/v1/authority/outcomes": AUTHORITY_SECRET, "/v1/receipts": RECEIPTS_SECRET}
# `make fuzz` tries every day at random as well.
MORE = int(os.environ.get("HETAO_FUZZ_EXAMPLES", "0"))
Path = tuple[str | int, ...]
Field = tuple[str, str, Path, bool]


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = published()["components"]["schemas"].get(schema["$ref"].rsplit("/", 1)[-1], {})
    return schema


def _dated(schema: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, bool]]:
    """Yield the place of each field that is a date, and whether it has a time of day."""
    schema = _resolved(schema)
    if schema.get("format") in ("date", "date-time"):
        yield path, schema["format"] == "date-time"
    for each in (*schema.get("anyOf", ()), *schema.get("allOf", ()), *schema.get("oneOf", ())):
        yield from _dated(each, path)
    for name, each in schema.get("properties", {}).items():
        yield from _dated(each, (*path, name))
    if "items" in schema:
        yield from _dated(schema["items"], (*path, 0))


def _fields() -> Iterator[Field]:
    """Yield route, part of the request, place and form of every dated field that the API takes."""
    for path, methods in published()["paths"].items():
        for method, operation in methods.items():
            route = f"{method.upper()} {path}"
            for parameter in operation.get("parameters", ()):
                for _, timed in _dated(parameter["schema"]):
                    yield route, "query", (parameter["name"],), timed
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            for place, timed in _dated(content["schema"]) if content else ():
                yield route, "body", place, timed


FIELDS = tuple(_fields())


def _values(*, timed: bool) -> Iterator[str]:
    span = (date(LAST_YEAR, 12, 31) - date(FIRST_YEAR, 1, 1)).days
    days = [*ENDS, *(str(date(FIRST_YEAR, 1, 1) + timedelta(days=span * k // MORE)) for k in range(MORE))]
    if not timed:
        yield from days
        return
    for number, day in enumerate(days):
        yield f"{day}T{TIMES[number % len(TIMES)]}{OFFSETS[number % len(OFFSETS)]}"
        yield f"{day}T23:59:59Z"


def _put(body: Any, place: Path, value: str) -> Any:
    """Return a body with a value at a place, what is on the way to it made where it is missing."""
    body = deepcopy(body)
    target = body
    for name, then in pairwise(place):
        if isinstance(name, int):
            while len(target) <= name:
                target.append({})
            target = target[name]
        else:
            target = target.setdefault(name, [] if isinstance(then, int) else {})
    target[place[-1]] = value
    return body


async def _cases(walk: Walk) -> list[dict[str, str]]:
    """Return places of a case under review and of one whose permit is issued."""
    reviewed, issued = await walk.register(), await walk.approve()
    await walk.answer(issued, "accepted")
    await walk.answer(issued, "issued", valid_from="2026-03-02", valid_until="2029-03-01")
    await walk.act("employer-a", issued, "change", {"contract_end": "2030-12-31"})
    tasks = (await walk.call("officer-1", "GET", "/v1/tasks"))["items"]
    task_of = {task["reference"]: task["id"] for task in tasks}
    return [{"reference": each, "task_id": task_of[each]} for each in (reviewed, issued)]


def _persona(route: str) -> str:
    roles = fitting_roles()[route]
    # What anyone may call is called by whoever comes first.
    return next(persona for persona, claims in PERSONAS.items() if claims["role"] in roles or roles == [NOBODY])


async def _send(walk: Walk, field: Field, value: str, places: Mapping[str, str]) -> Any:
    route, part, place, _ = field
    method, _, path = route.partition(" ")
    if path in SIGNED:
        base = {**BODIES.get(route, {}), "case": f"{places['reference']}/HK", "outcome": "issued"}
        if path != "/v1/authority/outcomes":
            base = {"id": str(uuid4()), "status": "delivered", "at": "2026-03-02T12:00:00+08:00"}
        else:
            base |= {"outcome_id": uuid4().hex, "valid_from": "2026-03-02", "valid_until": "2029-03-01"}
        return await walk.signed(path, _put(base, place, value), SIGNED[path])
    more: dict[str, Any] = {"headers": {"Idempotency-Key": uuid4().hex, "Purpose": "audit"}}
    if part == "query":
        times = {"from": "2026-03-01T00:00:00+08:00", "to": "2026-05-01T00:00:00+08:00"}
        more["params"] = (times if "/v1/audit/" in path else {}) | {str(place[0]): value}
    else:
        more["json"] = _put(BODIES.get(route, {}), place, value)
    known = {
        "destination": "HK",
        "employer_id": "emp-b",
        "objection_id": str(uuid4()),
        "transfer_id": str(uuid4()),
        "pack": "limits",
    }
    return await walk.stage.as_(_persona(route)).send(method, path.format(**{**known, **places}), **more)


def test_dated_fields_are_found() -> None:
    assert len(FIELDS) > 25
    assert {part for _, part, _, _ in FIELDS} == {"query", "body"}


@pytest.mark.timeout(1800)
async def test_a_date_at_either_end_of_time_is_taken_or_refused_and_leaves_every_case_readable(stage: Stage) -> None:
    walk = Walk(stage)
    cases: Sequence[Mapping[str, str]] = await _cases(walk)
    wrong = []
    for field in FIELDS:
        for number, value in enumerate(_values(timed=field[3])):
            places = cases[number % len(cases)]
            answer = await _send(walk, field, value, places)
            if answer.status_code >= 500:
                wrong.append((*field, value, answer.status_code))
            year = value.partition("-")[0]
            is_far = not year.isdigit() or not FIRST_YEAR <= int(year) <= LAST_YEAR
            if is_far and answer.status_code < 300:
                wrong.append((*field, value, "taken"))
        for each in cases:
            read = await stage.as_("officer-1").get(f"/v1/registrations/{each['reference']}")
            if read.status_code != 200:
                wrong.append((*field, "afterwards", read.status_code))
    assert wrong == []
