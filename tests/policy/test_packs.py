"""Packs: strict, dated, readable by stated versions of the code, and never printed as law while unconfirmed."""

from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from policy.limits import limits_of
from policy.pack import PackError, PackShelf, PackShelves, parse_pack
from policy.packs import load_limits, load_rule_packs
from policy.standing import ParameterStatus, least
from programmes.talent_permit.limits import RULES

TEXT = """
name: sample
version: "1"
effective_from: 2026-01-01
reads: [1]
parameters:
  number: {value: 3, unit: years, reference: S8, status: confirmed}
  flag: {value: true, reference: S8, status: confirmed}
  word: {value: multiple, reference: none found, status: unconfirmed}
  numbers: {value: [7, 3], reference: design, status: unconfirmed}
  words: {value: [a, b], reference: design, status: unconfirmed}
"""


def test_parameters_are_read_by_their_type() -> None:
    pack = parse_pack(TEXT)
    assert (pack.integer("number"), pack.boolean("flag"), pack.string("word")) == (3, True, "multiple")
    assert (pack.integers("numbers"), pack.strings("words")) == ((7, 3), ("a", "b"))
    assert [(used.value, used.status) for used in pack.used("word", "numbers")] == [
        ("multiple", "unconfirmed"),
        ("7, 3", "unconfirmed"),
    ]


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("integer", "flag"),
        ("integer", "word"),
        ("boolean", "number"),
        ("string", "number"),
        ("integers", "words"),
        ("strings", "numbers"),
        ("integers", "number"),
        ("integer", "unheard_of"),
    ],
)
def test_a_parameter_of_another_type_or_none_is_an_error(method: str, name: str) -> None:
    with pytest.raises(PackError, match=name):
        getattr(parse_pack(TEXT), method)(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "[1, 2]",
        "name: [",
        TEXT.replace("reads: [1]", "reads: [5]"),
        TEXT.replace("reads: [1]", "reads: []"),
        TEXT.replace("reference: S8, ", "", 1),
        TEXT.replace("status: confirmed", "status: law", 1),
        TEXT.replace("value: 3", "value: 3.5"),
        TEXT + "further: 1\n",
    ],
)
def test_a_text_that_is_no_pack_is_refused(text: str) -> None:
    with pytest.raises(PackError):
        parse_pack(text)


def test_the_hash_names_the_content() -> None:
    assert parse_pack(TEXT).content_hash == parse_pack(TEXT).content_hash
    assert parse_pack(TEXT).content_hash != parse_pack(TEXT + "\n").content_hash


def test_the_pack_of_a_day_is_the_last_that_has_taken_effect() -> None:
    later = parse_pack(TEXT.replace('"1"', '"2"').replace("2026-01-01", "2026-07-01"))
    shelf = PackShelf([later, parse_pack(TEXT)])
    assert shelf.on(date(2026, 1, 1)).version == "1"
    assert shelf.on(date(2026, 6, 30)).version == "1"
    assert shelf.on(date(2026, 7, 1)).version == "2"
    assert shelf.version("1").effective_from == date(2026, 1, 1)
    with pytest.raises(PackError):
        shelf.on(date(2025, 12, 31))
    with pytest.raises(PackError):
        shelf.version("3")


def test_a_pack_is_found_among_those_of_its_name_alone() -> None:
    other = parse_pack(TEXT.replace('"1"', '"2"').replace("name: ", "name: other_"))
    shelves = PackShelves([other, parse_pack(TEXT)])
    name = parse_pack(TEXT).name
    assert [pack.version for pack in shelves.of(name).packs] == ["1"]
    assert shelves.of(other.name).on(date(2026, 1, 1)) == other
    with pytest.raises(PackError):
        shelves.of(name).version("2")
    assert shelves.of("of_no_version_yet").packs == ()
    shelves.of("of_no_version_yet").add(other)
    assert shelves.of("of_no_version_yet").has("2")


def test_the_talent_permit_pack_is_the_one_in_force_since_november_2025() -> None:
    pack = load_rule_packs(RULES)[0]
    assert (pack.version, pack.effective_from) == ("2025-11-05", date(2025, 11, 5))
    assert pack.integer("permit_term_years") == 3
    assert pack.string("permit_entries") == "multiple"
    assert pack.integer("permit_stay_days") == 30
    assert pack.parameter("permit_stay_days").status == "unconfirmed"
    assert pack.boolean("talent_proof_required") is False


