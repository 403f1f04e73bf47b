"""Every published code has its sentence in all three languages."""

import re
from pathlib import Path

import pytest

import cases.files
import register
from cases.case.reads import opened_fields
from domain import folding, roster
from domain.actors import Role
from domain.erasure import HoldReason
from domain.errors import PROBLEM_STATUS
from domain.field_errors import FieldCode
from domain.findings import Audience, Finding, FindingOutcome
from domain.languages import Language
from domain.notices import Channel, DeliveryStatus, Recipient
from domain.purposes import Purpose
from domain.renewals import RenewalProposal
from domain.stages import DueKind, Holder, PendingAct, Stage
from domain.webhooks import ReceiptStatus
from programmes.talent_permit.findings import FindingCode
from programmes.talent_permit.permit_stages import Destination, PermitStage
from programmes.talent_permit.requests import RegistrationRequest
from programmes.talent_permit.words import PermitProposal
from record import history
from record.history import Kind
from record.reconciliation import counterparts, differences, signed_words, vouching
from record.seal import differences as seal_differences
from tests.programmes.badge.programme import BADGE
from tests.programmes.declared import DECLARED
from tests.programmes.declared import WORDS as WORDS_OF_ALL
from tests.register.rosters.reading import COLUMNS
from texts.catalogue import Sentence
from texts.findings import FINDINGS, finding_sentence
from texts.incidents import INCIDENTS
from texts.person import GROUPS as PERSON
from texts.problems import (
    FIELD_ERRORS,
    FILES,
    PARTICULARS,
    PROBLEMS,
    REFUSALS,
    field_message,
    problem_detail,
    problem_title,
)
from texts.reasons import SENTENCES, published_reasons, reason_sentence
from texts.roster import ANNOTATIONS, RESULTS
from texts.story import GROUPS, WORDS, notice_name

# The outcomes that the rules can give, by code; a rule that passes, fails or asks has a sentence for it.
OUTCOMES = {
    FindingCode.EMPLOYER_KIND_NOT_LISTED: {"pass", "needs_person"},
    FindingCode.CONSENT_LETTER_MISSING: {"pass", "missing", "needs_person"},
    FindingCode.PERMIT_CARD_MISSING: {"pass", "needs_person"},
    FindingCode.PERMIT_CARD_ENDS_EARLY: {"pass", "fail", "missing", "needs_person"},
    FindingCode.AUTHORITY_TERM_DIFFERS: {"needs_person"},
}


@pytest.mark.parametrize("code", FindingCode)
def test_every_finding_has_a_sentence_for_each_outcome_it_can_have(code: FindingCode) -> None:
    assert set(FINDINGS[code]) == OUTCOMES.get(code, {"pass", "fail", "needs_person"})


def test_a_refusal_names_every_use_of_a_reason() -> None:
    assert set(REFUSALS["uses"]) == set(WORDS_OF_ALL.uses)


def test_the_catalogues_hold_the_published_codes_and_no_others() -> None:
    assert set(FINDINGS) == {code for each in DECLARED.values() for code in each.rules.codes}
    assert set(SENTENCES) == set(WORDS_OF_ALL.reasons)
    assert set(PROBLEMS) == set(PROBLEM_STATUS)
    assert set(FIELD_ERRORS) == set(FieldCode)
    assert all(set(parts) == {"title", "detail"} for parts in PROBLEMS.values())


def _acts() -> set[str]:
    # The badge's texts come into the catalogue with its package, where another test declared it.
    return {str(act) for act in (*WORDS_OF_ALL.acts, *BADGE.words.acts)}


def test_the_story_has_a_sentence_for_each_act_event_and_wait() -> None:
    assert {code for code in GROUPS["acts"] if "." not in code} == _acts()
    assert {code.partition(".")[0] for code in GROUPS["acts"]} <= _acts()
    assert set(GROUPS["waits"]) == set(Holder)


def test_the_story_names_every_event_and_every_difference() -> None:
    assert set(GROUPS["events"]) == set(Kind)
    modules = (differences, vouching, signed_words, counterparts, seal_differences)
    code = "".join(Path(str(module.__file__)).read_text("utf-8") for module in modules)
    named = set(re.findall(r'Difference\(\s*"([a-z_]+)"', code))
    assert set(GROUPS["differences"]) == named


