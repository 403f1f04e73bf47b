"""Which code a process runs and which schema that code is of, as one series that is always 1."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from prometheus_client import Gauge

_BUILD: Final = Gauge(
    "hetao_build_info", "The version of the code, and the schema that it needs.", ["version", "schema"]
)


def tell_build() -> None:
    """Let the metrics of this process say which code it runs."""
    _BUILD.labels(code_version(), code_schema()).set(1)


def code_version() -> str:
    """Return the version under which the code was installed, or `unknown` where it runs from a bare directory."""
    try:
        return version("hetao-permits")
    except PackageNotFoundError:
        return "unknown"


def code_schema() -> str:
    """Return the newest migration that ships with the code; each file begins with the number of its revision."""
    files = (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*_*.py")
    return max(file.name.split("_")[0] for file in files)