def test_the_version_that_asks_for_a_cards_last_day_changes_nothing_else() -> None:
    first, second = load_rule_packs(RULES)
    assert (second.version, second.effective_from, second.reads) == ("2026-11-30", date(2026, 11, 30), (2,))
    assert PackShelf([first, second]).on(date(2026, 11, 29)) == first
    further = {name: value for name, value in second.parameters.items() if name not in first.parameters}
    assert list(further) == ["card_last_day_required"]
    assert {name: value for name, value in second.parameters.items() if name not in further} == first.parameters


def test_a_parameter_of_a_later_form_is_off_in_an_earlier_one_and_needed_in_that_form() -> None:
    assert parse_pack(TEXT).boolean_since(2, "flag") is False
    later = TEXT.replace("reads: [1]", "reads: [2]")
    assert parse_pack(later).boolean_since(2, "flag") is True
    with pytest.raises(PackError, match="unheard_of"):
        parse_pack(later).boolean_since(2, "unheard_of")


def test_a_directory_adds_versions_and_two_of_one_version_are_refused(tmp_path: Path) -> None:
    packaged, _ = load_rule_packs(RULES)
    folder = tmp_path / "talent_permit"
    folder.mkdir()
    content = packaged.model_dump(mode="json", exclude={"content_hash"})
    later = {**content, "version": "2027-01-01", "effective_from": "2027-01-01"}
    (folder / "2027-01-01.yaml").write_text(yaml.safe_dump(later), "utf-8")
    assert [pack.version for pack in load_rule_packs(RULES, tmp_path)] == ["2025-11-05", "2026-11-30", "2027-01-01"]
    (folder / "again.yaml").write_text(yaml.safe_dump(content), "utf-8")
    with pytest.raises(PackError):
        load_rule_packs(RULES, tmp_path)


def test_the_limits_are_those_of_the_table() -> None:
    limits = limits_of(load_limits())
    assert (limits.park_decision_days, limits.defects_named_days, limits.correction_days) == (5, 5, 15)
    assert (limits.correction_reminders_left, limits.returns_allowed) == ((7, 3, 1), 3)
    assert limits.settling == timedelta(minutes=10)
    assert (limits.quiet_from, limits.quiet_until) == (time(21), time(8))


def test_the_embedded_stack_settles_at_once_has_no_quiet_hours_and_differs_in_nothing_else() -> None:
    default, embedded = load_limits(), load_limits("embedded")
    assert limits_of(embedded).settling == limits_of(embedded).cooling == timedelta(0)
    assert "no settling time, no quiet hours and no daily mail" in embedded.note
    differing = [name for name in default.parameters if default.parameter(name) != embedded.parameter(name)]
    assert differing == ["settling_minutes", "cooling_minutes", "quiet_from", "digest_by_default", "quiet_until"]


