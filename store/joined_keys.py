"""Under which data key the things of a person stand, those of persons who were joined to another among them."""


def key_id_of(held: str, person: str = "p") -> str:
    """Return, as SQL, the id of the key that a case or a document came with.

    Written as CASE and not as coalesce: of the two, PostgreSQL takes only the former for one that leaks nothing, and
    finds the key by its index below the policies of `data_keys` and not by reading all keys.

    Args:
        held: the alias of the row of `cases` or `person_documents`.
        person: the alias of the row of `persons` that holds it today.
    """
    return f"CASE WHEN {held}.joined_key IS NULL THEN {person}.key_id ELSE {held}.joined_key END"
