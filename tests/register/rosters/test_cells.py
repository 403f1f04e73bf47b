"""Cells of rosters: words of three languages, days in the usual forms, and values that the spreadsheet changed."""

import json
from datetime import date

import pytest

from domain.languages import Language
from programmes.talent_permit.reasons import DEPARTURE_REASONS
from programmes.talent_permit.requests import DepartureRequest, EmploymentKind, RegistrationRequest
from register.rosters.file import MARKS
from tests.register.rosters.reading import COLUMNS, DEPARTURE, REGISTER, SAID, VALUES, allowed, read_row
from texts.catalogue import Sentence
from texts.person import GROUPS
from texts.reasons import reason_sentence
from texts.roster import ANNOTATIONS, RESULTS

ROW = {
    "name_zh": "李示例",
    "identity_number": "44030419900307123X",
    "position": "研究员",
    "work_site": "SZP-001",
    "employment_kind": "contract",
    "contract_start": "2024-01-01",
    "language": "zh-Hans",
    "destinations": "HK+MO",
    "state_worker": "no",
}


def taken(**cells: str) -> RegistrationRequest:
    """Return the registration of a row with other cells."""
    read = read_row({**ROW, **cells}, REGISTER)
    assert isinstance(read, RegistrationRequest), read
    return read


def wrong(marks: dict[str, str] | None = None, **cells: str) -> list[tuple[str, str, str]]:
    """Return what is wrong with a row with other cells: column, code and the name of the sentence."""
    marked = {MARKS: json.dumps(marks)} if marks else {}
    read = read_row({**ROW, **cells, **marked}, REGISTER)
    assert isinstance(read, list)
    return [(error.field, error.code, error.words) for error in read]


@pytest.mark.parametrize("language", Language)
def test_what_the_system_prints_is_read_again(language: Language) -> None:
    for kind in EmploymentKind:
        assert taken(employment_kind=SAID.word_of("employment_kind", kind, language)).employment.employment_kind == kind
    for each in Language:
        assert taken(language=SAID.word_of("language", each, language)).person.language == each
    for flag, is_one in (("yes", True), ("no", False)):
        assert taken(state_worker=SAID.word_of("state_worker", flag, language)).employment.state_worker is is_one
    for places, count in (
        (allowed("destinations", language)[-1], 2),
        (GROUPS["destinations"]["MO"].in_language(language), 1),
    ):
        assert len(taken(destinations=places).destinations) == count
    for reason in DEPARTURE_REASONS:
        for text in (SAID.word_of("reason", reason, language), reason_sentence(reason, language), reason):
            row = {"client_reference": "A-1", "last_day": "2026/3/2", "reason": text}
            read = read_row(row, DEPARTURE)
            assert isinstance(read, DepartureRequest), text
            assert read.reason == reason


def test_no_word_stands_for_two_codes() -> None:
    for column, codes in VALUES.items():
        seen: dict[str, str] = {}
        for code, word in codes.items():
            for text in (*word.also, *(SAID.word_of(column, code, language) for language in Language)):
                assert seen.setdefault(text.casefold(), code) == code, (column, text)
    assert set(VALUES["reason"]) == set(DEPARTURE_REASONS)
    assert set(VALUES["employment_kind"]) == set(EmploymentKind)


@pytest.mark.parametrize(
    ("text", "codes"),
    [("香港、澳门", "HK MO"), ("澳門", "MO"), ("HK, MO", "HK MO"), ("香港和澳门", "HK MO"), ("港澳", "HK MO"),
     ("hk/mo", "HK MO"), ("Hong Kong and Macao", "HK MO"), ("Hong Kong", "HK"), ("Macau + Hong Kong", "HK MO"),
     ("mo", "MO")],
)  # fmt: skip
def test_destinations_are_read_as_people_join_them(text: str, codes: str) -> None:
    assert " ".join(taken(destinations=text).destinations) == codes


