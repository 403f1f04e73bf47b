"""What the row of a case says by itself, to those who change the case and to those who only show it."""

from domain.stages import Destination, Stage
from store.case_rows import Row


class CaseRow:
    """Whoever holds the row of a case in the register."""

    __slots__ = ()
    row: Row

    @property
    def reference(self) -> str:
        """The reference of the case."""
        return str(self.row["reference"])

    @property
    def employer_id(self) -> str:
        """The employer whose case it is."""
        return str(self.row["employer_id"])

    @property
    def round(self) -> int:
        """The round that decisions carry."""
        return int(self.row["round"])

    @property
    def stage(self) -> Stage:
        """The stage of the registration."""
        return Stage(self.row["stage"])

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """The destinations asked for."""
        return tuple(Destination(code) for code in self.row["destinations"])