def test_the_printed_story_has_a_word_for_every_code_that_it_shows() -> None:
    assert set(WORDS["stages"]) == set(Stage)
    assert set(WORDS["permit_stages"]) == set(PermitStage)
    assert set(WORDS["roles"]) == set(Role)
    assert set(WORDS["recipients"]) == set(Recipient)
    assert set(WORDS["channels"]) == set(Channel)
    assert set(WORDS["deliveries"]) == set(DeliveryStatus) | set(ReceiptStatus)
    assert set(WORDS["tasks"]) == set(WORDS_OF_ALL.tasks)
    assert set(WORDS["holds"]) == {folding.OFFICER, folding.STANDING}
    of_cases = {str(act) for each in DECLARED.values() for act in each.signatures}
    assert set(WORDS["pending"]) == {*PendingAct, *PermitProposal, *RenewalProposal} | of_cases
    code = Path(str(history.__file__)).read_text("utf-8")
    assert {name for name in WORDS["facts"] if f'"{name}"' not in code} == set()
    # What payloads are read from is named the same way, and shown nowhere.
    assert set(re.findall(r'[{,] ?"([a-z_]+)": ', code)) - {"payloads"} <= set(WORDS["facts"])
    for programme in DECLARED.values():
        for kind in programme.words.notices:
            name = notice_name(kind, "HK", Language.EN, programme.texts)
            assert "{" not in name
            assert name != kind


def test_a_person_reads_every_stage_wait_role_and_purpose_in_words() -> None:
    hidden = {Stage.AWAITING_CONFIRMATION}  # shown as under review
    assert set(PERSON["stages"]) == set(Stage) - hidden
    assert set(PERSON["permit_stages"]) == set(PermitStage)
    assert set(PERSON["holders"]) == set(Holder)
    assert set(PERSON["due_kinds"]) == set(DueKind)
    assert set(PERSON["destinations"]) == set(Destination)
    assert set(PERSON["organisations"]) == set(Role)
    assert set(PERSON["holds"]) == set(HoldReason)
    assert set(PERSON["purposes"]) >= set(Purpose)
    assert set(PERSON["fields"]) >= set(opened_fields(RegistrationRequest)) | {"language"}


def every_sentence() -> list[Sentence]:
    """Return all sentences of the catalogues."""
    groups = [*FINDINGS.values(), *PROBLEMS.values(), SENTENCES, FIELD_ERRORS, *GROUPS.values(), *PERSON.values()]
    groups += [*INCIDENTS.values()]
    groups += [*WORDS.values(), PARTICULARS, ANNOTATIONS, RESULTS]
    of_columns = [sentence for column in COLUMNS.values() for sentence in (column.header, column.help)]
    return [sentence for group in groups for sentence in group.values()] + of_columns


def test_why_a_file_is_not_taken_is_in_the_catalogue_and_everything_there_is_said() -> None:
    rooms = [Path(str(room.__file__)).parent for room in (cases.files, register)]
    code = "".join(path.read_text("utf-8") for room in rooms for path in sorted(room.rglob("*.py")))
    code += Path(str(roster.__file__)).read_text("utf-8")
    said = set(re.findall(r'file_refused\(\s*FieldCode\.[A-Z_]+,\s*"([a-z_]+)"', code))
    assert said <= set(FILES)
    assert {name for name in FILES if f'"{name}"' not in code} == set()


@pytest.mark.parametrize("sentence", every_sentence(), ids=lambda sentence: sentence.en[:40])
def test_a_sentence_is_in_the_script_of_its_language(sentence: Sentence) -> None:
    assert sentence.en.isascii() or "…" in sentence.en
    assert not sentence.zh_hans.isascii() or sentence.zh_hans == sentence.zh_hant
    for simplified, traditional in zip("号证请签错误为发", "號證請簽錯誤為發", strict=True):
        assert simplified not in sentence.zh_hant
        assert traditional not in sentence.zh_hans


@pytest.mark.parametrize("language", Language)
def test_sentences_are_found_by_code_and_language(language: Language) -> None:
    finding = Finding(
        code=FindingCode.CONSENT_LETTER_MISSING,
        outcome=FindingOutcome.MISSING,
        source="S15",
        audience=Audience.EMPLOYER,
    )
    said = {
        finding_sentence(finding, language),
        reason_sentence("resigned", language),
        problem_title("not_found", language),
        problem_detail("not_found", language),
        field_message("check_digit", language),
    }
    assert len(said) == 5


def test_an_unknown_code_has_no_sentence() -> None:
    with pytest.raises(KeyError, match="unheard_of"):
        reason_sentence("unheard_of", Language.EN)


def test_the_published_reasons_say_what_each_is_for_and_how_it_stands() -> None:
    reasons = {reason["code"]: reason for reason in published_reasons(WORDS_OF_ALL)}
    assert set(reasons) == set(WORDS_OF_ALL.reasons)
    assert reasons["permit_card_ends_early"]["uses"] == ["R", "W"]
    assert reasons["identity_number_wrong"]["standing"] == {"F": "unconfirmed", "R": "confirmed"}
    assert all(set(reason["sentences"]) == set(Language) for reason in reasons.values())  # type: ignore[call-overload]
