"""What is wrong with a YAML document, in one line for the person who wrote it: where, and what is wanted there."""

from typing import Final

import yaml
from pydantic import ValidationError

_MOST: Final = 5


def fault_in(error: yaml.YAMLError | ValidationError | TypeError) -> str:
    """Return where a document breaks off or differs from what is wanted, the first few places; never a value of it."""
    if isinstance(error, ValidationError):
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        told = [": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"]))) for each in faults[:_MOST]]
        more = f"; and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
        return "; ".join(told) + more
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        place = f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
        return f"{place}: {error.problem or error.context}"
    return "names and their values are wanted" if isinstance(error, TypeError) else "it is no YAML"
