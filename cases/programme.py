"""What the core knows of a programme: its declaration, found by the code that each of its cases carries.

A room under `programmes/` fills it in, the edge hands all of them in (`Context.programmes`), and the core calls what
stands here without a word of any of them.
"""

from dataclasses import dataclass

from cases.case.file import CaseFile
from cases.shared.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme as it is declared by its room.

    Attributes:
        code: stored with each case; it never changes.
    """

    code: str


def programme(context: Context, code: str) -> Programme:
    """Return the programme of a code.

    Raises:
        KeyError: for a case of a programme that this process was not handed.
        TypeError: where something else was handed in under the code.
    """
    found = context.programmes[code]
    if not isinstance(found, Programme):
        raise TypeError(type(found).__name__)
    return found


def programme_of(file: CaseFile) -> Programme:
    """Return the programme of a case."""
    return programme(file.context, file.row.programme)
