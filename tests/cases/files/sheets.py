"""Workbooks for tests: plain ones, ones with parts of their own, and ones made to do harm to whoever reads them."""

import io
import random
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import xlsxwriter

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
HEADERS = (
    "name_zh", "identity_number", "position", "work_site", "employment_kind", "contract_start", "language",
    "destinations", "state_worker",
)  # fmt: skip
ROW = ("冯承泽", "44030419900307123X", "研究员", "SZP-001", "contract", "2025-01-01", "zh-Hans", "HK", "no")
ZH_HANS = ("姓名", "公民身份号码", "职务", "工作地点", "用工形式", "合同起始日", "语言", "目的地", "国家工作人员")
ZH_HANT = ("姓名", "公民身份號碼", "職務", "工作地點", "僱用形式", "合約起始日", "語言", "目的地", "國家工作人員")
_SPACE = "xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'"
_ODS = "urn:oasis:names:tc:opendocument:xmlns"


def workbook(*lines: tuple[Any, ...]) -> bytes:
    """Return a workbook of one sheet; dates are shown as such."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        # Else the time of its making stands in it, and no two are of the same length.
        book.set_properties({"created": datetime(2026, 3, 2)})
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for n, line in enumerate(lines):
            for k, cell in enumerate(line):
                if isinstance(cell, date):
                    sheet.write_datetime(n, k, datetime(cell.year, cell.month, cell.day), day)
                else:
                    sheet.write(n, k, cell)
    return file.getvalue()


def with_parts(parts: dict[str, bytes], content: bytes | None = None) -> bytes:
    """Return a workbook with some of its parts exchanged, and others added."""
    file = io.BytesIO()
    old_content = workbook(("name_zh", "identity_number")) if content is None else content
    with zipfile.ZipFile(io.BytesIO(old_content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, part in parts.items():
            new.writestr(name, part)
    return file.getvalue()


def with_rows(rows: str, strings: str = "", *, before: str = "", after: str = "") -> bytes:
    """Return a workbook whose sheet has these rows, as XML, and these shared texts."""
    sheet = f"{before}<worksheet {_SPACE}><sheetData>{rows}</sheetData>{after}</worksheet>"
    parts = {SHEET: sheet.encode()}
    if strings:
        parts[STRINGS] = f"<sst {_SPACE}>{strings}</sst>".encode()
    return with_parts(parts)


def many_numbers(rows: int) -> bytes:
    """Return a workbook of so many rows of sixty numbers."""
    return with_rows("".join(f"<row>{f'<c><v>{n}</v></c>' * 60}</row>" for n in range(1, rows + 1)))


def _hidden_place() -> bytes:
    return with_rows(
        '<row r="1"><c r="A1"><v>1</v></c></row><row x=">" r="1048576"><c x=">" r="XFD1048576"><v>1</v></c></row>'
    )


def _shared_text() -> bytes:
    text = "".join(random.Random(1).choices("abcdefgh", k=1024 * 1024))
    cells = "".join(f"<row r='{n}'><c r='A{n}' t='s'><v>0</v></c></row>" for n in range(1, 5001))
    return with_rows(cells, f"<si><t>{text}</t></si>")


def _merged_text() -> bytes:
    text = "".join(random.Random(1).choices("abcdefgh", k=30_000))
    cells = "".join(f"<row r='{n}'><c r='B{n}'><v>1</v></c></row>" for n in range(2, 20_001))
    merged = "<mergeCells><mergeCell ref='A1:A20000'/></mergeCells>"
    return with_rows(f"<row r='1'><c r='A1' t='inlineStr'><is><t>{text}</t></is></c></row>{cells}", after=merged)


def _other_kind() -> bytes:
    """Return an ODS that says it is a workbook, whose few words repeat a row of all columns over and over."""
    row = (
        '<table:table-row table:number-rows-repeated="200000"><table:table-cell table:number-columns-repeated="16384" '
        'office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>'
    )
    content = (
        f'<office:document-content xmlns:office="{_ODS}:office:1.0" xmlns:table="{_ODS}:table:1.0" '
        f'xmlns:text="{_ODS}:text:1.0"><office:body><office:spreadsheet><table:table table:name="a">{row}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("xl/workbook.xml", "<x")
        archive.writestr("content.xml", content)
    return file.getvalue()


def _entities() -> bytes:
    levels = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    begin = f'<!DOCTYPE worksheet [<!ENTITY a "aaaaaaaaaa">{levels}]>'
    return with_rows("<row r='1'><c r='A1' t='inlineStr'><is><t>&i;</t></is></c></row>", before=begin)


def _long_number() -> bytes:
    return with_rows(f"<row r='1'><c r='A1'><v>{'9' * 5_000_000}</v></c></row>")


def _large_exponent() -> bytes:
    return with_rows("<row r='1'><c r='A1'><v>1E999</v></c></row>")


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a place hidden behind a false end of its tag": _hidden_place,
    "a shared text shown thousands of times": _shared_text,
    "a merged text filled down": _merged_text,
    "an ODS named as XLSX": _other_kind,
    "entities that grow": _entities,
    "a number of millions of digits": _long_number,
    "a number beyond all bounds": _large_exponent,
}
