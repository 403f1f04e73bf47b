"""The command `hetao audit seal`: the whole seal checked again on the database itself, by whoever may read it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import edge
from cli.policy import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from record.reconciliation.evidence import Difference
    from record.seal.differences import Signers
    from settings import Settings


def seal(
    keys: Annotated[
        Path | None,
        typer.Option(help="Public keys, as of `GET /v1/audit/keys`; else those of the key file.", dir_okay=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object a line and nothing else.")] = False,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Directory of an embedded stack.")] = None,
) -> None:
    """Check every row, leaf, node and checkpoint as at night, and write nothing; ends with 1 where one fails."""
    import asyncio

    from domain.errors import Unavailable
    from proof.checkpoints import BrokenNoteError

    def tell(found: "Difference") -> None:
        print(_line(found) if not as_json else json.dumps(_view(found), ensure_ascii=False), flush=True)

    try:
        settings = settings_of(data_dir)
        leaves, differences, leafless = asyncio.run(_check(settings, _signers(keys), tell))
    except (BrokenNoteError, OSError) as error:
        print(f"hetao: the keys cannot be read: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    except Unavailable as error:
        print(f"hetao: {error.reason}: the check broke off", file=sys.stderr)
        raise typer.Exit(2) from error
    if as_json:
        print(json.dumps({"leaves": leaves, "differences": differences, "unsealed": leafless}))
    else:
        print("\n".join(_summary(leaves, differences, leafless, keys)))
    raise typer.Exit(1 if differences else 0)


def _summary(leaves: int, differences: int, leafless: int, keys: Path | None) -> "Iterator[str]":
    """Yield what may be said: what holds, and what was not looked at."""
    by = f"the keys of {keys}" if keys else "the installation's own keys, since no --keys were given"
    if differences:
        yield f"{leaves} leaves: {differences} do not hold."
    elif leaves:
        yield f"{leaves} leaves: each row, node and checkpoint holds, by {by}."
    else:
        yield "Nothing is sealed: there was nothing to check."
    if leafless:
        yield f"Not checked: {leafless} rows of the ledger that are not sealed."
    yield "Not checked: cosignatures and stamps of the checkpoints (`hetao audit verify` does)."


def _signers(keys: Path | None) -> "Signers | None":
    """Return whose signature is asked for by the keys that were given; None for the installation's own."""
    from proof.verdicts import read_keys
    from record.seal.differences import Signers

    if keys is None:
        return None
    known = read_keys(edge.read_text(keys))
    return Signers(known.origin, known.log_keys, known.former)


async def _check(
    settings: "Settings", signers: "Signers | None", tell: "Callable[[Difference], None]"
) -> tuple[int, int, int]:
    from cases.shared.epochs import log_epochs
    from record.seal.check import Progress, check_next
    from record.seal.proofs import signers_of
    from store.database import Database
    from store.keyring import Keyring
    from store.seal_walk import count_leafless

    database, progress = Database(settings.database_url, pool_size=1, application="audit"), Progress()
    try:
        if signers is None:
            async with database.begin() as connection:
                names = await log_epochs(connection, settings.log_origin)
            signers = signers_of(settings.log_origin, Keyring.load(settings.keys_file), names)
        while not progress.is_whole:
            for each in await check_next(database, signers, progress):
                tell(each)
        async with database.begin() as connection:
            leafless = await count_leafless(connection)
    finally:
        await database.close()
    return progress.leaf, progress.differences, leafless


def _line(found: "Difference") -> str:
    from domain.languages import Language
    from record.reconciliation.reconcile import place_text
    from texts.story import difference_sentence

    return f"{found.code}: {difference_sentence(found.code, Language.EN)} {place_text(found.place)}"


def _view(found: "Difference") -> dict[str, object]:
    return {"code": found.code, "place": dict(found.place), "expected": found.expected, "found": found.found}
