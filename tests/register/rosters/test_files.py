"""Reading roster files: encodings, headers, broken files, and files made to do harm."""

import io
import zipfile
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from cases.files.apart import Apart
from cases.files.sheet import read_sheet
from domain.errors import Refused
from register.rosters import file as roster_file
from register.rosters.file import EXTRA, MOST_BYTES, RosterSheet, read_roster, roster_sheet
from tests.cases.files.sheets import HEADERS, ROW, SHEET, STRINGS, XLSX, ZH_HANS, ZH_HANT, with_parts, workbook
from tests.register.rosters.reading import REGISTER


def _csv(*lines: tuple[str, ...], delimiter: str = ",") -> str:
    return "".join(delimiter.join(line) + "\r\n" for line in lines)


def _read(content: bytes, content_type: str = "text/csv", filename: str = "") -> list[tuple[int, dict[str, str]]]:
    return list(_sheet(content, content_type, filename).rows)


class InHere(Apart):
    """Does the work in the process of the test; what a process of its own adds is tested in `test_apart.py`."""

    async def run(self, work: str, content: bytes, options: Mapping[str, Any], *, whose: str) -> bytes:
        """Read the sheet."""
        assert (work, whose) == ("read_sheet", "emp-a")
        return read_sheet(content, options)


def _sheet(
    content: bytes, content_type: str = "text/csv", filename: str = "", encoding: str | None = None
) -> RosterSheet:
    reading = read_roster(InHere(), content, content_type, filename, REGISTER, whose="emp-a", encoding=encoding)
    with pytest.raises(StopIteration) as read:  # it waits for nothing
        reading.send(None)
    return roster_sheet(read.value.value, REGISTER)


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
    assert _read(workbook(HEADERS, line), XLSX) == expected
    assert _read(workbook(HEADERS, line), "application/octet-stream", "Roster.XLSX") == expected
    assert _read(workbook(HEADERS, line), "application/vnd.ms-excel", "r.csv") == expected


def test_numbers_and_flags_of_a_workbook_read_as_in_a_csv() -> None:
    headers = (*HEADERS[:-1], "phone", "state_worker")
    row = _read(workbook(headers, (*ROW[:-1], 13812345678, False)), XLSX)[0][1]
    assert (row["phone"], row["state_worker"]) == ("13812345678", "no")


@pytest.mark.parametrize(
    ("content", "field", "code"),
    [
        pytest.param(b"", "file", "required", id="empty"),
        pytest.param(_csv(HEADERS).encode(), "file", "required", id="headers only"),
        pytest.param(b'name_zh,"broken\r\n"x"y,z', "file", "bad_characters", id="broken quotes"),
        pytest.param(b"\xff\xff\xff\xfe", "file", "bad_characters", id="no text"),
        pytest.param(b"a\x00b,c\n", "file", "bad_characters", id="null bytes"),
        pytest.param(
            _csv((*HEADERS, "contrct_end"), (*ROW, "x")).encode(), "header[9]", "unknown_field", id="misspelt header"
        ),
        pytest.param(_csv(HEADERS[1:], ROW).encode(), "name_zh", "required", id="missing column"),
        pytest.param(b"a," * 200_000, "file", "too_long", id="a row of commas"),
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


def test_a_workbook_of_another_age_or_with_a_password_is_told_to_be_saved_anew() -> None:
    for kind in ("application/vnd.ms-excel", "text/csv", XLSX):
        assert _refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), kind).errors[0].words == "not_xlsx"


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "x")
    assert _refusal(file.getvalue(), XLSX).errors[0].code == "bad_characters"


def test_a_workbook_of_broken_xml_is_refused() -> None:
    content = with_parts({SHEET: b"<worksheet><sheetData><row"}, workbook(HEADERS, ROW))
    assert _refusal(content, XLSX).errors[0].code == "bad_characters"


def test_a_zip_bomb_is_refused_by_what_it_says_of_itself() -> None:
    content = with_parts({STRINGS: b"0" * (101 * 1024 * 1024)}, workbook(HEADERS, ROW))
    assert len(content) < MOST_BYTES
    assert _refusal(content, XLSX).code == "body_too_large"


def test_a_zip_bomb_that_lies_about_its_size_is_refused() -> None:
    content = with_parts({STRINGS: b"0" * (101 * 1024 * 1024)}, workbook(HEADERS, ROW))
    true = (101 * 1024 * 1024).to_bytes(4, "little")
    assert _refusal(content.replace(true, (1000).to_bytes(4, "little")), XLSX).code == "body_too_large"


