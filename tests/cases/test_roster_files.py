"""Reading roster files: encodings, headers, broken files, and files made to do harm."""

import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter

from cases import roster_file
from cases.roster_file import EXTRA, MOST_BYTES, read_roster
from domain.errors import Refused
from domain.roster import RosterAct

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADERS = (
    "name_zh", "identity_number", "position", "work_site", "employment_kind", "contract_start", "language",
    "destinations", "state_worker",
)  # fmt: skip
ROW = ("冯承泽", "44030419900307123X", "研究员", "SZP-001", "contract", "2025-01-01", "zh-Hans", "HK", "no")
ZH_HANS = ("姓名", "公民身份号码", "职务", "工作地点", "用工形式", "合同起始日", "语言", "目的地", "国家工作人员")
ZH_HANT = ("姓名", "公民身份號碼", "職務", "工作地點", "僱用形式", "合約起始日", "語言", "目的地", "國家工作人員")


def _csv(*lines: tuple[str, ...], delimiter: str = ",") -> str:
    return "".join(delimiter.join(line) + "\r\n" for line in lines)


def _read(content: bytes, content_type: str = "text/csv", filename: str = "") -> list[tuple[int, dict[str, str]]]:
    return read_roster(content, content_type, filename, RosterAct.REGISTER)


def _workbook(*lines: tuple[Any, ...]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for n, line in enumerate(lines):
            for k, cell in enumerate(line):
                if isinstance(cell, date):
                    sheet.write_datetime(n, k, datetime(cell.year, cell.month, cell.day), day)
                else:
                    sheet.write(n, k, cell)
    return file.getvalue()


def _rezipped(content: bytes, **changes: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name.replace("/", "_").replace(".", "_"), old.read(name)))
    return file.getvalue()


def _refusal(content: bytes, content_type: str = "text/csv", filename: str = "") -> Refused:
    with pytest.raises(Refused) as refused:
        _read(content, content_type, filename)
    return refused.value


@pytest.mark.parametrize("headers", [HEADERS, ZH_HANS, ZH_HANT])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_headers_of_three_languages_and_encodings_are_read(headers: tuple[str, ...], encoding: str) -> None:
    assert _read(_csv(headers, ROW).encode(encoding)) == [(1, dict(zip(HEADERS, ROW, strict=True)))]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_semicolons_and_tabs_part_cells_too(delimiter: str) -> None:
    assert _read(_csv(HEADERS, ROW, delimiter=delimiter).encode())[0][1]["name_zh"] == "冯承泽"


def test_empty_rows_are_left_out_and_keep_their_number() -> None:
    content = _csv(HEADERS, ROW, ("",) * len(HEADERS), ROW).encode()
    assert [number for number, _ in _read(content)] == [1, 3]


def test_a_cell_that_looks_like_a_formula_is_text() -> None:
    line = ('"=HYPERLINK(""http://x"",""y"")"', *ROW[1:])
    assert _read(_csv(HEADERS, line).encode())[0][1]["name_zh"] == '=HYPERLINK("http://x","y")'


def test_cells_beyond_the_headers_are_kept_apart() -> None:
    assert _read(_csv(HEADERS, (*ROW, "more")).encode())[0][1][EXTRA] == "more"


def test_a_workbook_is_read_as_its_reader_sees_it() -> None:
    line = (*ROW[:5], date(2025, 1, 1), "zh-Hans", "HK", "no")
    expected = [(1, dict(zip(HEADERS, ROW, strict=True)))]
    assert _read(_workbook(HEADERS, line), XLSX) == expected
    assert _read(_workbook(HEADERS, line), "application/octet-stream", "Roster.XLSX") == expected
    assert _read(_workbook(HEADERS, line), "application/vnd.ms-excel", "r.csv") == expected


def test_numbers_and_flags_of_a_workbook_read_as_in_a_csv() -> None:
    headers = (*HEADERS[:-1], "phone", "state_worker")
    row = _read(_workbook(headers, (*ROW[:-1], 13812345678, False)), XLSX)[0][1]
    assert (row["phone"], row["state_worker"]) == ("13812345678", "no")


