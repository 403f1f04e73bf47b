"""Made-up roster files of every kind: bytes, encodings, archives and sheets with awkward features.

Whatever comes is read or refused with a reason that can be said in three languages, and what is plain is never misread.
`make test` tries a little of it, `make fuzz` a lot.
"""

import io
import json
import os
import zipfile
from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.files.sheet import read_sheet
from cases.files.written import write_workbook
from domain.errors import FieldError, Refused
from domain.languages import Language
from programmes.talent_permit.requests import EmploymentKind, RegistrationRequest
from register.rosters.columns import known_words
from register.rosters.file import MARKS, RosterSheet, roster_sheet
from register.rosters.kinds import RosterKind
from register.rosters.reads import message_of, stored_errors
from tests.cases.files.sheets import SHEET, STRINGS, with_parts, workbook
from tests.register.rosters.reading import COLUMNS, DEPARTURE, REGISTER, SAID, Read, read_row
from texts.problems import particular_sentence, problem_detail

pytestmark = pytest.mark.timeout(1800)
EXAMPLES = int(os.environ.get("HETAO_FUZZ_EXAMPLES", "0")) * 10 or 60
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES <= 60,  # the same examples in every ordinary run; a long one looks further
    suppress_health_check=list(HealthCheck),
)
ACTS = st.sampled_from([REGISTER, DEPARTURE])
HEADERS = sorted({*SAID.headers_of(COLUMNS), *(COLUMNS[column].header.zh_hans for column in COLUMNS)})
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "gb18030",
    "big5hkscs",
    "utf-16",
    "utf-16-le",
    "shift_jis",
    "euc-kr",
    "cp1252",
    "utf-32",
)
SPACE = "xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'"

AWKWARD = st.sampled_from(
    [
        *("", " ", "\u3000", "\ufeff", "\u202e", "\ud7ff", "\U0002ebf0", '"', "'", "\n", "_x0000_", "_xD800_", "&amp;"),
        *(
            "44030419900307123X",
            "440304198501236004",
            "4.40304E+17",
            "0",
            "60",
            "2958466",
            "1e999",
            "99999999",
            "x" * 2001,
        ),
        *("2026/3/1", "3/1/2026", "2026年2月30日", "長期", "香港、澳门", "是", "无", "TRUE", "HK+MO", "#N/A"),
        *("=1+1", "+86", "-", "138OO138000", "a@b", "SZP-001|1|2026"),
    ]
)
TEXTS = st.one_of(AWKWARD, st.text(max_size=20), st.text("0123456789-/.年月日 X|+", max_size=20))
LINES = st.lists(st.lists(st.one_of(st.sampled_from(HEADERS), TEXTS), max_size=20), max_size=8)


def _read(content: bytes, kind: str, act: RosterKind, encoding: str | None) -> RosterSheet | Refused:
    options = {"kind": kind, "encoding": encoding, "words": known_words(act)}
    try:
        return roster_sheet(read_sheet(content, options), act)
    except Refused as refused:
        return refused


def take(content: bytes, kind: str, act: RosterKind, encoding: str | None = None) -> RosterSheet | None:
    """Read a file as far as it goes; every refusal can be said, and every row is read or says what is wrong with it."""
    sheet = _read(content, kind, act, encoding)
    if isinstance(sheet, Refused):
        assert all(problem_detail(sheet.code, language) for language in Language)
        _can_be_said(error for error in sheet.errors if error.words)
        return None
    for number, cells in sheet.rows:
        assert number > 0
        json.dumps(cells, ensure_ascii=False).encode()  # as it is sealed
        read = read_row(cells, act)
        if isinstance(read, list):
            assert read
            for error in stored_errors(read):
                assert all(message_of(error, language) for language in Language)
            _can_be_said(error for error in read if error.words)
    return sheet


def _can_be_said(errors: Iterable[FieldError]) -> None:
    for error in errors:
        assert all(particular_sentence(error.words, language, error.about) for language in Language)


@FUZZ
@given(content=st.binary(max_size=400), kind=st.sampled_from(["csv", "xlsx"]), act=ACTS)
def test_any_bytes_are_read_or_refused(content: bytes, kind: str, act: RosterKind) -> None:
    take(content, kind, act)