def test_only_what_is_ours_to_set_is_confirmed_among_the_limits() -> None:
    confirmed = {name for name, parameter in load_limits().parameters.items() if parameter.status == "confirmed"}
    assert confirmed == {"idempotency_days", "callback_tolerance_minutes"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("correction_days", 0),
        ("settling_minutes", -1),
        ("cooling_minutes", -1),
        ("quiet_from", "late"),
        ("claim_days", "one"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(tmp_path: Path, name: str, value: object) -> None:
    content = load_limits().model_dump(mode="json", exclude={"content_hash"})
    content["parameters"][name]["value"] = value
    folder = tmp_path / "limits"
    folder.mkdir()
    (folder / "odd.yaml").write_text(yaml.safe_dump(content), "utf-8")
    with pytest.raises(PackError, match=name):
        limits_of(load_limits("odd", tmp_path))


def test_there_is_no_pack_of_limits_without_a_file() -> None:
    with pytest.raises(PackError, match="unheard_of"):
        load_limits("unheard_of")


TABLES = """
tables:
  by_step:
    unit: yuan
    rows:
      - {least: "0", value: 0, reference: S8, status: confirmed}
      - {least: "50000.01", value: 5, reference: none found, status: sample}
  by_name:
    rows:
      - {of: doctor, value: "0.5", reference: none found, status: unconfirmed}
"""


def test_a_row_of_a_table_holds_up_to_the_next_one_to_the_cent() -> None:
    pack = parse_pack(TEXT.replace("reads: [1]", "reads: [3]") + TABLES)
    steps, names = pack.table("by_step"), pack.table("by_name")
    found = [steps.at(Decimal(figure)) for figure in ("-0.01", "0", "50000.00", "50000.01", "900000")]
    assert [row and row.integer for row in found] == [None, 0, 0, 5, 5]
    doctor = names.named("doctor")
    assert doctor is not None
    assert (doctor.decimal, names.named("bachelor")) == (Decimal("0.5"), None)
    with pytest.raises(PackError, match="unheard_of"):
        pack.table("unheard_of")


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('least: "50000.01"', 'least: "0.00"'),  # not above the row before it
        ('least: "50000.01"', 'least: "many"'),
        ('least: "50000.01"', 'least: "NaN"'),
        ('least: "50000.01"', "least: 50000.01"),
        ('least: "50000.01"', "of: doctor"),  # of another kind than the row before it
        ('least: "50000.01"', 'least: "1", of: doctor'),
        ("of: doctor, value", "value"),
        ('value: "0.5"', "value: 0.5"),
        ("status: sample", "status: law"),
    ],
)
def test_a_table_whose_rows_are_not_in_order_is_refused(was: str, becomes: str) -> None:
    text = TEXT.replace("reads: [1]", "reads: [3]") + TABLES
    assert was in text
    with pytest.raises(PackError):
        parse_pack(text.replace(was, becomes))


def test_two_rows_for_one_name_are_refused() -> None:
    row = "      - {of: doctor, value: 1, reference: S8, status: confirmed}\n"
    with pytest.raises(PackError, match="two rows are for one name"):
        parse_pack(TEXT + TABLES + row)


LISTED = "of: doctor, also: [博士, Doctor], since: 2020-01-01, until: 2024-12-31, value"


def test_a_row_for_a_name_may_hold_for_days_of_its_own_both_of_them_in() -> None:
    pack = parse_pack(TEXT.replace("reads: [1]", "reads: [4]") + TABLES.replace("of: doctor, value", LISTED))
    row = pack.table("by_name").rows[0]
    assert row.also == ("博士", "Doctor")
    edges = [date(2019, 12, 31), date(2020, 1, 1), date(2024, 12, 31), date(2025, 1, 1)]
    assert [row.holds_on(day) for day in edges] == [False, True, True, False]
    assert all(each.holds_on(day) for each in pack.table("by_step").rows for day in edges)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("since: 2020-01-01", "since: 2025-01-01"),  # ends before it begins
        ("since: 2020-01-01", "since: soon"),
        ("[博士, Doctor]", "[博士, doctor]"),  # one name twice
        ("of: doctor", 'least: "1"'),
    ],
)
def test_names_and_days_of_a_row_that_cannot_be_are_refused(was: str, becomes: str) -> None:
    text = TEXT + TABLES.replace("of: doctor, value", LISTED)
    assert was in text
    with pytest.raises(PackError):
        parse_pack(text.replace(was, becomes))


def test_a_figure_is_read_from_text_and_a_sample_is_never_confirmed() -> None:
    text = TEXT.replace(
        "value: multiple, reference: none found, status: unconfirmed", 'value: "84.99", reference: none, status: sample'
    )
    pack = parse_pack(text)
    assert (pack.decimal("word"), pack.decimal("number")) == (Decimal("84.99"), Decimal(3))
    assert pack.used("word")[0].status == "sample"
    for name in ("flag", "words"):
        with pytest.raises(PackError, match=name):
            pack.decimal(name)


def test_what_rests_on_several_values_stands_as_the_least_of_them() -> None:
    confirmed, unconfirmed, sample = ParameterStatus
    assert least((confirmed, unconfirmed)) is unconfirmed
    assert least((sample, unconfirmed, confirmed)) is sample
    assert least(()) is confirmed
