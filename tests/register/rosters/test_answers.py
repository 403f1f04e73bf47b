"""What a roster's sender gets: defects in its own words and language, an annotated workbook, and a template."""

import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import xlsxwriter
from sqlalchemy import select, update

from cases.files.sheet import read_sheet
from cases.shared.context import Context
from domain.errors import Refused
from domain.languages import Language
from domain.roster import OnDefect
from programmes.talent_permit.requests import RegistrationRequest
from register.rosters import columns as roster_columns
from register.rosters import contents, workbooks
from register.rosters.columns import known_words
from register.rosters.file import RosterSheet, roster_sheet
from register.rosters.intake import RosterFile, receive
from register.rosters.kinds import RosterKind
from register.rosters.reads import get_roster, get_rows
from register.rosters.views import RosterRowView
from register.rosters.work import work_once
from store.tables import ledger, roster_rows, rosters
from tests.cases.contexts import EMPLOYER_A, EMPLOYER_B, NOON, Clock, key, load_samples, open_context
from tests.cases.files.sheets import XLSX
from tests.register.rosters.reading import DEPARTURE, REGISTER, SAID, read_row, words_allowed

CHINESE = (
    *"序号 姓名（必填） 身份证号 手机 邮箱 职位 工作地点 用工形式 合同开始日期 合同到期日 语言".split(),
    *"目的地 是否国家工作人员 部门 备注".split(),
)
FENG = (
    *"1 冯承泽 33010619860128072X 13873977650 feng@htri.example 研究员 SZP-001 劳动合同".split(),
    *("2025年1月1日", "无固定期限", "简体中文", "香港、澳门", "否", "量子", ""),
)
XU = (
    *("2", "徐若澜", "620102199304213908", "13839847656", "", "主管", "SZP-001", "借调"),
    *("2025/1/1", "20301231", "繁體中文", "香港", "否", "科研", '=HYPERLINK("http://x")'),
)
NUMBERS = (
    *(1, "冯承泽", "33010619860128072X", 13873977650, "feng@htri.example", "研究员", "SZP-001", "合同"),
    *(date(2025, 1, 1), 47848, "简体", "香港", "否", "量子", ""),
)
PEOPLE = ("620102199304213908", "33010619860128072X", "410105197509222921", "44030419900307123X")
MIXED = [
    (str(n), "徐若澜", number, "", "", "主管", "SZP-001", "借调", day, "长期", "英文", "澳门", "否", "", "")
    for n, (number, day) in enumerate(zip(PEOPLE, ("2025-1-1", "2025年1月1日", "20250101", 45658), strict=True))
]
WRONG = (
    *("3", "李错", "44030419900307123", "1380013800O", "a@b", "研究员", "SZP-001", "临时"),
    *("3/1/2026", "", "中文", "广州", "不详", "", ""),
)


@pytest_asyncio.fixture
async def context(clean_database: str) -> AsyncIterator[Context]:
    async with open_context(clean_database, Clock()) as context:
        await load_samples(context)
        yield context


def book(*lines: tuple[Any, ...], day: str = "yyyy/m/d") -> bytes:
    """Return a workbook as a person makes one: a title over all columns, a blank line, then the table."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as made:
        sheet = made.add_worksheet("人员名单")
        sheet.merge_range(0, 0, 0, len(lines[0]) - 1, "河套深港科技创新合作区人才备案名册")
        shown = made.add_format({"num_format": day})
        for n, line in enumerate(lines, start=2):
            for k, cell in enumerate(line):
                if isinstance(cell, date):
                    sheet.write_datetime(n, k, datetime(cell.year, cell.month, cell.day), shown)
                else:
                    sheet.write(n, k, cell)
    return file.getvalue()


def text_file(*lines: tuple[str, ...]) -> str:
    """Return lines as CSV."""
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue()


async def hand_in(context: Context, content: bytes, *, dry_run: bool = False) -> UUID:
    """Hand in a roster and work it off."""
    kind = XLSX if content.startswith(b"PK") else "text/csv"
    file = RosterFile(content, kind, "", REGISTER.act, dry_run, OnDefect.SKIP)
    reply = await receive(context, EMPLOYER_A, file, key("POST /v1/rosters", body=content))
    while await work_once(context):
        pass
    return UUID(reply.body["id"])


async def rows_of(context: Context, roster_id: UUID, language: Language = Language.ZH_HANS) -> list[RosterRowView]:
    """Return what became of the rows."""
    return (await get_rows(context, EMPLOYER_A, roster_id, limit=200, language=language))[0]


def opened(content: bytes, act: RosterKind = REGISTER) -> RosterSheet:
    """Return a workbook as this system reads it."""
    return roster_sheet(read_sheet(content, {"kind": "xlsx", "encoding": None, "words": known_words(act)}), act)


def part_of(content: bytes, name: str) -> str:
    """Return a part of a workbook as text."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name).decode()