def test_a_workbook_that_unpacks_to_far_more_than_its_size_is_refused() -> None:
    content = with_parts({STRINGS: b"0" * (20 * 1024 * 1024)}, workbook(HEADERS, ROW))
    assert _refusal(content, XLSX).code == "body_too_large"


@pytest.mark.parametrize("place", ["XFD2", "A1048576", "A99999999999", "ZZZZZ1"])
@pytest.mark.parametrize("padding", [0, 255 * 1024, 256 * 1024 - 30])
def test_a_cell_far_out_is_refused_before_it_fills_memory(place: str, padding: int) -> None:
    sheet = (
        "<?xml version='1.0'?><worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>"
        f"{' ' * padding}<sheetData><row><c r='A1'><v>1</v></c><c  s='0'\n r = '{place}'><v>1</v></c></row>"
        "</sheetData></worksheet>"
    )
    content = with_parts({SHEET: sheet.encode()}, workbook(HEADERS, ROW))
    assert _refusal(content, XLSX).errors[0].code == "too_long"


def _big5(*names: str) -> bytes:
    return _csv(HEADERS, *[(name, *ROW[1:2], "Researcher", *ROW[3:]) for name in names]).encode("big5hkscs")


@pytest.mark.parametrize(
    "names", [("張偉", "黃志強", "林詩敏", "周潤發", "歐陽文"), ("陳大文",), ("李明",), ("龢氏", "王堃")]
)
def test_big5_is_not_taken_for_another_encoding(names: tuple[str, ...]) -> None:
    refused = _refusal(_big5(*names))
    assert [(e.field, e.code, e.words) for e in refused.errors] == [("file", "bad_characters", "encoding_unknown")]
    read = _sheet(_big5(*names), encoding="big5-hkscs").rows
    assert tuple(row["name_zh"] for _, row in read) == names


def test_characters_of_hong_kong_are_read_in_big5() -> None:
    assert _sheet(_big5("陳㷫", "鰂魚涌"), encoding="big5-hkscs").rows[0][1]["name_zh"] == "陳㷫"


def test_a_text_too_short_to_tell_its_encoding_is_asked_about() -> None:
    content = _csv(HEADERS, ("李明", ROW[1], "x", *ROW[3:])).encode("gb18030")
    assert _refusal(content).errors[0].words == "encoding_unknown"
    assert _sheet(content, encoding="gb18030").rows[0][1]["name_zh"] == "李明"


def test_rare_names_in_gb_18030_are_read() -> None:
    rows = [(name, *ROW[1:]) for name in ("陈喆", "李堃", "王玥", "张镕", "刘㛃", "冯承泽", "徐若澜")]
    read = _read(_csv(HEADERS, *rows).encode("gb18030"))
    assert [row["name_zh"] for _, row in read] == [row[0] for row in rows]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_the_unicode_text_of_a_spreadsheet_is_read_by_its_mark(encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    content = (mark + _csv(ZH_HANS, ROW, delimiter="\t")).encode(encoding)
    assert _read(content)[0][1]["name_zh"] == "冯承泽"


@pytest.mark.parametrize(("encoding", "said"), [("gb18030", "utf-8"), ("utf-8", "big5-hkscs")])
def test_a_file_that_is_not_in_the_encoding_that_is_said_is_refused(encoding: str, said: str) -> None:
    content = _csv(ZH_HANS, *[ROW] * 3).encode(encoding)
    with pytest.raises(Refused) as refused:
        _sheet(content, encoding=said)
    assert [(e.words, e.about) for e in refused.value.errors] == [("not_in_encoding", said)]


@pytest.mark.parametrize("blank", [(" ",), ("", "\u3000", "\t"), ()])
def test_blank_lines_before_the_headers_are_skipped(blank: tuple[str, ...]) -> None:
    for content, kind in ((_csv(blank, HEADERS, ROW).encode(), "text/csv"), (workbook(blank, HEADERS, ROW), XLSX)):
        sheet = _sheet(content, kind)
        assert (sheet.header_row, [number for number, _ in sheet.rows]) == (2, [1])


@pytest.mark.parametrize("content", [b" \n", b" , \n\n", "\u3000\n".encode(), workbook((" ",)), workbook()])
def test_a_file_of_blanks_is_refused(content: bytes) -> None:
    kind = XLSX if content.startswith(b"PK") else "text/csv"
    assert [(e.field, e.words) for e in _refusal(content, kind).errors] == [("file", "no_rows")]
