"""Ages in full years, as limits of age count them."""

from datetime import date


def age_on(born: date, on: date) -> int:
    """Return the age in full years; one born on 29 February is a year older on 1 March of other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
