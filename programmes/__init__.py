"""The programmes, one room each, and the registry of them, which the edge hands to the core."""

from collections.abc import Mapping

from cases.programme import Programme


def programmes() -> Mapping[str, Programme]:
    """Return the declarations by code."""
    # Imported when asked for: what is left of the core that imports a room would otherwise meet itself half imported.
    from programmes.talent_permit.programme import TALENT_PERMIT

    return {each.code: each for each in (TALENT_PERMIT,)}
