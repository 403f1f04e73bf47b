"""Reading workbooks: each kind of cell, titles and merged cells, and what is broken or far out."""

import io
import json
import zipfile
from datetime import date

import pytest
import xlsxwriter

from cases.files.sheet import read_sheet
from domain.errors import Refused
from programmes.talent_permit.requests import RegistrationRequest
from register.rosters.columns import known_words
from register.rosters.file import MARKS, UNREAD, RosterSheet, roster_sheet
from tests.cases.files.sheets import HEADERS, ROW, SHEET, ZH_HANS, with_rows, workbook
from tests.register.rosters.reading import REGISTER, read_row


def _sheet(content: bytes) -> RosterSheet:
    options = {"kind": "xlsx", "encoding": None, "words": known_words(REGISTER)}
    return roster_sheet(read_sheet(content, options), REGISTER)


def _row(content: bytes) -> dict[str, str]:
    return _sheet(content).rows[0][1]


def test_titles_numbers_notes_and_blank_prepared_lines_are_no_rows() -> None:
    title = ("河套园区人才备案名册",)
    lines = [("1", *ROW), ("2", *ROW), ("3",), ("4",), ("注：请如实填写",)]
    sheet = _sheet(workbook(title, (), ("序号", *ZH_HANS), *lines))
    assert (sheet.header_row, [number for number, _ in sheet.rows]) == (3, [1, 2])


def test_the_sheet_that_has_headers_is_read_and_a_hidden_one_is_not() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.add_worksheet("说明").write_row(0, 0, ["请填写名册"])
        hidden = book.add_worksheet("旧")
        hidden.write_row(0, 0, HEADERS)
        hidden.write_row(1, 0, ["旧人", *ROW[1:]])
        hidden.hide()
        shown = book.add_worksheet("名册")
        shown.write_row(0, 0, HEADERS)
        shown.write_row(1, 0, ROW)
    assert _row(file.getvalue())["name_zh"] == "冯承泽"


def test_merged_cells_stand_in_each_of_their_rows() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 9, "名册")
        sheet.merge_range(1, 0, 2, 0, "序号")
        sheet.merge_range(1, 1, 1, 9, "人员信息")
        sheet.write_row(2, 1, ZH_HANS)
        for n in (3, 4):
            sheet.write_row(n, 1, ROW)
        sheet.merge_range(3, 4, 8, 4, "SZP-002")
    read = _sheet(file.getvalue())
    assert (read.header_row, len(read.rows)) == (3, 2), "merged cells alone make no row"
    assert [row["work_site"] for _, row in read.rows] == ["SZP-002", "SZP-002"]


def _cells(cell: str, *, header: str = "identity_number", strings: str = "", before: str = "") -> dict[str, str]:
    """Return the row of a sheet with a cell of one's own, as XML, in a column."""
    headers = [*HEADERS] if header in HEADERS else [*HEADERS, header]
    texts = [_inline(text) for text in (*ROW, "")]
    texts[headers.index(header)] = cell
    rows = f"<row r='1'>{''.join(map(_inline, headers))}</row><row r='2'>{''.join(texts)}</row>"
    return _row(with_rows(rows, strings, before=before))


def _inline(text: str) -> str:
    return f"<c t='inlineStr'><is><t>{text}</t></is></c>"


@pytest.mark.parametrize(
    ("stored", "text", "mark"),
    [
        ("4.40304198501236E+17", "440304198501236000", "rounded"),
        ("440304198501236004", "440304198501236004", "rounded"),
        ("1000000000000000", "1000000000000000", "rounded"),
        ("0.30000000000000004", "0.30000000000000004", "rounded"),
        ("999999999999999", "999999999999999", None),
        ("13812345678", "13812345678", None),
        ("1.3812345678E+10", "13812345678", None),
        ("-5", "-5", None),
        ("0.5", "0.5", None),
    ],
)
def test_a_number_whose_last_digits_are_lost_is_marked(stored: str, text: str, mark: str | None) -> None:
    row = _cells(f"<c><v>{stored}</v></c>")
    assert row["identity_number"] == text
    assert json.loads(row.get(MARKS, "{}")).get("identity_number") == mark


def test_an_identity_number_typed_as_a_number_is_refused_with_the_reason() -> None:
    read = read_row(_cells("<c><v>4.40304198501236E+17</v></c>"), REGISTER)
    assert [(e.field, e.code, e.words) for e in read] == [  # type: ignore[union-attr]
        ("identity_number", "wrong_type", "cell_rounded")
    ]


@pytest.mark.parametrize(
    "cell",
    [
        "<c t='e'><v>#N/A</v></c>",
        "<c t='e'><f>1/0</f><v>#DIV/0!</v></c>",
        "<c><f>VLOOKUP(A2,B:C,2)</f></c>",
        "<c><f>A1</f><v></v></c>",
    ],
)
def test_a_formula_that_failed_or_was_never_worked_out_is_marked(cell: str) -> None:
    row = _cells(cell, header="contract_end")
    assert json.loads(row[MARKS]) == {"contract_end": "broken"}


