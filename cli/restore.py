"""The commands `hetao restore …`: each of the memories laid back by itself, beside what stands there, never over it."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.backup import HISTORIES, Tools, read_facts, stack_of, wheel
from store.backup_places import ERASURES, KEYS

if TYPE_CHECKING:
    from sandbox.stack.directory import Stack

app = typer.Typer(help="Lay a backup back; what stands there is set aside, never written over.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack that does not run.")]
Aside = Annotated[
    bool, typer.Option("--set-aside", help="Rename what stands there, with the time in its name, and keep it.")
]
Backup = Annotated[Path, typer.Argument(help="Folder of one backup.", exists=True, file_okay=False)]
# What follows, in this order; the page says why.
_AFTER_POSTGRES: Final = (
    "start PostgreSQL and Temporal alone (embedded: hetao up --only-servers), and wait until the recovery has ended",
    "hetao migrate",
    "hetao restored --last-checkpoint FILE",
    "hetao erasures replay",
    "start the workers and the API",
    "hetao cases revive",
    "hetao backup take, and hetao backup follow into another directory than before",
)
_AFTER_TEMPORAL: Final = ("start Temporal, the workers and the API", "hetao cases revive")


@app.callback()
def _restore() -> None:
    """Lay a backup back; what stands there is set aside, never written over."""


@app.command()
def postgres(
    backup: Backup,
    into: Annotated[
        Path | None, typer.Option(help="PostgreSQL's data directory; its server must not run.", file_okay=False)
    ] = None,
    wal: Annotated[
        Path | None,
        typer.Option(help="Directory of the write-ahead log since the backup.", exists=True, file_okay=False),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Last moment to be there again, with its offset: 2026-01-31T17:05:00+08:00.")
    ] = None,
    restore_command: Annotated[
        str | None, typer.Option(help="PostgreSQL's restore_command, where the log is kept elsewhere than --wal.")
    ] = None,
    timeline: Annotated[
        str, typer.Option(help="Which to follow where the log has several: latest, current (the backup's), a number.")
    ] = "latest",
    data_dir: DataDir = None,
    set_aside: Aside = False,
    tools: Tools = None,
) -> None:
    """Lay the database back, up to its end, the end of the log, or a moment."""
    from sandbox.stack.directory import StackError
    from store.backup_check import describe
    from store.base_backup import FOLDER, BackupError, find_tools, verify
    from store.recovery import aside_of, lay_back

    if (into is None) == (data_dir is None):
        raise typer.BadParameter("Name either --into or --data-dir.")
    if wal is not None and restore_command is not None:
        raise typer.BadParameter("Name either --wal or --restore-command.")
    try:
        described, moment = describe(backup), _moment(until)
        if moment is not None and moment <= datetime.fromisoformat(described["ended_at"]):
            raise BackupError(f"This backup ended at {described['ended_at']}, after that moment: take an older one.")
        verify(find_tools(tools, further=wheel()), backup / FOLDER, environment={"LC_ALL": "C"})
        with _stopped(data_dir) as stack:
            data = into if stack is None else stack.directory / "postgres" / "data"
            assert data is not None
            aside = aside_of(data, datetime.now(UTC)) if set_aside and data.exists() else None
            told: dict[str, Any] = {"log": wal, "until": moment, "command": restore_command, "timeline": timeline}
            segments = lay_back(backup / FOLDER, data, aside=aside, **told)
            came_back = None if stack is None else _recover(stack)
    except (BackupError, StackError) as error:
        sys.exit(f"hetao: {error}")
    _say(
        {
            "laid_back": str(data),
            "backup": described["name"],
            "until": moment.isoformat() if moment else "the end of the log" if wal or restore_command else "its end",
            "segments_of_log": segments,
            "set_aside": str(aside) if aside else None,
            "came_back": came_back,
        },
        _AFTER_POSTGRES,
    )


@app.command()
def temporal(
    backup: Annotated[
        Path | None, typer.Argument(help="Folder of one backup; without one, Temporal starts empty.", exists=True)
    ] = None,
    data_dir: DataDir = None,
    set_aside: Aside = False,
) -> None:
    """Lay the histories of an embedded stack back, or have it start with none."""
    from sandbox.stack.directory import StackError
    from sandbox.stack.temporal_copy import FILE, clear_histories, lay_back_histories
    from store.backup_check import describe
    from store.base_backup import BackupError

    if data_dir is None:
        sys.exit(
            "hetao: the histories of a real Temporal are in its own database, and are restored with its server: see"
            " docs/restoring.md. With --data-dir this command does it for an embedded stack."
        )
    now = datetime.now(UTC)
    try:
        described = describe(backup) if backup is not None else None
        with _stopped(data_dir) as stack:
            assert stack is not None
            directory = stack.directory / "temporal"
            if (directory / FILE).exists() and not set_aside:
                raise BackupError(f"{directory / FILE} is there: have it set aside with --set-aside.")
            if backup is None:
                aside = clear_histories(directory, now)
            else:
                aside = lay_back_histories(backup / HISTORIES, directory, now)
    except (BackupError, StackError) as error:
        sys.exit(f"hetao: {error}")
    found = {"backup": described["name"] if described else None, "set_aside": str(aside) if aside else None}
    _say({"laid_back": str(directory), **found}, _AFTER_TEMPORAL)


@app.command()
def keys(
    backup: Annotated[Path, typer.Argument(help="Folder of one copy of the key file.", exists=True, file_okay=False)],
    to: Annotated[Path | None, typer.Option(help="Where the key file is to be.", dir_okay=False)] = None,
    data_dir: DataDir = None,
    set_aside: Aside = False,
) -> None:
    """Lay the key file back."""
    from sandbox.stack.directory import StackError
    from store.base_backup import BackupError
    from store.kept_apart import copy_keys

    target = _target(to, data_dir, "keys.json")
    try:
        with _stopped(data_dir):
            aside = _make_room(target, set_aside)
            ids = copy_keys(backup / KEYS, target)
    except (BackupError, StackError) as error:
        sys.exit(f"hetao: {error}")
    _say(
        {"laid_back": str(target), "key_ids": ids, "set_aside": str(aside) if aside else None},
        ("give the file to the user of API and workers, mode 0600", "start the workers and the API"),
    )


@app.command()
def erasures(
    backup: Annotated[
        Path, typer.Argument(help="Folder of one copy of the list of erasures.", exists=True, file_okay=False)
    ],
    keys_file: Annotated[Path | None, typer.Option(help="Key file whose signatures the list bears.")] = None,
    to: Annotated[
        Path | None, typer.Option(help="Where the list is to be (HETAO_ERASURE_LIST).", dir_okay=False)
    ] = None,
    data_dir: DataDir = None,
    set_aside: Aside = False,
) -> None:
    """Lay the list of erasures back, unless the one that stands there knows more."""
    from sandbox.stack.directory import StackError
    from store.base_backup import BackupError
    from store.kept_apart import copy_erasures
    from store.keyring import Keyring

    target = _target(to, data_dir, ERASURES)
    keyring_file = keys_file or (data_dir / "keys.json" if data_dir else None)
    if keyring_file is None:
        raise typer.BadParameter("Name the key file with --keys-file.")
    try:
        with _stopped(data_dir):
            _refuse_shorter(backup / ERASURES, target)
            aside = _make_room(target, set_aside)
            number = copy_erasures(backup / ERASURES, target, Keyring.load(keyring_file))
    except (BackupError, StackError, OSError, ValueError) as error:
        sys.exit(f"hetao: {error}")
    _say(
        {"laid_back": str(target), "erasures": number, "set_aside": str(aside) if aside else None},
        ("hetao erasures replay", "start the workers and the API"),
    )


@contextmanager
def _stopped(data_dir: Path | None) -> Iterator["Stack | None"]:
    """Hold an embedded stack's directory, so that it cannot start meanwhile, and end what a killed run left behind."""
    if data_dir is None:
        yield None
        return
    from sandbox.stack.directory import lock
    from sandbox.stack.postgres import PostgresServer

    stack = stack_of(data_dir)
    stack.directory = data_dir.resolve()
    with lock(data_dir):
        left = [name for name in stack.processes if stack.orphan(name)]
        if left:
            sys.exit(f"hetao: {', '.join(left)} of {data_dir} still run: stop `hetao up` first.")
        PostgresServer(stack.directory / "postgres", stack.ports["postgres"]).forget_stopped()
        yield stack


