"""What a person is told of their data leaves no table with personal data out."""

from cli.docs import all_bodies, all_columns
from domain.data_map import DataClass
from domain.languages import Language
from domain.own_data import KEPT_APART, OF_OTHERS, SHOWN, row_of
from programmes import own_tables
from programmes.talent_permit.requests import Employment, Person, RegistrationRequest
from texts.person import GROUPS, plain


def test_every_table_with_personal_data_is_shown_or_named() -> None:
    personal = {row.place for row in all_columns() if row.data_class is not DataClass.PLAIN}
    named = set().union(*(tables for tables, _ in KEPT_APART.values()))
    of_programmes = {table.name for _, table in own_tables()}
    assert personal - SHOWN - named - OF_OTHERS - of_programmes == set()
    assert SHOWN & named == set()


def test_what_is_said_of_each_field_and_store_has_words() -> None:
    fields = [("person", name) for name in Person.model_fields] + [("employment", n) for n in Employment.model_fields]
    for part, field in fields:
        row = row_of(all_bodies(), RegistrationRequest, part, field)
        for group, code in (("fields", field), ("reasons", field), ("bases", row.basis.name)):
            assert code in GROUPS[group], (group, code)
        assert row.retention.name in GROUPS["retentions"]
    assert set(KEPT_APART) == set(GROUPS["kept_apart"])
    for name, (_, until) in KEPT_APART.items():
        assert plain("kept_apart", name, Language.EN) != name
        assert until.name in GROUPS["retentions"]
