"""Whether the ledger's chains hold: each row's number, its link to the one before, and its own hash."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from proof.ledger_rows import GENESIS, row_hash


def broken_chains(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Return the chains that do not hold, with why; the rows come in the order of chain and number."""
    for chain, links in groupby(rows, key=lambda row: str(row["chain"])):
        previous = GENESIS
        for seq, row in enumerate(links, 1):
            if row["seq"] != seq:
                yield chain, f"row {seq} is missing"
                break
            if bytes(row["previous"]) != previous:
                yield chain, f"row {seq} does not follow row {seq - 1}"
                break
            previous = bytes(row["hash"])
            if row_hash(row) != previous:
                yield chain, f"row {seq} was altered"
                break
