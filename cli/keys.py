"""The commands `hetao keys …`: make a key file, look where each key is known, and rotate in the right order."""

import dataclasses
import json
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from cli import edge
from cli.policy import settings_of

if TYPE_CHECKING:
    from cases.keys.check import KeyReport
    from domain.service_keys import KeyKind
    from settings import Settings

_SETTINGS: Final = {
    "authority_callbacks": "HETAO_AUTHORITY_CALLBACK_SECRETS",
    "receipts": "HETAO_RECEIPTS_SECRETS",
}
_NO_LOOKUP: Final = (
    "The look-up key cannot be replaced in place: the hashes of persons and names are stored under it, and a process"
    " with another one would not find them (docs/adr/0015-keys-known-before-current.md says what it would take)."
)

app = typer.Typer(help="Make, check and rotate the keys of the service.", no_args_is_help=True)

_DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack.")]
_File = Annotated[Path | None, typer.Argument(help="The new file; HETAO_KEYS_FILE unless told.")]


@app.callback()
def _keys() -> None:
    """Make, check and rotate the keys of the service."""


@app.command()
def generate(file: _File = None) -> None:
    """Make a key file of mode 0600, and print new secrets for the settings that need one; overwrites nothing."""
    from store import key_file

    path = file or Path(os.environ.get("HETAO_KEYS_FILE") or sys.exit("hetao: name the file, or set HETAO_KEYS_FILE."))
    key_file.make_key_file(path, key_file.generate())
    errors = Console(stderr=True, highlight=False)
    errors.print(
        f"{path} is made, mode 0600. It must belong to the user that the service runs as (10001 in the image). Keep a"
        " copy where neither the database nor its backups are: without it nothing of a person can be read again.\n"
        "Each of these is shared with the other side alone, which signs with it:",
        soft_wrap=True,
    )
    for setting in _SETTINGS.values():
        print(f"{setting}={_secret()}")


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="Print one object and nothing else.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """Say which keys are known where, which write and what is left under old ones; ends with 1 on any finding."""
    report = _report(settings_of(data_dir))
    if as_json:
        print(json.dumps(dataclasses.asdict(report), default=str, ensure_ascii=False, indent=1))
    else:
        _show(report)
    raise typer.Exit(1 if report.findings else 0)


@app.command()
def rotate(
    kind: Annotated[str, typer.Argument(help="kek, codec, cursor, statement, seal, archive; or a list of secrets.")],
    data_dir: _DataDir = None,
) -> None:
    """Take the next step: add a key, then make it current, then take an old one away; ends with 1 where too early."""
    from cases.keys.rotation import TooEarlyError, can_rotate, next_step
    from domain.service_keys import KeyKind
    from store.key_file import read_key_file, replace_key_file

    named = _kind(kind)
    if named == KeyKind.LOOKUP:
        sys.exit(f"hetao: {_NO_LOOKUP}")
    settings = settings_of(data_dir)
    report = _report(settings)
    if not can_rotate(named):
        _tell_secret(named, report)
        return
    try:
        step = next_step(read_key_file(settings.keys_file), named, report)
    except TooEarlyError as error:
        print(f"hetao: too early: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    replace_key_file(settings.keys_file, step.document)
    print(f"{step.done}\n{step.next}")


@app.command()
def lost(
    kind: Annotated[str, typer.Argument(help="The kind of the key.")],
    key_id: Annotated[str, typer.Argument(help="The id of the key.")],
    sure: Annotated[bool, typer.Option("--yes", help="What is under it is given up.")] = False,
    data_dir: _DataDir = None,
) -> None:
    """Declare that no copy of an old key is left, so that processes start without it; what is under it is lost."""
    import asyncio

    named = _kind(kind)
    if not sure:
        sys.exit(f"hetao: what is under {key_id} of {named} can then never be read again; say so with --yes.")
    if not asyncio.run(_lose(settings_of(data_dir), named, key_id)):
        sys.exit(f"hetao: {key_id} of {named} is current or not known; only an old key can be given up.")
    print(f"{key_id} of {named} is given up. Processes start without it.")


def _kind(name: str) -> "KeyKind":
    from domain.service_keys import KeyKind

    try:
        return KeyKind(name)
    except ValueError:
        raise typer.BadParameter(f"The kinds are {', '.join(KeyKind)}.") from None


def _report(settings: "Settings") -> "KeyReport":
    """Read file and register, and say in one line why not where that cannot be."""
    import asyncio

    from domain.errors import Unavailable

    try:
        return asyncio.run(_read(settings))
    except Unavailable as error:
        why = edge.OLDER if error.reason == "schema_older" else error.reason
        sys.exit(f"hetao: the register of keys cannot be read: {why}")


async def _read(settings: "Settings") -> "KeyReport":
    from cases.keys.check import check_keys
    from store.database import Database
    from store.keyring import Keyring

    keyring = Keyring.load(settings.keys_file)
    database = Database(settings.database_url, pool_size=1, application="keys")
    try:
        return await check_keys(settings, database, keyring)
    finally:
        await database.close()


async def _lose(settings: "Settings", kind: "KeyKind", key_id: str) -> bool:
    from cases.keys.register import declare_lost
    from store.database import Database

    database = Database(settings.database_url, pool_size=1, application="keys")
    try:
        async with database.begin() as connection:
            return await declare_lost(connection, kind, key_id)
    finally:
        await database.close()


def _tell_secret(kind: "KeyKind", report: "KeyReport") -> None:
    """Say how a secret that is a setting is replaced, and which of them was used when."""
    setting = _SETTINGS[kind]
    print(f"{setting}: put this behind those that are there, and restart every API:\n{_secret()}")
    print("Then give it to the other side, which signs with it from then on, and take the old one out of the setting")
    print("once it is used no more:")
    for each in report.lines:
        if each.kind == kind and each.in_file:
            print(f"  {each.key_id}  last used {each.used_at or 'never'}")


def _secret() -> str:
    from proof.webhooks import secret_from

    return secret_from(secrets.token_bytes(32))


def _show(report: "KeyReport") -> None:
    console = Console(highlight=False)
    table = Table(*("kind", "id", "state", "in file", "known to", "left", "may go"))
    for each in report.lines:
        in_file = "writes" if each.writes_in_file else "yes" if each.in_file else "no"
        of = len(each.known_to) + len(each.not_known_to)
        table.add_row(
            *(each.kind, each.key_id, each.state, in_file, f"{len(each.known_to)} of {of}"),
            *("" if each.left is None else str(each.left), _goes(each)),
        )
    console.print(table)
    console.print(f"Processes: {', '.join(report.holders) or 'none'}", soft_wrap=True)
    for finding in report.findings:
        console.print(f"{'REFUSED' if finding.refuses else 'Note'}: {finding.words}", soft_wrap=True, markup=False)


def _goes(line: Any) -> str:
    if line.may_go:
        return "now"
    if line.used_at is not None:
        return f"last used {line.used_at:%Y-%m-%d %H:%M}"
    return f"from {line.may_go_from:%Y-%m-%d}" if line.may_go_from is not None else ""
