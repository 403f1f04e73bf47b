"""Reading a sheet of a stranger, CSV or XLSX, into cells; runs apart (`cases.files.apart`), with nothing but the file.

A cell is its text, or a list of a mark and its text where a text would say less: `number`; `rounded`, whose last digits
are not the sender's any more; `date`, in ISO; `broken`, a formula that failed or was never worked out.
"""

import json
from collections.abc import Mapping
from typing import Any

from cases.files.csv import read_csv
from cases.files.workbook import read_workbook
from domain.sheets import find_header, is_blank


def read_sheet(content: bytes, options: Mapping[str, Any]) -> bytes:
    """Return what is known of a sheet, the number of its header from 1 among it, and its lines: a line of JSON each.

    Line by line, so that no reader of it is held up by a large sheet as a whole.

    Args:
        content: the file.
        options: `kind`, `xlsx` or `csv`; `encoding` of a CSV where it is said; `words`, the plain headers to look for.

    Raises:
        Refused: what is wrong with the file.
    """
    words = frozenset(options["words"])
    if options["kind"] == "xlsx":
        lines, is_1904 = read_workbook(content, words)
    else:
        lines, is_1904 = read_csv(content, options["encoding"], words), False
    while lines and is_blank(lines[-1]):
        lines.pop()
    head = {"header": find_header(lines, words), "is_1904": is_1904}
    return "\n".join(json.dumps(each, separators=(",", ":")) for each in (head, *lines)).encode()
