"""The edge of the command line: what is wrong outside a command is told in a line that says what to do, and ends it.

Where the log level is DEBUG the traceback follows; a defect of ours keeps its traceback always.
"""

import errno
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn

import structlog
from pydantic import ValidationError

from domain.errors import SettingError, Unavailable

_CANNOT: Final = 2
_NOTHING: Final = "docs/operations.md says what each setting is; nothing was started."
_LACKING: Final = frozenset({"UndefinedTableError", "UndefinedColumnError"})
OLDER: Final = "The database lacks tables of this version: run `hetao migrate` first."
_DATABASE: Final = "HETAO_DATABASE_URL (or HETAO_OWNER_DATABASE_URL, HETAO_SEALER_DATABASE_URL)"


def read_text(path: Path) -> str:
    """Return a file that a person gave as text.

    Raises:
        SystemExit: with the file's name, where it cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        _end(
            [f"{path} is not UTF-8 text (byte {error.start} is the first that is none): save it as UTF-8, then again."]
        )
    except OSError as error:
        _end([_file_line(error, path)])


def log_to_stderr() -> None:
    """Have what a command logs go to standard error, from warnings on: standard output is for what it prints."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        # Looked up with each line, since a process may have another one by then.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        cache_logger_on_first_use=False,
    )


def run(command: Callable[[], None]) -> None:
    """Run the command line, and end it in words where something outside it is wrong."""
    try:
        command()
    except Exception as error:
        lines = list(_lines(error))
        if not lines:
            raise
        if os.environ.get("HETAO_LOG_LEVEL", "").upper() == "DEBUG":
            traceback.print_exc()
        _end(lines)


def _end(lines: list[str]) -> NoReturn:
    for line in lines:
        print(f"hetao: {line}", file=sys.stderr)
    raise SystemExit(_CANNOT)


def _lines(error: Exception) -> Iterator[str]:
    """Yield what to say of an error; nothing where it is none of those that a person can mend."""
    if isinstance(error, ValidationError) and error.title == "Settings":
        yield from settings_lines(error)
        yield _NOTHING
    elif isinstance(error, SettingError):
        yield from str(error).splitlines()
        yield _NOTHING
    elif isinstance(error, OSError):
        yield _system_line(error)
    elif (line := _database_line(error)) is not None:
        yield line


def settings_lines(error: ValidationError) -> Iterator[str]:
    """Yield a line for each setting, never with its value."""
    for each in error.errors(include_input=False, include_url=False):
        name = f"HETAO_{str(each['loc'][0]).upper()}" if each["loc"] else ""
        where = f" (number {int(each['loc'][1]) + 1} of the list)" if len(each["loc"]) > 1 else ""
        what = "is needed and not set" if each["type"] == "missing" else each["msg"].removeprefix("Value error, ")
        yield f"{name}{where}: {what}" if name else what


def _database_line(error: Exception) -> str | None:
    """Return what to say where PostgreSQL is away or lets nobody in."""
    causes = list(_causes(error))
    if any(isinstance(each, ConnectionError | TimeoutError) for each in causes) or _names(causes) & {"gaierror"}:
        return f"PostgreSQL does not answer: start it, or mend {_DATABASE}; then again."
    if _names(causes) & {"InvalidPasswordError", "InvalidAuthorizationSpecificationError"}:
        return f"PostgreSQL does not let this role in: mend role or password in {_DATABASE}."
    if _names(causes) & {"InvalidCatalogNameError"}:
        return f"PostgreSQL has no database of this name: mend {_DATABASE}, or make it (deploy/postgres/roles.sh)."
    if lacks_schema(error):
        return OLDER
    if _names(causes) & {"InsufficientPrivilegeError"}:
        return f"PostgreSQL does not let this role do that: is it the right one in {_DATABASE}? Then `hetao migrate`."
    if isinstance(error, Unavailable):
        if error.reason == "schema_older":
            return OLDER
        return f"{error.reason} does not answer; nothing was changed by this command since. Try again when it does."
    return None


def lacks_schema(error: BaseException) -> bool:
    """Whether a statement failed for a table or a column that is not there: nobody has migrated, or not since."""
    return bool(_names(list(_causes(error))) & _LACKING)


def _system_line(error: OSError) -> str:
    if error.filename is not None:
        return _file_line(error, Path(os.fsdecode(error.filename)))
    if isinstance(error, ConnectionError | TimeoutError):
        return f"PostgreSQL does not answer: start it, or mend {_DATABASE}; then again."
    if error.errno == errno.EADDRINUSE:
        return f"The port is taken: {error.strerror}. Choose another, or end what listens there."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Not permitted: {error.strerror}. Ports below 1024 are root's: take one above, behind a proxy."
    return str(error)


def _file_line(error: OSError, path: Path) -> str:
    if error.errno == errno.ENOENT and not path.parent.exists():
        path = path.parent
    said = {
        errno.ENOENT: "is not there",
        errno.EACCES: "may not be read or written by this user",
        errno.EPERM: "may not be read or written by this user",
        errno.EROFS: "lies on a disk that takes no write",
        errno.ENOSPC: "does not fit: the disk is full",
        errno.EISDIR: "is a directory, and a file is needed",
        errno.ENOTDIR: "is below something that is no directory",
    }
    return f"{path} {said.get(error.errno or 0, f'cannot be used: {error.strerror}')}."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error with all that lies below it."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, getattr(each, "orig", None)]
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else ()


def _names(errors: list[BaseException]) -> set[str]:
    """Return the names of the classes of errors: the driver's, without loading the driver."""
    return {kind.__name__ for each in errors for kind in type(each).__mro__}


def programme_of(reference: str) -> str:
    """Return the code of the programme of a case by its reference; "unknown" of one that is not installed."""
    from programmes import find_programme

    programme = find_programme(reference)
    return "unknown" if programme is None else programme.code
