"""The commands `hetao erasures …`: what a restore of the database has to be followed by."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli_policy import settings_of

if TYPE_CHECKING:
    from settings import Settings

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
        sys.exit(f"hetao: {error.reason}: nothing was erased")
    print(json.dumps(found, indent=1))
    needs_somebody = found["held"] or found["live"] or found["unlisted"] or (only_look and found["erased_again"])
    raise typer.Exit(1 if needs_somebody else 0)


async def _replay(settings: "Settings", *, only_look: bool) -> dict[str, Any]:
    from cases.build import build_context
    from cases.erasure_replay import replay
    from domain.actors import system

    context = build_context(settings, "erasures")
    try:
        return (await replay(context, system("erasure_replay"), only_look=only_look)).view()
    finally:
        await context.database.close()
