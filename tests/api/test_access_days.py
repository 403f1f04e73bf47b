"""A person's access log by day and reader, opened data first, and no raw code among what the person is shown."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.me_page import me_page
from domain.actors import Role
from domain.languages import Language
from programmes.talent_permit.programme import TALENT_PERMIT
from programmes.talent_permit.requests import EmploymentKind, RegistrationRequest
from tests.api.bodies import BODIES
from tests.api.callers import Caller
from tests.api.conftest import Stage
from tests.api.persons import sign_in
from tests.api.test_access import GUARDED, ROLES, fill
from tests.api.walk import Walk
from texts.person import GROUPS
from texts.roster import words_of
from texts.values import value_text

DAYS, MAIL = "/v1/me/access-log/days", "feng@example.com"
ENGLISH = {"Accept-Language": "en"}
# What a view calls in words; everything else of it is a code beside them, a number, a day or somebody's own words.
SAID = re.compile(r"(_text|^way|^organisation|^label|^says|^place|^waits_for|^remedies|^purpose|^basis|^retention)$")
CODE = re.compile(r"[a-z]+(?:_[a-z]+)+|[a-z]{3,}")


async def _read(stage: Stage, reference: str, persona: str, purpose: str, fields: str) -> None:
    path = f"/v1/registrations/{reference}/person"
    answer = await stage.as_(persona).get(path, fields=fields, headers={"Purpose": purpose})
    assert answer.status_code == 200, answer.text


async def _days(me: Caller, **query: Any) -> dict[str, Any]:
    answer = await me.get(DAYS, headers=ENGLISH, **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_readings_stand_by_day_and_reader_and_what_was_opened_comes_first(stage: Stage) -> None:
    reference = await Walk(stage).register()
    for _ in range(3):
        await stage.as_("officer-1").get(f"/v1/registrations/{reference}")
    await stage.as_("officer-2").get(f"/v1/registrations/{reference}")
    await stage.as_("officer-1").get("/v1/tasks")
    await _read(stage, reference, "auditor", "audit", "position")
    stage.clock.at += timedelta(hours=1)
    await stage.as_("supervisor").get(f"/v1/registrations/{reference}")
    for persona in ("officer-1", "officer-2"):
        await _read(stage, reference, persona, "case_review", "name_zh,phone")
        stage.clock.at += timedelta(minutes=5)
    stage.clock.at += timedelta(hours=11)  # past midnight in China
    stage._callers.clear()
    await stage.as_("officer-1").get(f"/v1/registrations/{reference}")
    me = await sign_in(stage, reference, email=MAIL)

    page = await _days(me)

    assert [each["day"] for each in page["items"]] == ["2026-03-03", "2026-03-02"]
    newest, first = (each["readers"] for each in page["items"])
    assert [reader["role"] for reader in newest] == ["officer"]
    assert [reader["role"] for reader in first] == ["officer", "auditor", "supervisor"]
    officer = first[0]
    assert officer["organisation"] == "Park management (officer)"
    opened, *looked = officer["readings"]
    assert (opened["way"], opened["fields_text"], opened["times"]) == (
        "Opened your personal data", ["Chinese name", "Mobile number"], 2,
    )  # fmt: skip
    assert (opened["first_at"], opened["last_at"]) == ("2026-03-02T13:00:00+08:00", "2026-03-02T13:05:00+08:00")
    assert sorted((each["way"].split(",")[0], each["times"]) for each in looked) == [
        ("Looked at the case", 4),
        ("Saw the case in a list of tasks", 1),
    ]
    assert all(each["references"] == [reference] for each in officer["readings"])
    assert not [name for name in ("officer-1", "officer-2", "auditor-1") if name in str(page)]


async def test_pages_of_days_follow_one_another_and_are_bound_to_the_session(stage: Stage) -> None:
    walk = Walk(stage)
    reference, other = await walk.register(), await walk.register(email="wen@example.com")
    for _ in range(3):
        await _read(stage, reference, "officer-1", "case_review", "phone")
        stage.clock.at += timedelta(hours=10)
        stage._callers.clear()
    me = await sign_in(stage, reference, email=MAIL)
    whole = (await _days(me))["items"]
    first = await _days(me, limit=1)
    rest = await _days(me, limit=1, cursor=first["next_cursor"])
    assert [*first["items"], *rest["items"]] == whole
    assert (len(whole), rest["next_cursor"]) == (2, None)
    another = await sign_in(stage, other, email="wen@example.com")
    assert (await _days(another))["items"] == []
    answer = await another.get(DAYS, limit=1, cursor=first["next_cursor"])
    assert answer.json()["code"] == "cursor_invalid"


@pytest.mark.parametrize("language", Language)
async def test_nothing_that_a_person_is_told_in_words_is_a_code(stage: Stage, language: Language) -> None:
    """Every route that is about a case is called by every role that may, so that the log has each way of reading."""
    walk = Walk(stage)
    reference = await walk.approve()
    await walk.act("supervisor", reference, "legal-holds", {"reason": "litigation", "paper": "2026-0042"})
    speaker = {Role.EMPLOYER: "employer-a", Role.OFFICER: "officer-1", Role.AUDITOR: "auditor"}
    for method, path in GUARDED:
        for role in ROLES[method, path] & set(speaker) if method == "GET" else ():
            query = {"fields": "name_zh,consent_letter"} if path.endswith("/person") else None
            await stage.as_(speaker[role]).send(
                method, fill(path, reference=reference), params=query, headers={"Purpose": "audit"}
            )
    await walk.act("employer-a", reference, "departure", {"last_day": "2026-12-31", "reason": "moved_out_of_park"})
    await walk.act("employer-a", reference, "change", {"email": "new@example.com"})
    me = await sign_in(stage, reference, email=MAIL)
    body = {"reference": reference, **{k: v for k, v in BODIES["POST /v1/me/complaints"].items() if k != "reference"}}
    await me.send("POST", "/v1/me/complaints", json=body, headers={"Idempotency-Key": uuid4().hex})

    unnamed = GROUPS["unnamed"]["other"].in_language(language)
    count = 0
    for path in ("registrations", "data", "access-log", "access-log/days", "objections"):
        answer = await me.get(f"/v1/me/{path}", headers={"Accept-Language": language.value})
        assert answer.status_code == 200, (path, answer.text)
        for name, words in _said(answer.json()):
            assert words != unnamed, (path, name)
            assert not CODE.fullmatch(words) or (name == "purpose" and "access-log" in path), (path, name, words)
            count += 1
    assert count > 60


def _said(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _said(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _said(each, name)
    elif isinstance(value, str) and SAID.search(name):
        yield name, value


def _in_words(field: str, value: Any, language: Language) -> str | None:
    return value_text(field, value, language, said=words_of(TALENT_PERMIT.texts), days=RegistrationRequest.days())


def test_values_are_said_in_words() -> None:
    letter = {"issuer": "示例局", "number": "示字1号", "date": "2025-10-20"}
    said = [_in_words("employment_kind", kind.value, Language.EN) for kind in EmploymentKind]
    assert said == ["Contract", "Secondment", "Dual post"]
    assert _in_words("language", "zh-Hant", Language.ZH_HANS) == "繁体中文"
    assert [_in_words("state_worker", each, Language.ZH_HANT) for each in (True, False, None)] == ["是", "否", None]
    assert _in_words("contract_start", "2025-01-01", Language.ZH_HANS) == "2025年1月1日（星期三）"
    assert _in_words("consent_letter", letter, Language.EN) == "示例局 · 示字1号 · Monday, 20 October 2025"
    assert _in_words("position", "研究员", Language.EN) == "研究员"


def test_the_page_shows_no_code_as_it_is() -> None:
    """Codes serve to choose words and to compare; what is put into the page has words of its own."""
    script = me_page(Language.EN).rpartition("<script>")[2]
    chosen = re.sub(r'say\[[^\]]*"\w+_"\)? \+ each\.\w+\]|each\.\w+ [!=]==|option\("[^,]*,', "", script)
    codes = ("stage", "end_reason", "role", "kind", "about", "outcome", "state", "holder", "due_kind",
             "channel", "fields", "value", "reason", "status", "destination", "field")  # fmt: skip
    assert not re.findall(rf"each\.(?:{'|'.join(codes)})\b", chosen)