@pytest.mark.parametrize(
    ("content", "field", "code"),
    [
        pytest.param(b"", "file", "required", id="empty"),
        pytest.param(_csv(HEADERS).encode(), "file", "required", id="headers only"),
        pytest.param(b'name_zh,"broken\r\n"x"y,z', "file", "bad_characters", id="broken quotes"),
        pytest.param(b"\xff\xff\xff\xfe", "file", "bad_characters", id="no text"),
        pytest.param(b"a\x00b,c\n", "file", "bad_characters", id="null bytes"),
        pytest.param(_csv((*HEADERS, "shoe_size"), ROW).encode(), "header[9]", "unknown_field", id="unknown header"),
        pytest.param(_csv(HEADERS[1:], ROW).encode(), "name_zh", "required", id="missing column"),
        pytest.param(b"," * 200_000, "file", "too_long", id="a row of commas"),
        pytest.param(b"x" * 200_000, "file", "bad_characters", id="one endless cell"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_field(content: bytes, field: str, code: str) -> None:
    refused = _refusal(content)
    assert refused.code == "invalid"
    assert (field, code) in [(e.field, e.code) for e in refused.errors]


def test_more_rows_than_a_roster_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster_file, "MOST_ROWS", 2)
    assert _refusal(_csv(HEADERS, ROW, ROW, ROW).encode()).errors[0].code == "too_long"


def test_a_large_file_is_refused_before_it_is_read() -> None:
    assert _refusal(b"x" * (MOST_BYTES + 1)).code == "body_too_large"


@pytest.mark.parametrize(
    ("content_type", "filename"), [("application/pdf", "a.csv"), ("", "a.ods"), ("application/json", "")]
)
def test_another_kind_of_file_is_refused(content_type: str, filename: str) -> None:
    assert _refusal(_csv(HEADERS, ROW).encode(), content_type, filename).code == "media_type_unknown"


@pytest.mark.parametrize("content", [b"PK\x03\x04 no zip", b"no zip", _csv(HEADERS, ROW).encode()])
def test_a_workbook_that_is_none_is_refused(content: bytes) -> None:
    assert _refusal(content, XLSX).errors[0].code == "bad_characters"


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "x")
    assert _refusal(file.getvalue(), XLSX).errors[0].code == "bad_characters"


def test_a_workbook_of_broken_xml_is_refused() -> None:
    content = _rezipped(_workbook(HEADERS, ROW), xl_worksheets_sheet1_xml=b"<worksheet><sheetData><row")
    assert _refusal(content, XLSX).errors[0].code == "bad_characters"


def test_a_zip_bomb_is_refused_by_what_it_says_of_itself() -> None:
    content = _rezipped(_workbook(HEADERS, ROW), xl_sharedStrings_xml=b"0" * (101 * 1024 * 1024))
    assert len(content) < MOST_BYTES
    assert _refusal(content, XLSX).code == "body_too_large"


def test_a_zip_bomb_that_lies_about_its_size_is_refused() -> None:
    content = _rezipped(_workbook(HEADERS, ROW), xl_sharedStrings_xml=b"0" * (101 * 1024 * 1024))
    true = (101 * 1024 * 1024).to_bytes(4, "little")
    assert _refusal(content.replace(true, (1000).to_bytes(4, "little")), XLSX).code == "body_too_large"


def test_a_workbook_that_unpacks_to_far_more_than_its_size_is_refused() -> None:
    content = _rezipped(_workbook(HEADERS, ROW), xl_sharedStrings_xml=b"0" * (20 * 1024 * 1024))
    assert _refusal(content, XLSX).code == "body_too_large"


@pytest.mark.parametrize("place", ["XFD2", "A1048576", "A99999999999", "ZZZZZ1"])
@pytest.mark.parametrize("padding", [0, 255 * 1024, 256 * 1024 - 30])
def test_a_cell_far_out_is_refused_before_it_fills_memory(place: str, padding: int) -> None:
    sheet = (
        "<?xml version='1.0'?><worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>"
        f"{' ' * padding}<sheetData><row><c r='A1'><v>1</v></c><c  s='0'\n r = '{place}'><v>1</v></c></row>"
        "</sheetData></worksheet>"
    )
    content = _rezipped(_workbook(HEADERS, ROW), xl_worksheets_sheet1_xml=sheet.encode())
    assert _refusal(content, XLSX).errors[0].code == "too_long"