@FUZZ
@given(lines=LINES, encoding=st.sampled_from(ENCODINGS), delimiter=st.sampled_from(",;\t|"), act=ACTS,
       said=st.sampled_from([None, "utf-8", "gb18030", "big5-hkscs"]))  # fmt: skip
def test_any_csv_in_any_encoding_is_read_or_refused(
    lines: list[list[str]], encoding: str, delimiter: str, act: RosterKind, said: str | None
) -> None:
    text = "\r\n".join(delimiter.join(line) for line in [[*_columns(act)], *lines])
    take(text.encode(encoding, "replace"), "csv", act, said)


@FUZZ
@given(lines=LINES, act=ACTS)
def test_any_workbook_of_texts_comes_back_as_it_was_written(lines: list[list[str]], act: RosterKind) -> None:
    head = {"name": "x", "widths": [], "lists": [], "wrapped": False, "lines": len(lines) + 1}
    written = [[[*_columns(act)], []], *[[line, [0]] for line in lines]]
    content = write_workbook("\n".join(json.dumps(each) for each in (head, *written)).encode(), {})
    sheet = take(content, "xlsx", act)
    if sheet is None or sheet.header_row != 1:
        return  # refused, or one of the lines is a better header
    for number, cells in sheet.rows:
        given = dict(zip(_columns(act), lines[number - 1], strict=False))
        assert {k: v for k, v in cells.items() if k in given and v.strip()} == {
            k: v for k, v in given.items() if v.strip()
        }, MARKS


@FUZZ
@given(data=st.data(), act=ACTS)
def test_any_archive_that_was_tampered_with_is_read_or_refused(data: st.DataObject, act: RosterKind) -> None:
    content = bytearray(workbook(_columns(act), ("李", "44030419900307123X")))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 20))
    take(bytes(content[: len(content) - cut]), "xlsx", act)


_NAMES = ["worksheet", "sheetData", "row", "c", "v", "is", "t", "f", "rPh", "si", "sst", "mergeCells", "mergeCell", "r"]
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(["r", "t", "s", "ref", "x", "xml:space"]),
    st.sampled_from("A1 B2 XFD1048576 A0 AA99999999999 1 2 0 -1 s n b e str d inlineStr A1:A3 A1:XFD1048576 B".split()),
    max_size=3,
)


@st.composite
def _elements(draw: st.DrawFn, depth: int = 2) -> str:
    name = draw(st.sampled_from(_NAMES))
    attributes = "".join(f" {key}='{value}'" for key, value in draw(_ATTRIBUTES).items() if key != "xml:space")
    inner = draw(st.lists(_elements(depth - 1), max_size=3)) if depth else []
    text = draw(st.sampled_from(["", "0", "1", "46082", "1e309", "nan", "4.4E+17", " ", "李", "_x000D_", "9" * 400]))
    return f"<{name}{attributes}>{text}{''.join(inner)}</{name}>"


@FUZZ
@given(rows=st.lists(_elements(), max_size=6), strings=st.lists(_elements(1), max_size=4), act=ACTS)
def test_any_sheet_of_known_elements_in_any_order_is_read_or_refused(
    rows: list[str], strings: list[str], act: RosterKind
) -> None:
    headers = "".join(f"<c t='inlineStr'><is><t>{name}</t></is></c>" for name in _columns(act))
    sheet = f"<worksheet {SPACE}><sheetData><row>{headers}</row>{''.join(rows)}</sheetData></worksheet>"
    parts = {SHEET: sheet.encode(), STRINGS: f"<sst {SPACE}>{''.join(strings)}</sst>".encode()}
    take(with_parts(parts), "xlsx", act)


SHOWN_AS_ISO = "{0:%Y-%m-%d}"
DAYS = st.dates(date(1990, 1, 1), date(2190, 12, 31))
SHOWN = st.sampled_from(
    [SHOWN_AS_ISO, "{0.year}/{0.month}/{0.day}", "{0.year}年{0.month}月{0.day}日", "{0:%Y%m%d}", "serial"]
)


