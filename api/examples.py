"""Examples of bodies for the OpenAPI document: recorded from a walk through every route, with made-up people."""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

FILE: Final = "examples.json"


@cache
def read_examples() -> dict[str, Any]:
    """Return the examples by the names of their schemas; of bodies without one, by the names of their operations."""
    examples: dict[str, Any] = orjson.loads(files("api").joinpath(FILE).read_bytes())
    return examples
