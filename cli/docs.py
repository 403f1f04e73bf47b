"""The command `hetao docs`: the pages that are generated from the code."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.data_map import DataRow
    from policy.pack import Parameter
    from programmes.talent_permit.states_page import LimitLine


def docs() -> None:
    """Write the pages that are generated: `docs/states.md` and `docs/data-map.md`."""
    for name, text in generated_pages().items():
        (Path(__file__).parents[1] / "docs" / name).write_text(text, encoding="utf-8")


def generated_pages() -> dict[str, str]:
    """Return the pages that are generated, by their names in `docs`."""
    from domain import data_map, data_map_fences, written_once
    from domain.languages import Language
    from programmes import own_tables
    from programmes.talent_permit import states_page
    from programmes.talent_permit.reasons import REASONS
    from texts.reasons import reason_sentence

    own = [table.name for _, table in own_tables()]
    says = {code: reason_sentence(code, Language.EN) for code in REASONS}
    return {
        "states.md": states_page.as_page(says, _limit_lines()),
        "data-map.md": data_map.as_page(
            all_bodies(),
            all_columns(),
            [*data_map_fences.as_section(all_columns(), own), *written_once.as_section(own)],
        ),
    }


def all_columns() -> "tuple[DataRow, ...]":
    """Return what the data map says of each column: of any case, and of the tables of each programme."""
    from domain.data_map_columns import COLUMNS
    from programmes import own_tables

    # Several programmes may declare one table of the core, as that of renewals.
    tables = dict.fromkeys(table for _, table in own_tables())
    return (*COLUMNS, *(row for table in tables for row in table.data))


def all_bodies() -> "tuple[DataRow, ...]":
    """Return what the data map says of each field of a body: of any case, and of those of each programme."""
    from domain.data_map_bodies import BODIES
    from programmes import PROGRAMMES

    return (*BODIES, *(row for each in PROGRAMMES.values() for row in each.bodies))


def _limit_lines() -> "Iterator[LimitLine]":
    """Yield the limits of the default pack, each with that of the embedded stack where it is another one."""
    from policy.packs import load_limits
    from programmes.talent_permit.states_page import LimitLine

    def shown(parameter: "Parameter") -> str:
        value = parameter.value
        return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)

    embedded = load_limits("embedded").parameters
    for name, each in load_limits().parameters.items():
        other = shown(embedded[name]) if shown(embedded[name]) != shown(each) else None
        yield LimitLine(name, shown(each), each.unit or "-", each.reference, each.status.value, other)