@pytest.mark.parametrize(
    ("cell", "strings", "text"),
    [
        ("<c t='s'><v>1</v></c>", "<si><t>a</t></si><si><r><t>李</t></r><r><t>明</t></r></si>", "李明"),
        ("<c t='s'><v>0</v></c>", "<si><t>東</t><rPh sb='0' eb='1'><t>ヒガシ</t></rPh></si>", "東"),
        ("<c t='inlineStr'><is><r><t>a</t></r><r><t>b</t></r></is></c>", "", "ab"),
        ("<c t='str'><f>\"x\"</f><v>x</v></c>", "", "x"),
        ("<c t='str'><v>a_x000D_b_xD83D_</v></c>", "", "a\rb_xD83D_"),
        ("<c t='b'><v>1</v></c>", "", "yes"),
        ("<c t='d'><v>2026-03-01T00:00:00</v></c>", "", "2026-03-01T00:00:00"),
    ],
)
def test_each_kind_of_cell_is_read(cell: str, strings: str, text: str) -> None:
    assert _cells(cell, header="鞋码", strings=strings)[f"{UNREAD}{len(HEADERS)}"] == text


@pytest.mark.parametrize(
    "cell",
    ["<c t='s'><v>7</v></c>", "<c t='s'><v>-1</v></c>", "<c><v>nan</v></c>", "<c><v>1_0</v></c>",
     "<c t='x'><v>1</v></c>", "<c r='B3'><v>1</v></c>", "<c r='2'><v>1</v></c>", "<c r='A2'><v>1</v></c>"],
)  # fmt: skip
def test_a_cell_that_is_none_makes_no_workbook(cell: str) -> None:
    with pytest.raises(Refused) as refused:
        _cells(cell)
    assert refused.value.errors[0].words == "not_xlsx"


def test_a_document_type_is_refused_though_it_defines_nothing() -> None:
    with pytest.raises(Refused) as refused:
        _cells("<c><v>1</v></c>", before="<!DOCTYPE worksheet>")
    assert refused.value.errors[0].words == "not_xlsx"


@pytest.mark.parametrize(
    "blank", ["", "<c r='XFD1' s='1'/>", "<c r='AMJ1' s='1'><v></v></c>", "<c r='XFD1' t='str'><v> </v></c>"]
)
def test_cells_and_rows_without_anything_in_them_are_none_however_far_out(blank: str) -> None:
    headers, row = "".join(map(_inline, HEADERS)), "".join(map(_inline, ROW))
    far = "<row r='1048576' ht='12.8' customHeight='0'><c r='A1048576' s='2'/></row>"
    content = with_rows(f"<row r='1'>{headers}{blank}</row><row r='2'>{row}</row>{far}")
    assert _row(content) == dict(zip(HEADERS, ROW, strict=True))


@pytest.mark.parametrize("is_1904", [False, True])
@pytest.mark.parametrize("number_format", [None, "yyyy-mm-dd", 'yyyy"年"m"月"d"日"', 14, 31, "[$-804]aaaa;@"])
def test_a_day_is_read_however_it_is_shown(number_format: str | int | None, is_1904: bool) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "date_1904": is_1904}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADERS)
        sheet.write_row(1, 0, ROW)
        shown = book.add_format({"num_format": number_format} if number_format else {})
        sheet.write_number(1, 5, 46082 - (1462 if is_1904 else 0), shown)
    read = read_row(_row(file.getvalue()), REGISTER)
    assert isinstance(read, RegistrationRequest), read
    assert read.employment.contract_start == date(2026, 3, 1)


def test_a_reference_that_became_a_date_is_refused() -> None:
    content = workbook(("client_reference", *HEADERS), (date(2026, 3, 1), *ROW))
    read = read_row(_row(content), REGISTER)
    assert [(e.field, e.words) for e in read] == [("client_reference", "cell_is_date")]  # type: ignore[union-attr]


def test_two_parts_of_one_name_are_refused() -> None:
    content = workbook(HEADERS, ROW)
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHEET, "<worksheet/>")
    with pytest.raises(Refused) as refused:
        _sheet(file.getvalue())
    assert refused.value.errors[0].words == "not_xlsx"


@pytest.mark.parametrize("folder", ["XL\\Worksheets\\Sheet1.xml"])
def test_parts_named_in_another_manner_are_found(folder: str) -> None:
    old = io.BytesIO(workbook(HEADERS, ROW))
    file = io.BytesIO()
    with zipfile.ZipFile(old) as given, zipfile.ZipFile(file, "w") as new:
        for name in given.namelist():
            new.writestr(folder if name == SHEET else name, given.read(name))
    assert _row(file.getvalue())["name_zh"] == "冯承泽"
