"""The command `hetao restored`: says once, after a restore of the database, that what came after the backup is lost."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli import edge
from cli.policy import settings_of

if TYPE_CHECKING:
    from record.restores.declaring import RestoredView
    from settings import Settings

_NEXT: Final = """\
What to do next:
  1. hetao erasures replay                      erases again whoever was erased after the backup
  2. start the workers, then the API            workflows of before look at the register again by themselves
  3. hand the declaration to the witnesses      hetao witness restored DECLARATION --state STATE
  4. have the lost cases submitted anew         answers of the authority about them are kept: GET /v1/lost-answers\
"""


def restored(
    last_checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Newest signed checkpoint that anybody outside has, as a witness keeps it.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    declaration: Annotated[
        Path | None, typer.Option(help="File to write the declaration to, for witnesses and auditors.", dir_okay=False)
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Declare another restore, although nothing was written since the last one.")
    ] = False,
    without_temporal: Annotated[
        bool, typer.Option("--without-temporal", help="Do not ask Temporal which cases it knows.")
    ] = False,
    nothing_lost: Annotated[
        bool,
        typer.Option("--nothing-lost", help="Say that nothing is lost: a standby took over in step. No new epoch."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object and nothing else.")] = False,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack.")] = None,
) -> None:
    """Declare that the database was restored, while neither API nor worker runs; a repeat changes nothing."""
    import asyncio

    from cases.shared.views import document
    from domain.errors import Refused, Unavailable
    from record.restores.declaring import read_note

    if nothing_lost:
        asyncio.run(_nothing_lost(settings_of(data_dir)))
        print("It is written down that the database is another one and lost nothing.")
        return
    note = read_note(edge.read_text(last_checkpoint)) if last_checkpoint else None
    try:
        found, declared = asyncio.run(
            _restored(settings_of(data_dir), note, again=again, asks_temporal=not without_temporal)
        )
    except Refused as refused:
        print(f"hetao: nothing was changed. {refused.detail}", file=sys.stderr)
        raise typer.Exit(2) from refused
    except Unavailable as error:
        away = f"{error.reason} is away: run it again when it is there"
        print(f"hetao: {edge.OLDER if error.reason == 'schema_older' else away}", file=sys.stderr)
        raise typer.Exit(2) from error
    if declaration is not None:
        declaration.write_text(json.dumps(declared, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(document(found) | {"declaration": declared}, ensure_ascii=False))
        return
    _tell(found)


def _tell(found: "RestoredView") -> None:
    said = "The restore is declared" if found.declared_now else "The restore was declared before"
    print(f"{said}: epoch {found.epoch}, log {found.log} from {found.tree_size} leaves on.")
    if found.lost_leaves is None:
        print("How much the log lost is not known: no --last-checkpoint was given.")
    else:
        print(f"Lost from the log: {found.lost_leaves} leaves.")
    if found.lost_cases is None:
        print("Temporal was not asked which cases are lost; workflows whose case is gone end by themselves.")
    else:
        print(f"Cases that Temporal knows and the register does not: {len(found.lost_cases)}")
        for reference in found.lost_cases:
            print(f"  {reference} ({edge.programme_of(reference)})")
    print(_NEXT)


async def _nothing_lost(settings: "Settings") -> None:
    from cases.health.restore_watch import say_nothing_lost
    from cases.shared.build import build_context
    from domain.actors import system
    from programmes import PROGRAMMES

    context = build_context(settings, "restored", PROGRAMMES)
    try:
        await say_nothing_lost(context, system("restored"))
    finally:
        await context.database.close()


async def _restored(
    settings: "Settings", note: str | None, *, again: bool, asks_temporal: bool
) -> "tuple[RestoredView, dict[str, Any]]":
    from cases.shared.build import build_context
    from domain.actors import system
    from programmes import PROGRAMMES
    from record.restores.declaring import declare_restore, find_lost_cases
    from temporal.case_workflows import CaseWorkflows
    from temporal.client import connect

    context = build_context(settings, "restored", PROGRAMMES)
    try:
        found = await declare_restore(context, system("restored"), note, again=again)
        if asks_temporal:
            try:
                client = await connect(context.keyring, api_key_file=settings.temporal_api_key_file)
            except (RuntimeError, OSError) as error:
                print(f"hetao: Temporal: {error}", file=sys.stderr)
                print("hetao: Temporal is away: run it again when it is there, or go on without", file=sys.stderr)
            else:
                found.lost_cases = await find_lost_cases(context, CaseWorkflows(client, context.case_types).ids())
                found.asked_temporal = True
    finally:
        await context.database.close()
    return found.view(), dict(found.declaration)
