"""The facts that a finding rests on, for the findings that are asked about again when further rules run."""

from collections.abc import Collection

from policy.facts import Facts


def looked_at(names: Collection[str], facts: Facts) -> dict[str, object]:
    """Return the facts of these names, those that are not known left out."""
    seen: dict[str, object] = facts.model_dump(mode="json", include=set(names), exclude_none=True)
    unread = [name for name in facts.ill_typed if name in names]
    return seen | {"ill_typed": unread} if unread else seen