@pytest.mark.parametrize("text", ["", "无固定期限", "長期", "长期有效", "Permanent", "open-ended"])
def test_a_contract_without_a_fixed_end_has_none(text: str) -> None:
    assert taken(contract_end=text).employment.contract_end is None


@pytest.mark.parametrize("text", ["2026/3/1", "2026年3月1日", "20260301", "1 March 2026"])
def test_days_are_read_in_the_usual_forms(text: str) -> None:
    read = taken(
        contract_start=text, contract_end=text, consent_letter=f"示例局｜示字1号｜{text}", permit_card_valid_until=text
    )
    letter = read.employment.consent_letter
    assert letter is not None
    days = (
        read.employment.contract_start,
        read.employment.contract_end,
        letter.date,
        read.person.permit_card_valid_until,
    )
    assert set(days) == {date(2026, 3, 1)}


@pytest.mark.parametrize(
    ("column", "text", "code", "words"),
    [
        ("contract_start", "3/1/2026", "impossible_date", "date_unclear"),
        ("contract_start", "46082", "impossible_date", "date_unclear"),
        ("contract_start", "2026-03-01 08:30", "impossible_date", "date_with_time"),
        ("contract_start", "2026-02-30", "impossible_date", ""),
        ("contract_start", "长期", "impossible_date", "date_unclear"),
        ("permit_card_valid_until", "长期", "impossible_date", "date_unclear"),
        ("contract_end", "无", "impossible_date", "date_unclear"),
        ("contract_start", "1066-10-14", "impossible_date", ""),
        ("contract_start", "", "required", ""),
        ("consent_letter", "示例局|示字1号|3/1/2026", "impossible_date", "date_unclear"),
        ("employment_kind", "临时", "unknown_value", "words_unknown"),
        ("language", "中文", "unknown_value", "words_unknown"),
        ("destinations", "香港、台湾", "unknown_value", "words_unknown"),
        ("state_worker", "也许", "wrong_type", "words_unknown"),
        ("identity_number", "4.40304E+17", "wrong_type", "cell_rounded"),
        ("phone", "1.38E+10", "wrong_type", "cell_rounded"),
        ("client_reference", "4.40304198501236E+17", "wrong_type", "cell_rounded"),
        ("extra", "more", "unknown_field", "more_cells_than_headers"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(column: str, text: str, code: str, words: str) -> None:
    field = "row" if column == "extra" else column
    assert wrong(None, **{column: text}) == [(field, code, words)]


@pytest.mark.parametrize(
    "column", ["identity_number", "client_reference", "phone", "permit_card_number", "name_zh", "position"]
)
@pytest.mark.parametrize(
    ("mark", "words"), [("rounded", "cell_rounded"), ("date", "cell_is_date"), ("broken", "cell_broken")]
)
def test_a_value_that_the_spreadsheet_changed_is_refused(column: str, mark: str, words: str) -> None:
    assert wrong({column: mark}, **{column: "440304198501236004"}) == [(column, "wrong_type", words)]


def test_a_formula_that_failed_leaves_no_optional_cell_empty() -> None:
    assert wrong({"contract_end": "broken"}, contract_end="#N/A") == [("contract_end", "wrong_type", "cell_broken")]


@pytest.mark.parametrize("text", ["无", "無", "/", "-", "N/A", "——"])
def test_a_word_for_nothing_leaves_what_may_be_empty_empty(text: str) -> None:
    read = taken(email=text, phone=text, permit_card_number=text, consent_letter=text, name_en=text)
    assert (read.person.email, read.person.phone, read.employment.consent_letter) == (None, None, None)
    assert wrong(position=text, state_worker=text)[0][0] == "state_worker"


def test_the_words_of_rosters_are_whole_in_three_languages() -> None:
    sentences = [*ANNOTATIONS.values(), *RESULTS.values()]
    sentences += [sentence for column in COLUMNS.values() for sentence in (column.header, column.help)]
    assert all(isinstance(each, Sentence) for each in sentences)