def _recover(stack: "Stack") -> dict[str, Any]:
    """Let an embedded stack's server recover, and return what came back."""
    import asyncio

    from sandbox.stack.embedded import application_environment
    from sandbox.stack.postgres import PostgresServer
    from settings import Settings

    server = PostgresServer(stack.directory / "postgres", stack.ports["postgres"])
    with (stack.logs / "postgres.log").open("ab") as log:
        server.start(log)
    try:
        url = application_environment(stack)["HETAO_DATABASE_URL"]
        return asyncio.run(read_facts(Settings.model_construct(database_url=url)))
    finally:
        server.stop()


def _moment(said: str | None) -> datetime | None:
    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise typer.BadParameter(f"--until {said} is no time, as in 2026-01-31T17:05:00+08:00.") from None
    if moment.tzinfo is None:
        raise typer.BadParameter("--until needs its offset, as in 2026-01-31T17:05:00+08:00.")
    return moment


def _target(to: Path | None, data_dir: Path | None, name: str) -> Path:
    if (to is None) == (data_dir is None):
        raise typer.BadParameter("Name either --to or --data-dir.")
    return to if to is not None else (data_dir or Path()) / name


def _make_room(target: Path, is_to_go: bool) -> Path | None:
    from store.base_backup import BackupError
    from store.recovery import aside_of

    if not target.exists():
        return None
    if not is_to_go:
        raise BackupError(f"{target} is there: have it set aside with --set-aside.")
    aside = aside_of(target, datetime.now(UTC))
    target.rename(aside)
    return aside


def _refuse_shorter(source: Path, target: Path) -> None:
    """Refuse a list that is a beginning of the one that stands: whoever was erased since would be known again."""
    from store.base_backup import BackupError

    if not source.exists():
        raise BackupError(f"{source} is not there: nobody had been erased by then.")
    if target.exists():
        kept, given = target.read_bytes(), source.read_bytes()
        if len(kept) >= len(given) and kept.startswith(given):
            raise BackupError(f"{target} has all of that copy, and may have more: it is the one to keep.")


def _say(found: dict[str, Any], following: tuple[str, ...]) -> None:
    print(json.dumps(found, indent=1, ensure_ascii=False))
    print("Next, in this order:", file=sys.stderr)
    for number, step in enumerate(following, 1):
        print(f"  {number}. {step}", file=sys.stderr)
