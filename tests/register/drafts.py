"""Drafts of rule packs: the shipped one with some of its values changed."""

from pathlib import Path

SHIPPED = (Path(__file__).parents[2] / "programmes/talent_permit/packs/2025-11-05.yaml").read_text(encoding="utf-8")


def draft(version: str = "2026-04-01") -> str:
    """Return the shipped pack under another version, in force from the day of that name on."""
    content = SHIPPED.replace('version: "2025-11-05"', f'version: "{version}"')
    return content.replace("effective_from: 2025-11-05", f"effective_from: {version}")


# Nobody below fifty.
STRICTER = draft().replace("value: 16\n", "value: 50\n")
# No permit card outlives twenty years.
LONGER_TERM = draft().replace("value: 3\n    unit: years", "value: 20\n    unit: years")
