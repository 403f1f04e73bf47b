"""Persons: an id, documents by which they are found, and a data key; what was given of them is the application's."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.shared.context import Context
from domain.documents import Document
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.forms import Form
from domain.parties import looked_up_within
from store import case_writes
from store.case_rows import Beside, Row, Subquery
from store.encryption import DataKey, WrappedKey, new_data_key, unwrap
from store.joined_keys import key_id_of

# Held as a case's foreign key will hold it: whoever erases the person waits, or is waited for and then nobody is found.
# The person first, as erasing does; the document is gone by then, and what was read before the wait does not count.
_KNOWN: Final = f"""
    SELECT jsonb_build_object('person_id', p.person_id, 'key_id', k.key_id, 'kek_id', k.kek_id,
        'wrapped', encode(k.wrapped, 'hex'), 'joined_key', d.joined_key)
    FROM person_documents d JOIN persons p ON p.person_id = d.person_id
    JOIN data_keys k ON k.key_id = {key_id_of("d")}
    WHERE d.lookup_hash = CAST(:document_hash AS bytea)
    FOR KEY SHARE OF p, d
"""  # noqa: S608 - made of words of this file and the store's
_FIND: Final = text(f"SELECT ({_KNOWN}) AS known_person")


class KeptPerson(NamedTuple):
    """What is kept of a person: ids, and the data key in hex as it lies wrapped.

    `joined_key` is the id of the key once more where it came with a document of a person who was joined to this one.
    """

    person_id: str
    key_id: str
    kek_id: str
    wrapped: str | None
    joined_key: str | None


# The person of a document, or None.
KEPT_PERSON: Final = Subquery("known_person", _KNOWN, lambda found: None if found is None else KeptPerson(**found))

# Nobody's once the person was erased: neither document nor key is there to be found.
_SHOWN: Final = text(f"""
    SELECT d.document_id, d.person_id, d.number, d.since, k.key_id, k.kek_id, k.wrapped FROM person_documents d
    JOIN persons p USING (person_id)
    JOIN data_keys k ON k.key_id = {key_id_of("d")} AND k.wrapped IS NOT NULL
    WHERE d.lookup_hash = :lookup_hash
""")  # noqa: S608 - made of words of this file and the store's
_COMPLETE: Final = text(
    "UPDATE person_documents SET kind = :kind, place = :place, number = :number"
    " WHERE document_id = :document_id AND number IS NULL"
)


class KnownPerson(NamedTuple):
    """A person row with its data key in clear.

    `joined_key` is the id of that key where it is not the person's own: what is sealed under it is told by it, so that
    it goes back with the document should the joining have been wrong (`privacy.joining`).
    """

    person_id: UUID
    key: DataKey
    joined_key: UUID | None = None


def document_hash(context: Context, document: Document) -> bytes:
    """Return the keyed hash under which a person is found by a document."""
    return context.keyring.lookup_hash(*document.looked_up_by)


def last_four_hash(context: Context, owner: str, document: Document) -> bytes:
    """Return the keyed hash under which a case of an owner is found by the last four of a document's number."""
    return context.keyring.lookup_hash(f"last_four/{looked_up_within(owner)}", document.number[-4:].upper())


def known_person(context: Context, document: Document) -> Beside:
    """Return what `KEPT_PERSON` asks, so that the person of a document is read with other things."""
    return Beside((KEPT_PERSON,), {"document_hash": document_hash(context, document)})


async def find_person(context: Context, connection: AsyncConnection, document: Document) -> KnownPerson | None:
    """Return the person of a document, or None for one not met before."""
    values = dict(known_person(context, document).values)
    return read_person(context, KEPT_PERSON.read((await connection.execute(_FIND, values)).scalar_one()))


def read_person(context: Context, found: KeptPerson | None) -> KnownPerson | None:
    """Return a person that was found, or None."""
    if found is None:
        return None
    key = unwrap(context.keyring, WrappedKey.of_hex(found.key_id, found.kek_id, found.wrapped))
    return KnownPerson(UUID(found.person_id), key, UUID(found.joined_key) if found.joined_key else None)


def meet(
    context: Context, document: Document, found: KeptPerson | None, *, person_id: UUID | None = None
) -> tuple[KnownPerson, dict[str, list[Row]]]:
    """Return the person that was found, with the rows that make a new one, of an id, where there was none."""
    known = read_person(context, found)
    if known is not None:
        return known, {}
    key, wrapped = new_data_key(context.keyring)
    person = KnownPerson(person_id or uuid4(), key)
    key_row = {"key_id": wrapped.key_id, "kek_id": wrapped.kek_id, "wrapped": wrapped.wrapped}
    row = {
        "person_id": person.person_id,
        "identity_hash": document_hash(context, document),
        "key_id": key.key_id,
    }
    shown = _document_row(context, person, document, context.clock())
    return person, {"data_keys": [key_row], "persons": [row], "person_documents": [shown]}


async def get_or_add_person(context: Context, connection: AsyncConnection, document: Document) -> KnownPerson:
    """Return the person of a document, added where there was none; two callers at once get the same one."""
    known = await find_person(context, connection, document)
    if known is not None:
        return known
    person, rows = meet(context, document, None)
    try:
        async with connection.begin_nested():
            await case_writes.write(connection, rows)
    except IntegrityError:
        known = await find_person(context, connection, document)
        if known is None:
            raise
        return known
    return person


async def add_document(context: Context, connection: AsyncConnection, person: KnownPerson, document: Document) -> bool:
    """Let a person be found by a further document; return whether it is theirs, and not another person's already."""
    known = await find_person(context, connection, document)
    if known is not None:
        return known.person_id == person.person_id
    row = _document_row(context, person, document, context.clock()) | {"joined_key": person.joined_key}
    try:
        async with connection.begin_nested():
            await case_writes.write(connection, {"person_documents": [row]})
    except IntegrityError:
        known = await find_person(context, connection, document)
        return known is not None and known.person_id == person.person_id
    return True


async def find_by_own_document(context: Context, connection: AsyncConnection, document: Document) -> UUID | None:
    """Return the person who shows a document, or None where nobody has it or they were erased.

    Of one from before documents were kept, its kind and number are written down now.
    """
    hashed = document_hash(context, document)
    row = (await connection.execute(_SHOWN, {"lookup_hash": hashed})).one_or_none()
    if row is None:
        return None
    if row.number is None:
        key = unwrap(context.keyring, WrappedKey(row.key_id, row.kek_id, bytes(row.wrapped)))
        shown = _document_row(context, KnownPerson(row.person_id, key), document, row.since, row.document_id)
        await connection.execute(_COMPLETE, {name: shown[name] for name in ("document_id", "kind", "place", "number")})
    found: UUID = row.person_id
    return found


def not_proved(form: Form) -> Refused:
    """Return the refusal of a form whose person is not the one whose document the token asserts."""
    said = "A case of your own is about yourself: give the document that your token asserts."
    return Refused("invalid", said, [FieldError(form.document_field, FieldCode.UNKNOWN_VALUE, said)])


def _document_row(
    context: Context, person: KnownPerson, document: Document, at: datetime, document_id: UUID | None = None
) -> Row:
    document_id = document_id or uuid4()
    number = person.key.seal("person_documents", "number", str(document_id), document.number.encode())
    return {
        "document_id": document_id,
        "person_id": person.person_id,
        "kind": document.kind.value,
        "place": document.place,
        "lookup_hash": document_hash(context, document),
        "number": number,
        "since": at,
    }
