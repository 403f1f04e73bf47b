"""Income tax of a year's salary by the brackets of the pack, exact and not rounded."""

from decimal import ROUND_CEILING, Decimal
from typing import Final

from policy.pack import Pack

_BRACKETS: Final = "income_tax"
_CENT: Final = Decimal("0.01")


def income_tax(salary_year: Decimal, other_deductions: Decimal, pack: Pack) -> Decimal:
    """Return the tax in yuan on a salary less the basic and the other deductions of the year."""
    taxable = salary_year - pack.integer("basic_deduction_year") - other_deductions
    rows = pack.table(_BRACKETS).rows
    ends = [*(row.begins for row in rows[1:]), None]
    tax = Decimal(0)
    for row, end in zip(rows, ends, strict=True):
        within = (taxable if end is None else min(taxable, end)) - row.begins
        tax += max(within, Decimal(0)) * row.decimal
    return tax


def salary_for_tax(tax: Decimal, other_deductions: Decimal, pack: Pack) -> Decimal:
    """Return the least salary of a year, to the cent, whose tax reaches a sum above nothing."""
    off = pack.integer("basic_deduction_year") + other_deductions
    # The bracket in which the tax is reached is the last at whose beginning it is not.
    row = [row for row in pack.table(_BRACKETS).rows if income_tax(row.begins + off, other_deductions, pack) < tax][-1]
    salary = off + row.begins + (tax - income_tax(row.begins + off, other_deductions, pack)) / row.decimal
    return salary.quantize(_CENT, rounding=ROUND_CEILING)
