"""Keys, persons, employers and premises."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.tables.base import metadata, moment, recorded

data_keys = Table(
    "data_keys",
    metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("kek_id", Text, nullable=False),
    Column("wrapped", LargeBinary),
    moment("destroyed_at"),
    Index("ix_data_keys_kek", "kek_id", "key_id", postgresql_where=text("wrapped IS NOT NULL")),
)

persons = Table(
    "persons",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("identity_hash", LargeBinary, unique=True),
    Column("key_id", ForeignKey("data_keys.key_id"), nullable=False),
    # Who holds the documents and cases of this one since two people signed that both are one human.
    Column("joined_to", ForeignKey("persons.person_id")),
    Index("ix_persons_joined", "joined_to", postgresql_where=text("joined_to IS NOT NULL")),
)

# Many to a person. Of one from before there was this table neither kind nor number is known until it is next shown. One
# that came with a person who was joined names the key of that person, under which its number stays.
person_documents = Table(
    "person_documents",
    metadata,
    Column("document_id", Uuid, primary_key=True),
    Column("person_id", ForeignKey("persons.person_id"), nullable=False),
    Column("kind", Text),
    Column("place", Text),
    Column("lookup_hash", LargeBinary, nullable=False, unique=True),
    Column("number", LargeBinary),
    Column("joined_key", ForeignKey("data_keys.key_id")),
    moment("since", null=False),
    Index("ix_person_documents_person", "person_id"),
)

employers = Table(
    "employers",
    metadata,
    Column("employer_id", Text, primary_key=True),
    Column("key_id", ForeignKey("data_keys.key_id"), nullable=False),
    Column("uscc", Text, nullable=False, unique=True),
    Column("contact", LargeBinary, nullable=False),
    Column("language", Text, nullable=False),
    Column("digest", Boolean, nullable=False, server_default=text("false")),
    Column("turn", BigInteger, nullable=False, server_default=text("0")),
)

employer_versions = Table(
    "employer_versions",
    metadata,
    Column("employer_id", ForeignKey("employers.employer_id"), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text),
    Column("kind", Text, nullable=False),
    Column("premises", ARRAY(Text), nullable=False),
    recorded(),
)

employer_standings = Table(
    "employer_standings",
    metadata,
    Column("change_id", Uuid, primary_key=True),
    Column("employer_id", ForeignKey("employers.employer_id"), nullable=False),
    Column("standing", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("proposed_by", JSONB, nullable=False),
    Column("confirmed_by", JSONB),
    Column("spread", Boolean, nullable=False, server_default=text("false")),
    moment("at", null=False),
    Index("ix_employer_standings_employer", "employer_id", "valid_from"),
    Index("ix_employer_standings_unspread", "at", postgresql_where=text("state = 'in_force' AND NOT spread")),
)

premises = Table(
    "premises",
    metadata,
    Column("code", Text, primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),
    Column("address", Text, nullable=False),
    Column("folded", Text, nullable=False),
)