@FUZZ
@given(
    start=DAYS,
    length=st.integers(0, 3000),
    shown=st.tuples(SHOWN, SHOWN),
    language=st.sampled_from(Language),
    titles=st.lists(st.sampled_from(["", "名册", "2026年"]), max_size=3),
    form=st.sampled_from(["utf-8", "gb18030", "xlsx", "xlsx 1904"]),
    order=st.permutations(list(REGISTER.columns)),
    kind=st.sampled_from(EmploymentKind),
)
def test_a_plain_roster_is_read_right_in_whatever_form(
    start: date,
    length: int,
    shown: tuple[str, str],
    language: Language,
    titles: list[str],
    form: str,
    order: list[str],
    kind: EmploymentKind,
) -> None:
    end = min(start + timedelta(days=length), date(2199, 12, 31))
    row: dict[str, str | float] = {
        "name_zh": "冯承泽",
        "identity_number": "33010619860128072X",
        "position": "量子算法研究员",
        "work_site": "SZP-001",
        "employment_kind": SAID.word_of("employment_kind", kind, language),
        "language": SAID.word_of("language", language, language),
        "destinations": SAID.word_of("destinations", "MO", language),
        "state_worker": SAID.word_of("state_worker", "no", language),
    }
    is_sheet, is_1904 = form.startswith("xlsx"), form.endswith("1904")
    for column, day, how in (("contract_start", start, shown[0]), ("contract_end", end, shown[1])):
        number = (day - date(1904, 1, 1) if is_1904 else day - date(1899, 12, 30)).days
        is_number = how == "serial" and is_sheet
        row[column] = float(number) if is_number else (SHOWN_AS_ISO if how == "serial" else how).format(day)
    columns = [column for column in order if column in row]
    headers = [COLUMNS[column].header.in_language(language) for column in columns]
    lines: list[list[str | float]] = [[title] for title in titles]
    lines += [[*headers], [row[column] for column in columns]]
    read = _only_row(lines, form)
    assert isinstance(read, RegistrationRequest), read
    assert (read.person.name_zh, read.person.identity_number) == ("冯承泽", "33010619860128072X")
    assert (read.employment.contract_start, read.employment.contract_end) == (start, end)
    assert (read.employment.employment_kind, read.person.language, read.destinations) == (kind, language, ("MO",))


def _only_row(lines: Iterable[Iterable[object]], form: str) -> Read | list[FieldError]:
    if form.startswith("xlsx"):
        content = workbook(*map(tuple, lines))
        if form.endswith("1904"):
            content = _counted_from_1904(content)
        sheet = take(content, "xlsx", REGISTER)
    else:
        text = "".join(",".join(map(str, line)) + "\n" for line in lines)
        sheet = take(text.encode(form), "csv", REGISTER, form)
    assert sheet is not None
    return read_row(sheet.rows[0][1], REGISTER)


def _counted_from_1904(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        book = archive.read("xl/workbook.xml")
    return with_parts({"xl/workbook.xml": book.replace(b"<workbookPr ", b"<workbookPr date1904='1' ")}, content)


def _columns(act: RosterKind) -> tuple[str, ...]:
    return tuple(act.columns)


@pytest.mark.parametrize("names", [["張偉"], ["黃志強", "林詩敏"], ["歐陽文", "許家傑", "鄭秀文"]])
@FUZZ
@given(data=st.data())
def test_big5_is_never_read_as_something_else(names: list[str], data: st.DataObject) -> None:
    """A character of the first level of Big5 after the other, as names have them."""
    first = st.integers(0xA4, 0xC6)
    second = st.one_of(st.integers(0x40, 0x7E), st.integers(0xA1, 0xFE))
    drawn = data.draw(st.lists(st.lists(st.tuples(first, second), min_size=2, max_size=4), max_size=6))
    more = [b"".join(bytes(pair) for pair in name).decode("big5", "ignore") for name in drawn]
    row = ["44030419900307123X", "Researcher", "SZP-001", "contract", "2026-01-01", "zh-Hant", "HK", "no"]
    headers = ["name_zh", "identity_number", "position", "work_site", "employment_kind", "contract_start", "language",
               "destinations", "state_worker"]  # fmt: skip
    lines = [headers, *[[name, *row] for name in (*names, *more) if name.strip()]]
    content = "\n".join(",".join(line) for line in lines).encode("big5hkscs", "ignore")
    assert take(content, "csv", REGISTER) is None