@pytest.mark.parametrize(
    ("content", "count"),
    [
        pytest.param(book(CHINESE, FENG, XU), 2, id="title row, Chinese headers and values"),
        pytest.param(book(CHINESE, NUMBERS), 1, id="numbers as numbers"),
        pytest.param(book(CHINESE, *MIXED), 4, id="days in mixed forms"),
        pytest.param(text_file(CHINESE, FENG, XU).encode("gb18030"), 2, id="GB 18030"),
        pytest.param(("\ufeff" + text_file(("名册",), (), CHINESE, FENG, XU)).encode(), 2, id="UTF-8 with a title"),
    ],
)
async def test_the_files_that_a_person_makes_are_taken_without_a_word(
    context: Context, content: bytes, count: int
) -> None:
    roster_id = await hand_in(context, content)
    rows = await rows_of(context, roster_id)
    assert [(row.result, row.errors) for row in rows] == [("registered", [])] * count
    roster = await get_roster(context, EMPLOYER_A, roster_id)
    assert {c.header for c in roster.columns if c.column is None} == {"序号", "部门", "备注"}


EXPECTED = {
    "identity_number": ("身份证号", "4403*********7123", False), "phone": ("手机", "***********", False),
    "email": ("邮箱", "a***@b", False), "employment_kind": ("用工形式", "临时", True),
    "contract_start": ("合同开始日期", "3/1/2026", True), "language": ("语言", "中文", True),
    "destinations": ("目的地", "广州", True), "state_worker": ("是否国家工作人员", "不详", True),
}  # fmt: skip


@pytest.mark.parametrize("language", Language)
async def test_a_defect_is_told_in_the_senders_words_and_language(context: Context, language: Language) -> None:
    row = (await rows_of(context, await hand_in(context, book(CHINESE, FENG, WRONG), dry_run=True), language))[1]
    assert (row.row, row.sheet_row, row.result) == (2, 5, "defect")
    found = {error.field: error for error in row.errors}
    assert {name: (e.header, e.value, bool(e.allowed)) for name, e in found.items()} == EXPECTED
    assert found["employment_kind"].allowed == [
        SAID.word_of("employment_kind", kind, language) for kind in ("contract", "secondment", "dual_post")
    ]
    assert "2026年3月1日" in found["contract_start"].allowed
    has_chinese = [any("一" <= mark <= "鿿" for mark in error.message) for error in row.errors]
    assert set(has_chinese) == {language is not Language.EN}


async def test_the_row_of_a_sheet_is_told_beside_the_number_of_the_row(context: Context) -> None:
    roster_id = await hand_in(context, book(CHINESE, FENG, (), XU), dry_run=True)
    assert [(row.row, row.sheet_row) for row in await rows_of(context, roster_id)] == [(1, 4), (3, 6)]
    assert (await get_roster(context, EMPLOYER_A, roster_id)).header_row == 3


async def test_values_are_not_kept_with_the_errors(context: Context) -> None:
    await hand_in(context, book(CHINESE, WRONG), dry_run=True)
    async with context.database.begin() as connection:
        kept = str((await connection.execute(select(roster_rows.c.errors))).scalars().all())
        heads = (await connection.execute(select(rosters.c.head))).scalars().all()
    assert "44030419900307123" not in kept
    assert "临时" not in kept
    assert all("手机".encode() not in bytes(head) for head in heads)


async def test_an_annotated_roster_has_the_rows_whole_and_what_to_mend(context: Context) -> None:
    roster_id = await hand_in(context, book(CHINESE, FENG, XU, WRONG))
    content = await workbooks.annotated(context, EMPLOYER_A, roster_id, Language.ZH_HANS)
    sheet = opened(content)
    assert [header.written for header in sheet.headers] == [*CHINESE, "须更正之处", "结果", "案件编号", "原表行号"]
    reference = str((await rows_of(context, roster_id))[0].reference)
    lines = read_sheet(content, {"kind": "xlsx", "encoding": None, "words": known_words(REGISTER)}).decode()
    for text in (*FENG, *XU[:-1], *WRONG, reference, "已受理", "有误", "身份证号：", "劳动合同 / 借调 / 双聘"):
        assert text in lines.encode().decode("unicode_escape"), text


async def test_formulas_in_an_annotated_roster_are_texts(context: Context) -> None:
    line = (*FENG[:-1], "+1+1")
    roster_id = await hand_in(context, text_file(CHINESE, XU, line).encode())
    content = await workbooks.annotated(context, EMPLOYER_A, roster_id, Language.EN)
    assert "<f>" not in part_of(content, "xl/worksheets/sheet1.xml")
    assert "hyperlink" not in part_of(content, "xl/worksheets/sheet1.xml").casefold()
    assert 'quotePrefix="1"' in part_of(content, "xl/styles.xml")
    assert opened(content).rows[0][1]["unread:14"] == XU[-1]


