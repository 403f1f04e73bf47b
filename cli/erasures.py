"""The commands `hetao erasures …`: what a restore of the database has to be followed by."""

import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli import edge
from cli.policy import settings_of

if TYPE_CHECKING:
    from settings import Settings

_TO_DO: Final = {
    "erasure_list_missing": ". Persons were erased, and the file is not where HETAO_ERASURE_LIST says: put its backup"
    " there; where there is none, `hetao erasures complete` makes it anew of what this database knows",
    "erasure_list_altered": ". A line was altered, put in or left out: put the file's own backup in its place",
    "erasure_list": ". The file named by HETAO_ERASURE_LIST can be neither read nor written",
    "schema_older": f". {edge.OLDER}",
    "database": ". PostgreSQL does not answer: mend HETAO_DATABASE_URL or start it",
}

app = typer.Typer(help="Follow the list of erasures after a restore.", no_args_is_help=True)


@app.callback()
def _erasures() -> None:
    """Follow the list of erasures after a restore."""


@app.command()
def replay(
    only_look: Annotated[bool, typer.Option("--only-look", help="Say what would be erased again, and do nothing.")] = (
        False
    ),
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack.")] = None,
) -> None:
    """Erase again whoever is on the list and can be read; ends with 1 where somebody has to look."""
    import asyncio

    from domain.errors import Defect, Unavailable

    try:
        found = asyncio.run(_replay(settings_of(data_dir), only_look=only_look))
    except (Defect, Unavailable) as error:
        sys.exit(f"hetao: {error.reason}: nothing was erased{_TO_DO.get(error.reason, '')}")
    print(json.dumps(found, indent=1))
    needs_somebody = found["held"] or found["live"] or found["unlisted"] or (only_look and found["erased_again"])
    raise typer.Exit(1 if needs_somebody else 0)


@app.command()
def complete(
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack.")] = None,
) -> None:
    """Add to the list whom the database knows to be erased, where the list was lost and its own backup too."""
    import asyncio

    from domain.errors import Defect, Unavailable

    try:
        added = asyncio.run(_complete(settings_of(data_dir)))
    except (Defect, Unavailable) as error:
        sys.exit(f"hetao: {error.reason}: nothing was added{_TO_DO.get(error.reason, '')}")
    print(json.dumps({"added": added}))


async def _complete(settings: "Settings") -> int:
    from cases.keys.start import announced
    from cases.shared.build import build_context
    from privacy.erasure_completion import complete
    from programmes import PROGRAMMES

    context = build_context(settings, "erasures", PROGRAMMES)
    try:
        async with announced(context, "erasures"):
            return await complete(context)
    finally:
        await context.database.close()


async def _replay(settings: "Settings", *, only_look: bool) -> dict[str, Any]:
    from cases.keys.start import announced
    from cases.shared.build import build_context
    from domain.actors import system
    from privacy.erasure_replay import replay
    from programmes import PROGRAMMES

    context = build_context(settings, "erasures", PROGRAMMES)
    try:
        async with nullcontext() if only_look else announced(context, "erasures"):
            return asdict(await replay(context, system("erasure_replay"), only_look=only_look))
    finally:
        await context.database.close()
