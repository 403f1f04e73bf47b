"""Forms out of the API's models: what a form shows is what it sends, and a refusal stands at its field."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from selectolax.lexbor import LexborHTMLParser
from starlette.datastructures import FormData
from starlette.requests import Request

from cases.programme import Programme
from console.app import create_console
from console.calling import ProblemError, WrongField
from console.form_pages import form_page
from console.forms import Field, Kind, field_at, fields_of, placed, value_field
from console.typed import changes, read_form
from domain.actors import Role
from domain.browser_sessions import Session
from domain.languages import Language
from programmes import PROGRAMMES
from programmes.appraisal.requests import AppraisalEvidence, AppraisalRequest
from programmes.talent_permit.requests import UNDERTAKING_VERSION, CorrectionRequest, FactRequest, RegistrationRequest
from programmes.work_permit.requests import WorkPermitRequest
from tests.api.conftest import settings_for_tests
from tests.console.visiting import KeptSessions, filled
from texts.form_words import FormWords

PERMIT: Final = FormWords("programmes.talent_permit", Language.EN)
WORK: Final = FormWords("programmes.work_permit", Language.EN)
APPRAISAL: Final = FormWords("programmes.appraisal", Language.EN)
CONSOLE: Final = create_console(
    settings_for_tests("postgresql://unused"), FastAPI(), sessions=KeptSessions, clock=lambda: datetime.now(UTC)
)


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the body that a model publishes as its example."""
    examples: Any = model.model_json_schema()["examples"]
    return dict(examples[0])


def shown(fields: tuple[Field, ...], problem: ProblemError | None = None) -> LexborHTMLParser:
    """Return the page of a form with these fields."""
    request = Request({"type": "http", "path": "/", "query_string": b"", "headers": [], "app": CONSOLE})
    request.state.language = Language.EN
    request.state.session = Session(issuer="i", subject="s", name="", role=Role.EMPLOYER, token="t", csrf="c")
    page = form_page(
        request, heading="A form", fields=fields, action="/here", act="Send", key="key", problem=problem, leave="/"
    )
    return LexborHTMLParser(bytes(page.body).decode())


def sent(page: LexborHTMLParser, **pressed: str) -> FormData:
    """Return what a browser sends of the form of a page, with a button that is pressed."""
    [form] = page.css("main form")
    typed = {**filled(form), **pressed}
    pairs = [(name, each) for name, value in typed.items() for each in (value if isinstance(value, list) else [value])]
    return FormData(pairs)


@pytest.mark.parametrize("programme", PROGRAMMES.values(), ids=lambda each: each.code)
def test_what_a_form_shows_is_what_it_sends(programme: Programme) -> None:
    words, model = FormWords(programme.texts, Language.ZH_HANT), programme.form
    example = example_of(model)

    page = shown(fields_of(model, words, given=example))

    read = read_form(model, words, sent(page))
    assert read.is_sent
    defaults = {"undertaking_version": UNDERTAKING_VERSION} if model is RegistrationRequest else {}
    example.get("person", {}).setdefault("language", "zh-Hant")
    assert read.body == {**example, **defaults}
    model.model_validate(read.body)


def test_an_empty_form_names_the_fields_that_are_missing() -> None:
    read = read_form(RegistrationRequest, PERMIT, sent(shown(fields_of(RegistrationRequest, PERMIT))))

    version = {"undertaking_version": UNDERTAKING_VERSION}
    assert read.body == {"person": {}, "employment": {}, "destinations": [], **version}


def test_what_cannot_be_read_is_shown_again_as_it_was_typed() -> None:
    body = {"person": {"birth_date": "2026-13-", "nationality": "<b>"}, "declared": {"experience_years": "five"}}

    page = shown(fields_of(WorkPermitRequest, WORK, given=body))

    again = read_form(WorkPermitRequest, WORK, sent(page)).body
    assert again["person"]["birth_date"] == "2026-13-"
    assert again["person"]["nationality"] == "<b>"
    assert again["declared"]["experience_years"] == "five"
    assert not page.css("main b")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (("2026", "9", "1"), "2026-09-01"),
        (("２０２６", "１２", "３１"), "2026-12-31"),
        (("26", "9", "1"), "26-09-01"),
        (("", "9", ""), "-09-"),
    ],
)
def test_days_are_typed_in_three_boxes(typed: tuple[str, str, str], read: str) -> None:
    fields = fields_of(RegistrationRequest, PERMIT, only=["employment.contract_start"])
    page = shown(fields)
    boxes = dict(zip(("year", "month", "day"), typed, strict=True))

    form = sent(page, **{f"employment.contract_start.{part}": value for part, value in boxes.items()})

    got = read_form(RegistrationRequest, PERMIT, form, only=["employment.contract_start"])
    assert got.body == {"employment": {"contract_start": read}}


