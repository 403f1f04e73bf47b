"""What is shown as JSON: dataclasses and models by their members, times with China's offset."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel

from domain.clock import CHINA


def json_text(content: Any, *, in_china: bool = False) -> bytes:
    """Return what is shown as JSON.

    Args:
        content: what is shown.
        in_china: that each of its times has China's offset already, so that none need be looked at.

    Raises:
        TypeError: for what has no form of its own.
    """
    return orjson.dumps(content, default=_plain, option=None if in_china else orjson.OPT_PASSTHROUGH_DATETIME)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(CHINA).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(written := getattr(value, "written", None), orjson.Fragment):
        return written
    raise TypeError(type(value).__name__)
