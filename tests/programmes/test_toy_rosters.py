"""Rosters of a second programme beside the first's: each with its own columns, words and effect, told by the act."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import select

from cases.files.sheet import read_sheet
from cases.shared.context import Context
from domain.errors import Refused
from domain.languages import Language
from domain.roster import OnDefect
from programmes import PROGRAMMES
from register.rosters import workbooks
from register.rosters.columns import known_words
from register.rosters.intake import RosterFile, receive
from register.rosters.kinds import kind_of
from register.rosters.reads import get_roster, get_rows
from register.rosters.views import RosterRowView
from register.rosters.work import work_once
from store.tables import cases, commands
from tests.cases.contexts import EMPLOYER_A, Clock, key, load_samples, open_context
from tests.e2e.people import identity_number
from tests.programmes.toy.programme import TOY
from tests.programmes.toy.rosters import ToyRoster

BOTH = {**PROGRAMMES, TOY.code: TOY}


@pytest_asyncio.fixture
async def context(toy_database: str) -> AsyncIterator[Context]:
    async with open_context(toy_database, Clock(), programmes=BOTH) as context:
        await load_samples(context)
        yield context


async def _work(context: Context, act: str, *lines: str) -> list[RosterRowView]:
    content = "\n".join(lines).encode()
    file = RosterFile(content, "text/csv", "", act, dry_run=False, on_defect=OnDefect.SKIP)
    reply = await receive(context, EMPLOYER_A, file, key("POST /v1/rosters", body=content))
    while await work_once(context):
        pass
    shown = await get_roster(context, EMPLOYER_A, reply.body["id"])
    assert (shown.act, shown.status) == (act, "done")
    return (await get_rows(context, EMPLOYER_A, reply.body["id"]))[0]


async def test_rows_become_cases_of_their_programme_and_are_taken_back_by_another_roster(context: Context) -> None:
    me, other = identity_number(0), identity_number(1)
    (permit,) = await _work(
        context,
        "register",
        "姓名,身份证号,职务,工作地点,用工形式,合同起始日,语言,目的地,国家工作人员",
        f"欧阳娜,{me},研究员,SZP-001,合同,2025-01-01,简体,港澳,否",
    )
    assert permit.result == "registered", permit
    rows = await _work(
        context,
        ToyRoster.WISH,
        "姓名,身份证号,想要的玩具,工坊",
        f"欧阳娜,{me},木马,布",
        f"欧阳娜,{other},木马,铁",
    )
    assert [(row.result, [(each.field, each.code, each.allowed) for each in row.errors]) for row in rows] == [
        ("registered", []),
        ("defect", [("workshop", "unknown_value", ["Wood", "Cloth"])]),
    ]
    taken = rows[0].reference
    async with context.database.begin() as connection:
        found = await connection.execute(select(cases.c.reference, cases.c.programme))
        assert {tuple(row) for row in found} == {(permit.reference, "talent_permit"), (taken, "toy")}

    back = await _work(context, ToyRoster.TAKEN_BACK, "身份证号,Why", f"{me},不要了", f"{other},")
    assert [(row.result, row.reference, [each.code for each in row.errors]) for row in back] == [
        ("registered", taken, []),
        ("defect", None, ["case_unknown"]),
    ]
    async with context.database.begin() as connection:
        asked = await connection.execute(select(commands.c.reference).where(commands.c.kind == "withdraw"))
        assert asked.scalars().all() == [taken]


@pytest.mark.parametrize("language", Language)
async def test_each_programme_has_its_own_template(context: Context, language: Language) -> None:
    kind = kind_of(context, ToyRoster.TAKEN_BACK)
    content = await workbooks.template(context, EMPLOYER_A, ToyRoster.TAKEN_BACK, language)
    read = read_sheet(content, {"kind": "xlsx", "encoding": None, "words": known_words(kind)}).decode()
    titles = {Language.ZH_HANS: "为什么", Language.ZH_HANT: "為甚麼", Language.EN: "Why"}
    assert titles[language] in json.loads(read.split("\n")[1])
    words = {act: kind_of(context, act).words.columns["reason"].header.en for act in ("departure", kind.act)}
    assert words == {"departure": "Reason", kind.act: "Why"}


async def test_a_roster_of_no_programme_is_refused_and_left_to_who_knows_it(context: Context) -> None:
    with pytest.raises(Refused) as unknown:
        await _work(context, "toy_broken", "a,b")
    (error,) = unknown.value.errors
    assert (error.field, error.code) == ("act", "unknown_value")