def test_sums_and_numbers_are_taken_as_people_write_them() -> None:
    only = ["job.salary_year", "declared.experience_years"]
    page = shown(fields_of(WorkPermitRequest, WORK, only=only))

    form = sent(page, **{"job.salary_year": "¥450,000.00", "declared.experience_years": "５"})

    got = read_form(WorkPermitRequest, WORK, form, only=only).body
    assert got == {"job": {"salary_year": "450000.00"}, "declared": {"experience_years": 5}}


def test_a_refusal_stands_at_its_field_and_the_summary_leads_there() -> None:
    fields = fields_of(RegistrationRequest, PERMIT, given=example_of(RegistrationRequest))
    errors = [
        WrongField("employment.contract_end", "date_order", "The contract ends before it starts."),
        WrongField("destinations[1]", "unknown_value", "Name each destination once."),
        WrongField("employment.consent_letter", "required", "The field is required."),
        WrongField("no.such.field", "unknown_field", "The field is not known here; remove it."),
    ]

    page = shown(fields, ProblemError(422, "invalid", "Not taken", "See the fields.", errors))

    [summary] = page.css(".govuk-error-summary")
    assert page.css(f"#{summary.attributes['aria-labelledby']}")
    links = {link.attributes["href"]: link.text() for link in summary.css("a")}
    assert links["#f-employment-contract_end-year"] == "Contract ends: The contract ends before it starts."
    assert all(len(page.css(str(href))) == 1 for href in list(links)[:3])
    assert "#f-destinations" in links
    assert "#f-employment-consent_letter-issuer" in links
    [end] = page.css("#f-employment-contract_end-wrong")
    assert end.text().split(" ", 1)[1].strip() == "The contract ends before it starts."
    [box] = page.css("#f-employment-contract_end-year")
    assert box.attributes["value"] == "2030"
    assert page.css("head > title")[0].text().startswith("Error: A form")


def test_each_field_has_a_label_and_each_description_is_there() -> None:
    for programme in PROGRAMMES.values():
        words = FormWords(programme.texts, Language.ZH_HANS)
        given = example_of(programme.form)
        fields = fields_of(programme.form, words, given=given)
        wrong = [WrongField(leaf.path, "required", "此项必填。") for each in fields for leaf in each.leaves()]
        page = shown(fields, ProblemError(422, "invalid", "", "", wrong))
        ids = [found.attributes["id"] for found in page.css("[id]")]
        assert len(ids) == len(set(ids)), sorted(each or "" for each in ids if ids.count(each) > 1)
        labelled = {label.attributes["for"] for label in page.css("label")}
        for control in page.css("main input:not([type=hidden]), main select, main textarea"):
            assert control.attributes["id"] in labelled
        for described in page.css("[aria-describedby]"):
            assert set((described.attributes["aria-describedby"] or "").split()) <= set(ids)


def test_rows_come_and_go_by_buttons_and_keep_what_was_typed() -> None:
    given = example_of(AppraisalRequest)
    page = shown(fields_of(AppraisalRequest, APPRAISAL, given=given))

    more = read_form(AppraisalRequest, APPRAISAL, sent(page, **{"_add": "evidence", "_add_for.evidence": "award"}))
    assert not more.is_sent
    assert more.body["evidence"] == [*given["evidence"], {"item": "award"}]

    page = shown(fields_of(AppraisalRequest, APPRAISAL, given=more.body))
    assert page.css("[name='evidence[1].value.name']")
    typed = {"evidence[1].value.name": "A prize", "evidence[1].value.given_on.year": "2020"}
    fewer = read_form(AppraisalRequest, APPRAISAL, sent(page, **typed, _remove="evidence[0]"))
    assert not fewer.is_sent
    assert fewer.body["evidence"] == [{"item": "award", "value": {"name": "A prize", "given_on": "2020--"}}]
    assert fewer.body["person"] == {**given["person"], "language": "zh-Hant"}


def test_a_form_asks_only_what_is_to_be_mended() -> None:
    fields = fields_of(RegistrationRequest, PERMIT, only=["person.name_en", "employment.consent_letter"])

    assert [leaf.path for each in fields for leaf in each.leaves()] == [
        "person.name_en",
        "employment.consent_letter.issuer",
        "employment.consent_letter.number",
        "employment.consent_letter.date",
    ]


