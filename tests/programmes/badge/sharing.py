"""What a badge takes over from other cases of the same person."""

from collections.abc import Mapping
from typing import Final

from cases.programme import Taken
from tests.programmes.badge.requests import BadgeItem, BadgePaper

TAKES: Final[Mapping[str, tuple[Taken, ...]]] = {
    BadgeItem.AGE: (Taken(programme="toy", item="age", kind=BadgePaper.RECORD),),
    BadgeItem.TOY: (Taken(programme="toy", item="toy_being_made", kind=BadgePaper.RECORD),),
}
