"""Headers of rosters: synonyms in three languages, columns that pass unread, and what is refused lest it be lost."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from domain.errors import Refused
from domain.languages import Language
from domain.sheets import find_header, plain_header
from register.rosters.columns import Header, columns_of
from register.rosters.kinds import RosterKind
from tests.register.rosters.reading import COLUMNS, DEPARTURE, REGISTER, SAID

NEEDED = [name for name, column in REGISTER.columns.items() if column.is_required]
DOCS = Path(__file__).parents[3] / "docs" / "api.md"


def columns(written: Sequence[str], kind: RosterKind = REGISTER, *below: Sequence[str]) -> list[str | None]:
    """Return the columns that headers mean."""
    return [header.column for header in columns_of(written, kind, below)]


def refused(written: Sequence[str], *below: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return field, sentence and what it names of each error."""
    with pytest.raises(Refused) as found:
        columns_of(written, REGISTER, below)
    return [(error.field, error.words, error.about) for error in found.value.errors]


@pytest.mark.parametrize("language", Language)
def test_headers_are_known_in_three_languages(language: Language) -> None:
    for kind in (REGISTER, DEPARTURE):
        there = list(kind.columns)
        assert columns(there, kind) == there
        assert columns([COLUMNS[column].header.in_language(language) for column in there], kind) == there


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("身份证号", "identity_number"), ("身份證號碼", "identity_number"), ("证件号码", "identity_number"),
        ("手机", "phone"), ("手機號碼", "phone"), ("联系电话", "phone"), ("Mobile", "phone"),
        ("邮箱", "email"), ("E-mail", "email"), ("职位", "position"), ("岗位", "position"),
        ("合同开始日期", "contract_start"), ("合同到期日", "contract_end"), ("港澳通行证号", "permit_card_number"),
        ("通行证有效期", "permit_card_valid_until"), ("是否国家工作人员", "state_worker"), ("工号", "client_reference"),
        ("姓名（拼音）", "name_en"), ("English name", "name_en"), ("Citizen identity number", "identity_number"),
    ],
)  # fmt: skip
def test_usual_synonyms_are_known(header: str, column: str) -> None:
    others = [each for each in NEEDED if each != column]
    assert columns([header, *others])[0] == column


def test_no_header_means_two_columns() -> None:
    seen: dict[str, str] = {}
    for column in COLUMNS:
        for plain in SAID.headers_of([column]):
            assert seen.setdefault(plain, column) == column


@pytest.mark.parametrize(
    "header",
    [
        "*Identity_Number ",
        "ＩＤＥＮＴＩＴＹ＿ＮＵＭＢＥＲ",
        "身份证号（必填）",
        "身份证\n号码：",
        "\ufeff身份证号码*",
        "身份证号 (18位)",
    ],
)
def test_width_case_stars_hints_and_a_byte_order_mark_do_not_matter(header: str) -> None:
    assert plain_header(header) in SAID.headers_of(["identity_number"])


def test_numbers_and_remarks_and_what_nobody_reads_pass_as_written() -> None:
    found = columns_of(["序号", *NEEDED, " 鞋码 ", "备注"], REGISTER, [["1", *["x"] * 9, "42", "新员工"]])
    assert [header for header in found if header.column is None] == [
        Header("序号", None), Header("鞋码", None), Header("备注", None),
    ]  # fmt: skip


def test_doubled_and_missing_columns_are_refused_by_header() -> None:
    assert refused(["姓名", "name_zh", *NEEDED[2:]]) == [
        ("header[1]", "column_twice", "name_zh"),
        ("identity_number", "column_missing", "公民身份号码 / 公民身份號碼 / Identity number"),
    ]


@pytest.mark.parametrize(
    ("header", "cells"),
    [("contrct_end", ["2029-12-31"]), ("合同终止日子", ["2029-12-31"]),
     ("联系方式", ["13812345678", "", "+86 13912345678"]), ("联络", ["a@mail.example", "b@mail.example"]),
     ("卡号", ["C12345678"])],
)  # fmt: skip
def test_a_column_whose_content_would_be_lost_is_refused(header: str, cells: list[str]) -> None:
    below = [[*["x"] * len(NEEDED), cell] for cell in cells]
    assert refused([*NEEDED, header], *below) == [(f"header[{len(NEEDED)}]", "column_resembles", header)]
    assert columns([*NEEDED, header])[-1] is None, "an empty column loses nothing"


def test_a_file_without_headers_repeats_no_value_of_its_first_line() -> None:
    first = ["李明", "44030419900307123X", "13812345678", "a@mail.example"]
    with pytest.raises(Refused) as found:
        columns_of(first, REGISTER, [first])
    assert {error.about for error in found.value.errors if error.words == "column_resembles"} == {"3", "4"}


def test_a_column_with_content_and_no_header_is_refused() -> None:
    line = ["x"] * (len(NEEDED) + 1)
    assert refused(["姓名", "", *NEEDED[1:]], line) == [("header[1]", "column_without_header", "2")]
    assert columns(["姓名", "", *NEEDED[1:]], REGISTER, ["x", "", *line])[1] is None


def test_the_headers_are_the_line_with_most_of_them_among_the_first() -> None:
    words = SAID.headers_of(REGISTER.columns)
    title = ["河套园区人才备案名册"]
    assert (
        find_header([[" "], title, ["填表日期：", "2026-03-01"], ["姓名", "身份证号", "职务"], ["李", "1", "2"]], words)
        == 4
    )
    assert find_header([["人员", "", "合同"], ["姓名", "职务", "合同起始日", "合同终止日"]], words) == 2
    assert find_header([[" "], ["a", "b"], ["c"]], words) == 2, "none is known: the first that is not blank"
    assert find_header([["", " "]], words) is None


@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_a_column_is_described_in_the_page_of_the_api(column: str) -> None:
    page = DOCS.read_text(encoding="utf-8")
    assert f"| `{column}` |" in page
    for language in (Language.ZH_HANS, Language.ZH_HANT):
        assert COLUMNS[column].header.in_language(language) in page