def test_a_correction_sends_what_differs_and_null_for_what_was_emptied() -> None:
    known = example_of(RegistrationRequest)
    fields = fields_of(CorrectionRequest, PERMIT, given=known)
    letter = {"issuer": "示例局", "number": "1", "date": "2025-10-20"}
    typed = {
        **known,
        "person": {**known["person"], "email": "new@example.com"},
        "employment": {**known["employment"], "consent_letter": letter},
    }
    del typed["person"]["phone"]

    asked = changes(fields, known, typed)

    assert asked == {
        "person": {"email": "new@example.com", "phone": None},
        "employment": {"consent_letter": letter},
    }
    CorrectionRequest.model_validate(asked)
    assert changes(fields, known, known) == {}


def test_nothing_is_marked_as_optional_where_everything_is() -> None:
    marked = [leaf for each in fields_of(CorrectionRequest, PERMIT) for leaf in each.leaves() if leaf.is_marked]
    assert marked == []
    asked = fields_of(RegistrationRequest, PERMIT, only=["person"])
    assert {leaf.path for leaf in asked[0].leaves() if leaf.is_marked} == {
        "person.name_en",
        "person.permit_card_number",
        "person.permit_card_valid_until",
        "person.email",
        "person.phone",
    }


def test_what_has_a_value_of_its_own_stands_there_already() -> None:
    fields = fields_of(RegistrationRequest, PERMIT, only=["undertaking_version"])
    assert [(each.kind, each.value) for each in fields] == [(Kind.FIXED, UNDERTAKING_VERSION)]
    page = shown(fields_of(AppraisalRequest, APPRAISAL, only=["person.language"]))
    assert sent(page)["person.language"] == "zh-Hant"
    assert [label.text() for label in page.css("main label")] == ["简体中文", "繁體中文", "English"]


def test_a_single_choice_is_not_asked() -> None:
    offered = {"person.document.kind": ("passport",)}
    fields = fields_of(WorkPermitRequest, WORK, only=["person.document"], offered=offered)

    page = shown(fields)

    assert sent(page)["person.document.kind"] == "passport"
    [kind] = page.css("[name='person.document.kind']")
    assert kind.attributes["type"] == "hidden"


def test_the_value_of_a_fact_and_of_evidence_has_the_field_of_its_type() -> None:
    day = field_at(RegistrationRequest, "employment.contract_end", PERMIT, name="value", given="2030-06-30")
    assert (day.kind, day.path, day.label, day.value) == (Kind.DAY, "value", "Contract ends", ("2030", "06", "30"))
    letter = field_at(RegistrationRequest, "employment.consent_letter", PERMIT, name="value")
    assert [part.path for part in letter.parts] == ["value.issuer", "value.number", "value.date"]
    assert letter.parts[0].label == "Issued by"
    degree = value_field(AppraisalEvidence, "education", APPRAISAL)
    assert degree is not None
    assert degree.kind is Kind.ONE
    assert value_field(AppraisalEvidence, "listed_school", APPRAISAL) is None


def test_a_fact_is_chosen_by_what_its_field_is_called() -> None:
    [chosen] = fields_of(FactRequest, PERMIT, only=["field"])
    assert ("employment.work_site", "Place of work") in {(each.value, each.words) for each in chosen.options}


def test_a_refusal_without_fields_stays_as_it_is() -> None:
    problem = ProblemError(409, "wrong_stage", "Not now", "The case is with an officer.")
    assert placed(problem, ()) is problem
    assert placed(None, ()) is None


def _models(programme: Programme) -> Iterator[type[BaseModel]]:
    yield programme.form
    yield programme.form.corrections
    if programme.changing is not None:
        yield programme.changing.asks
        if programme.changing.own is not None:
            yield programme.changing.own
    if programme.renewal is not None:
        yield programme.renewal.asks
    yield from (question.body for question in programme.questions)
    for command in programme.commands.values():
        if command.body is not None:
            yield command.body
        if command.own is not None:
            yield command.own.body


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("programme", PROGRAMMES.values(), ids=lambda each: each.code)
def test_every_field_and_choice_of_every_body_has_words(programme: Programme, language: Language) -> None:
    words = FormWords(programme.texts, language)
    unnamed = set()
    for model in dict.fromkeys(_models(programme)):
        items = programme.evidence.of.kinds_of("item") if programme.evidence is not None else ()
        given = {"evidence": [{"item": one} for one in items]}

        def item(at: re.Match[str], items: Sequence[str] = items) -> str:
            return items[int(at[1])]

        for each in fields_of(model, words, given=given):
            for field in (each, *each.leaves()):
                plain = re.sub(r"\[[0-9]+\]", "", re.sub(r"^evidence\[([0-9]+)\].value$", item, field.path))
                if words.label(plain) is None and not plain.endswith("value"):
                    unnamed.add(f"{model.__name__}: {plain}")
                unnamed |= {f"{plain}={one.value}" for one in field.options if words.word(plain, one.value) is None}
    assert not unnamed, sorted(unnamed)