async def test_an_annotated_roster_sent_again_says_the_same(context: Context) -> None:
    first = await hand_in(context, book(CHINESE, FENG, XU))
    content = await workbooks.annotated(context, EMPLOYER_A, first, Language.EN)
    again = await rows_of(context, await hand_in(context, content))
    assert [row.result for row in again] == ["already_registered"] * 2
    assert [row.reference for row in again] == [row.reference for row in await rows_of(context, first)]


async def test_an_annotated_roster_is_a_ledger_act_that_names_the_cases(context: Context) -> None:
    roster_id = await hand_in(context, book(CHINESE, FENG, XU))
    await workbooks.annotated(context, EMPLOYER_A, roster_id, Language.EN)
    references = sorted(str(row.reference) for row in await rows_of(context, roster_id))
    async with context.database.begin() as connection:
        query = select(ledger).where(ledger.c.act == "personal_data_read")
        row = (await connection.execute(query)).one()
    assert (row.employer_id, row.purpose, row.detail["cases"]) == ("emp-a", "own_data", references)
    assert "identity_number" in row.detail["fields"]


async def test_another_employers_roster_is_not_given(context: Context) -> None:
    roster_id = await hand_in(context, book(CHINESE, FENG))
    with pytest.raises(Refused) as refused:
        await workbooks.annotated(context, EMPLOYER_B, roster_id, Language.EN)
    assert refused.value.code == "not_found"


async def test_an_emptied_roster_is_gone_and_its_results_stay(context: Context) -> None:
    roster_id = await hand_in(context, book(CHINESE, FENG, WRONG))
    assert await contents.empty_old(context, NOON, context.clock().replace(year=2100), 10) == 1
    with pytest.raises(Refused) as refused:
        await workbooks.annotated(context, EMPLOYER_A, roster_id, Language.EN)
    assert refused.value.code == "facts_erased"
    rows = await rows_of(context, roster_id)
    assert [row.result for row in rows] == ["registered", "defect"]
    assert {error.value for error in rows[1].errors} == {None}
    assert (await get_roster(context, EMPLOYER_A, roster_id)).columns == []


async def test_a_roster_from_before_headers_were_kept_is_read(context: Context) -> None:
    roster_id = await hand_in(context, book(CHINESE, FENG, WRONG))
    async with context.database.begin() as connection:
        await connection.execute(update(rosters).values(head=None))
    rows = await rows_of(context, roster_id)
    assert [(row.sheet_row, row.result) for row in rows] == [(2, "registered"), (3, "defect")]
    assert opened(await workbooks.annotated(context, EMPLOYER_A, roster_id, Language.EN)).rows


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("act", [REGISTER, DEPARTURE])
async def test_a_template_is_taken_once_it_is_filled_in(context: Context, act: RosterKind, language: Language) -> None:
    content = await workbooks.template(context, EMPLOYER_A, act.act, language)
    filled = _filled(content, act, language)
    read = read_row(opened(filled, act).rows[0][1], act)
    assert not isinstance(read, list), read
    if isinstance(read, RegistrationRequest):
        assert read.person.identity_number == "33010619860128072X"
    sheet = part_of(content, "xl/worksheets/sheet1.xml")
    wanted = {"employment_kind", "language", "destinations", "state_worker"} if act is REGISTER else {"reason"}
    assert sheet.count("<dataValidation ") == len(wanted)
    assert all(len(",".join(words_allowed(column, language))) <= 255 for column in wanted), "more is no list for Excel"


def _filled(content: bytes, act: RosterKind, language: Language) -> bytes:
    """Return a template with a row, as if it had been filled in."""
    with pytest.raises(Refused) as empty:
        opened(content, act)
    assert empty.value.errors[0].words == "no_rows"
    words: Mapping[str, str] = {
        "name_zh": "冯承泽", "identity_number": "33010619860128072X", "position": "研究员", "work_site": "SZP-001",
        "contract_start": "2025/1/1", "last_day": "2026/3/31",
    }  # fmt: skip
    lines = read_sheet(content, {"kind": "xlsx", "encoding": None, "words": known_words(act)}).decode().split("\n")
    headers = json.loads(lines[1])
    columns = roster_columns.columns_of(headers, act)
    row = [words.get(str(c.column)) or next(iter(words_allowed(str(c.column), language)), "") for c in columns]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, headers)
        sheet.write_row(1, 0, row)
    return out.getvalue()
