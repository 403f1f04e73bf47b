"""Parts of a workbook, each read element by element: what there is, its relations, its texts and its formats."""

import re
from collections.abc import Mapping
from typing import Final, NoReturn, TypeVar
from xml.parsers import expat

# The formats of days that have no code in the file (ECMA-376, 18.8.30), those of Chinese editions among them.
_DAYS: Final = frozenset({14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58})
_NO_DATE: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_WORKBOOK: Final = re.compile(
    r"application/vnd\.(openxmlformats-officedocument\.spreadsheetml\.(sheet|template)|"
    r"ms-excel\.(sheet|template)\.macroEnabled)\.main\+xml"
)
_SPACES: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/package/2006/relationships",
    "http://schemas.openxmlformats.org/package/2006/content-types",
)
_NAMES: Final = (
    "Override Default Relationship workbookPr sheet si t rPh numFmt cellXfs xf row c v f is mergeCell"
).split()
_LOCAL: Final = {f"{space} {name}": name for space in _SPACES for name in _NAMES}
# How a text holds a character that XML cannot (ECMA-376, 22.9.2.19).
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Broken(Exception):  # noqa: N818 - the fact is the name
    """The file is no readable workbook."""


class Part:
    """What is read of one part; each kind takes the elements that it knows."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin an element, named without its space; other elements have no name."""

    def text(self, text: str) -> None:
        """Take a piece of text."""

    def end(self, name: str) -> None:
        """End an element."""


AnyPart = TypeVar("AnyPart", bound=Part)


def parse(part: AnyPart, content: bytes) -> AnyPart:
    """Read a part to its end and return it.

    Raises:
        Broken: the XML is not well-formed, or declares a type of document, which could define entities.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda name, attributes: part.start(_LOCAL.get(name, ""), attributes)
    parser.EndElementHandler = lambda name: part.end(_LOCAL.get(name, ""))
    parser.CharacterDataHandler = part.text
    try:
        parser.Parse(content, True)
    except expat.ExpatError:
        raise Broken from None
    return part


def _refuse(*_declared: object) -> NoReturn:
    raise Broken


def unescaped(text: str) -> str:
    """Return a text with the characters that it holds as `_xHHHH_`; half pairs stay as they are written."""
    if "_x" not in text:
        return text

    def mark(found: re.Match[str]) -> str:
        point = int(found[1], 16)
        return found[0] if 0xD800 <= point <= 0xDFFF else chr(point)

    return _ESCAPED.sub(mark, text)


class Types(Part):
    """The kinds of the parts."""

    def __init__(self) -> None:
        self._by_name: dict[str, str] = {}
        self._by_ending: dict[str, str] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the kind of a part or of an ending."""
        kind = attributes.get("ContentType", "")
        if name == "Override":
            self._by_name[attributes.get("PartName", "").lstrip("/").casefold()] = kind
        elif name == "Default":
            self._by_ending[attributes.get("Extension", "").casefold()] = kind

    def is_workbook(self, path: str) -> bool:
        """Whether a part is said to be a workbook of XML."""
        kind = self._by_name.get(path.casefold()) or self._by_ending.get(path.rpartition(".")[2].casefold(), "")
        return _WORKBOOK.fullmatch(kind) is not None


class Relations(Part):
    """What a part refers to within the file, by the id and by the kind of the relation."""

    def __init__(self) -> None:
        self._targets: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take a relation."""
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            kind = attributes.get("Type", "").rpartition("/")[2]
            self._targets[attributes.get("Id", "")] = (kind, attributes.get("Target", ""))

    def one(self, kind: str) -> str | None:
        """Return the first target of a kind."""
        return next((target for known, target in self._targets.values() if known == kind), None)

    def sheet(self, relation: str) -> str | None:
        """Return the target of a relation to a sheet of cells."""
        kind, target = self._targets.get(relation, ("", ""))
        return target if kind == "worksheet" else None


class Workbook(Part):
    """The sheets that are shown, by relation, and whether days are counted from 1904."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.is_1904 = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take a sheet."""
        if name == "workbookPr":
            self.is_1904 = attributes.get("date1904") in ("1", "true")
        elif name == "sheet" and attributes.get("state", "visible") == "visible":
            self.shown += [value for key, value in attributes.items() if key.endswith(" id")]


class Strings(Part):
    """The shared texts, without the readings that stand over them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._readings = 0
        self._in_text = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin a text, a run of it or a reading."""
        if name == "si":
            self._pieces = []
        elif name == "rPh":
            self._readings += 1
        elif name == "t":
            self._in_text = not self._readings

    def text(self, text: str) -> None:
        """Take a piece of a text."""
        if self._in_text:
            self._pieces.append(text)

    def end(self, name: str) -> None:
        """Keep a text that ends."""
        if name == "si":
            self.texts.append(unescaped("".join(self._pieces)))
        elif name == "rPh":
            self._readings -= 1
        elif name == "t":
            self._in_text = False


class Styles(Part):
    """Which formats of cells show days."""

    def __init__(self) -> None:
        self._codes: dict[str, str] = {}
        self._formats: list[str] = []
        self._in_cells = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the code of a format, or the format of a style of cells."""
        if name == "numFmt":
            self._codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            self._formats.append(attributes.get("numFmtId", ""))

    def end(self, name: str) -> None:
        """End the styles of cells."""
        if name == "cellXfs":
            self._in_cells = False

    def days(self) -> list[bool]:
        """Return of each style of cells whether it shows days."""
        return [self._shows_day(number) for number in self._formats]

    def _shows_day(self, number: str) -> bool:
        code = self._codes.get(number)
        if code is None:
            return number.isdigit() and len(number) < 4 and int(number) in _DAYS
        plain = _NO_DATE.sub("", code.partition(";")[0]).casefold()
        return "y" in plain or "d" in plain
