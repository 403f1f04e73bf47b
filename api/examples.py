"""Examples of bodies for the OpenAPI document: recorded from a walk through every route, with made-up people."""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

from programmes import PROGRAMMES

FILE: Final = "examples.json"
# What is common to all programmes stands here, and what is of one in its room.
PLACES: Final = ("api", *(each.texts for each in PROGRAMMES.values()))


@cache
def read_examples() -> dict[str, Any]:
    """Return the examples by the names of their schemas; of bodies without one, by the names of their operations."""
    found: dict[str, Any] = {}
    for package in PLACES:
        if (file := files(package).joinpath(FILE)).is_file():
            found |= orjson.loads(file.read_bytes())
    return found
