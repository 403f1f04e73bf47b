"""Dated packs of parameters: what they hold, how they are read from YAML, and which one holds on a day."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from domain.findings import ParameterUsed
from policy.faults import fault_in
from policy.standing import ParameterStatus
from policy.table import Table

# The forms of a pack that these rules read; one is taken away when packs of that form can no longer be read.
# Form 3 has tables; in form 4 rows for names may have other names, and days on which they hold.
CODE_VERSIONS: Final = (1, 2, 3, 4)
_T = TypeVar("_T", bool, int, str)


class PackError(ValueError):
    """A pack cannot be used: its text, its form, or the code version that it asks for."""


class Parameter(BaseModel):
    """One value with its unit, where it comes from and its standing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: StrictBool | StrictInt | StrictStr | tuple[StrictInt, ...] | tuple[StrictStr, ...]
    unit: str | None = None
    reference: str = Field(min_length=1)
    status: ParameterStatus


class Pack(BaseModel):
    """Parameters that hold from a day on, with the code versions that can read them and the hash of their content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    effective_from: date
    reads: tuple[StrictInt, ...] = Field(min_length=1)
    note: str = ""
    parameters: dict[str, Parameter]
    tables: dict[str, Table] = {}
    content_hash: str

    def integer(self, name: str, *, otherwise: int | None = None) -> int:
        """Return a parameter that is a whole number; `otherwise` where the pack was written before there was it."""
        if otherwise is not None and name not in self.parameters:
            return otherwise
        return self._typed(name, int)

    def boolean(self, name: str) -> bool:
        """Return a parameter that is true or false."""
        return self._typed(name, bool)

    def boolean_since(self, form: int, name: str) -> bool:
        """Return a parameter that is true or false and came with a later form; false in a pack of an earlier one."""
        return self.boolean(name) if max(self.reads) >= form else False

    def string(self, name: str) -> str:
        """Return a parameter that is text."""
        return self._typed(name, str)

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a parameter that is a list of whole numbers."""
        value = self.parameter(name).value
        if not isinstance(value, tuple) or not all(type(item) is int for item in value):
            raise PackError(f"{self.name} {self.version}: {name} is not a list of whole numbers.")
        return tuple(item for item in value if isinstance(item, int))

    def strings(self, name: str) -> tuple[str, ...]:
        """Return a parameter that is a list of texts."""
        value = self.parameter(name).value
        if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
            raise PackError(f"{self.name} {self.version}: {name} is not a list of texts.")
        return tuple(item for item in value if isinstance(item, str))

    def decimal(self, name: str) -> Decimal:
        """Return a parameter that is an exact figure: a whole number, or a figure as text."""
        value = self.parameter(name).value
        if type(value) is int or isinstance(value, str):
            with suppress(InvalidOperation):
                return Decimal(value)
        raise PackError(f"{self.name} {self.version}: {name} is no figure.")

    def table(self, name: str) -> Table:
        """Return a table of the pack."""
        if name not in self.tables:
            raise PackError(f"{self.name} {self.version} has no table {name}.")
        return self.tables[name]

    def parameter(self, name: str) -> Parameter:
        """Return a parameter of the pack."""
        if name not in self.parameters:
            raise PackError(f"{self.name} {self.version} has no parameter {name}.")
        return self.parameters[name]

    def used(self, *names: str) -> tuple[ParameterUsed, ...]:
        """Return parameters as a finding records them."""
        return tuple(self._used(name) for name in names)

    def _used(self, name: str) -> ParameterUsed:
        parameter = self.parameter(name)
        value = parameter.value
        shown = ", ".join(str(item) for item in value) if isinstance(value, tuple) else value
        return ParameterUsed(
            name=name, value=shown, unit=parameter.unit, reference=parameter.reference, status=parameter.status
        )

    def _typed(self, name: str, wanted: type[_T]) -> _T:
        value = self.parameter(name).value
        if type(value) is not wanted:
            raise PackError(f"{self.name} {self.version}: {name} is not {wanted.__name__}.")
        return value


def parse_pack(text: str) -> Pack:
    """Return the pack that a YAML text holds.

    Raises:
        PackError: it is no pack, or asks for another version of the rules.
    """
    try:
        content = yaml.load(text, yaml.CSafeLoader)
        pack = Pack.model_validate({**content, "content_hash": sha256(text.encode()).hexdigest()})
    except (yaml.YAMLError, TypeError, ValidationError) as error:
        raise PackError(f"The text is no pack: {fault_in(error)}.") from error
    if not set(CODE_VERSIONS) & set(pack.reads):
        known = ", ".join(str(version) for version in CODE_VERSIONS)
        raise PackError(f"{pack.name} {pack.version} cannot be read by rules of version {known}.")
    return pack


class PackShelf:
    """Every version of one rule pack, to find the one in force on a day or the one that a case names."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.packs = tuple(sorted(packs, key=lambda pack: pack.effective_from))

    def has(self, version: str) -> bool:
        """Whether the shelf holds a version."""
        return any(pack.version == version for pack in self.packs)

    def add(self, pack: Pack) -> None:
        """Put a published version on the shelf; one that is there already stays as it is."""
        if not self.has(pack.version):
            self.packs = tuple(sorted((*self.packs, pack), key=lambda each: each.effective_from))

    def on(self, day: date) -> Pack:
        """Return the pack in force on a day.

        Raises:
            PackError: none had taken effect.
        """
        return pack_in_force(self.packs, day)

    def version(self, version: str) -> Pack:
        """Return the pack of a version.

        Raises:
            PackError: there is none.
        """
        for pack in self.packs:
            if pack.version == version:
                return pack
        raise PackError("There is no pack of that version.")


class PackShelves:
    """The shelves of all rule packs, by name, those of no version yet among them.

    `is_read` says whether the versions published since the start of the process were put on them at least once.
    """

    def __init__(self, packs: Iterable[Pack]) -> None:
        by_name: dict[str, list[Pack]] = {}
        for pack in packs:
            by_name.setdefault(pack.name, []).append(pack)
        self._shelves = {name: PackShelf(versions) for name, versions in by_name.items()}
        self.is_read = False

    def of(self, name: str) -> PackShelf:
        """Return the shelf of a pack."""
        return self._shelves.setdefault(name, PackShelf(()))


def pack_in_force(packs: Iterable[Pack], on: date) -> Pack:
    """Return the pack of the latest day that is not after the day given."""
    begun = [pack for pack in packs if pack.effective_from <= on]
    if not begun:
        raise PackError(f"No pack was in force on {on}.")
    return max(begun, key=lambda pack: pack.effective_from)
