"""The commands `hetao sandbox poison` and `hetao sandbox heal`: a case that gets stuck, to rehearse `resume`."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.policy import settings_of

if TYPE_CHECKING:
    from settings import Settings

_SEES_WITHIN_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.2

_Case = Annotated[str, typer.Argument(help="Reference of the case.")]
_DataDir = Annotated[Path, typer.Option("--data-dir", help="Directory of the embedded stack.")]


def poison(reference: _Case, data_dir: _DataDir = Path(".hetao")) -> None:
    """Make every step of a case fail for a defect, until `heal`: it gets stuck, and an operator sees the incident."""
    _run(data_dir, _poison, reference)


def heal(reference: _Case, data_dir: _DataDir = Path(".hetao")) -> None:
    """Let the steps of a case succeed again; it goes on once an operator resumes the incident."""
    _run(data_dir, _heal, reference)


def _run(data_dir: Path, act: Any, reference: str) -> None:
    from domain.errors import Refused
    from domain.references import find_reference

    settings = settings_of(data_dir)
    found = find_reference(reference)
    try:
        if found is None:
            raise Refused("case_unknown", "There is no case of this reference.")
        print(json.dumps(asyncio.run(act(settings, found)), indent=1))
    except Refused as refused:
        print(f"hetao: {refused.detail}", file=sys.stderr)
        raise typer.Exit(2) from None


async def _poison(settings: "Settings", reference: str) -> dict[str, Any]:
    """Name the case among the poisoned, wake its workflow, and wait for the incident."""
    from uuid import uuid4

    from cases.incidents import rehearsal
    from cases.incidents import stopped as incidents
    from cases.shared.build import build_context
    from domain.errors import Refused
    from programmes import PROGRAMMES
    from temporal.client import connect
    from temporal.engine import TemporalEngine

    context = build_context(settings, "rehearsal", PROGRAMMES)
    assert context.poisoned is not None
    try:
        if not await incidents.goes_on(context, reference):
            raise Refused("case_closed", "The case is closed: no step of it runs any more.")
        rehearsal.write(context.poisoned, rehearsal.read(context.poisoned) | {reference})
        client = await connect(context.keyring, api_key_file=settings.temporal_api_key_file)
        await TemporalEngine(client, context.case_types).nudge(reference, str(uuid4()))
        end, incident = time.monotonic() + _SEES_WITHIN_S, None
        while incident is None and time.monotonic() < end:
            await asyncio.sleep(_LOOK_EVERY_S)
            incident = await incidents.find_stuck(context, reference)
    finally:
        await context.database.close()
    return {"reference": reference, "poisoned": True, "incident": incident}


async def _heal(settings: "Settings", reference: str) -> dict[str, Any]:
    from cases.incidents import rehearsal
    from cases.incidents import stopped as incidents
    from cases.shared.build import build_context
    from programmes import PROGRAMMES

    context = build_context(settings, "rehearsal", PROGRAMMES)
    assert context.poisoned is not None
    try:
        rehearsal.write(context.poisoned, rehearsal.read(context.poisoned) - {reference})
        incident = await incidents.find_stuck(context, reference)
    finally:
        await context.database.close()
    return {"reference": reference, "poisoned": False, "incident": incident}
