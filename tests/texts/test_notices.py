"""Every notice renders for every reader, channel and language, and gives away nothing where others read along."""

import json
import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest
import yaml
from opencc import OpenCC

from cases.programme import Programme
from domain.errors import Defect as DefectError
from domain.evidence import EVIDENCE_WORDS
from domain.languages import Language
from domain.notices import Channel, NoticeKind, Recipient, StatedDate, when_undelivered
from domain.stages import DueKind, PendingAct, Stage
from domain.words import CORE_WORDS
from programmes.talent_permit.notices import PermitDate, PermitNotice
from programmes.talent_permit.permit_stages import Destination
from programmes.talent_permit.programme import TALENT_PERMIT
from tests.programmes.declared import DECLARED
from tests.programmes.declared import WORDS as WORDS_OF_ALL
from tests.programmes.samples import SAMPLES
from tests.programmes.toy.programme import TOY
from tests.texts.facts import FACTS, FACTS_OF, PERSONAL, REFERENCE, SPOKEN, readers_of, say
from tests.texts.needed import NEEDED, OF_CORE, OWN, words_for
from tests.texts.said import FILE as SAID
from tests.texts.said import said
from texts.notices import NoticeFacts, Remedy, Rendered, render, render_digest, render_together, text_hash
from texts.notices.catalogue import FOLDER, ROOMS, SHARED, kinds

FOLDERS = (FOLDER, *(Path(str(files(each.texts))) / "texts" / "notices" for each in DECLARED.values()))
PLANS = WORDS_OF_ALL.notices

STATED: dict[str, tuple[date, ...]] = {
    StatedDate.PARK_DECISION_DUE: (date(2026, 2, 24),),
    StatedDate.CORRECTION_DUE: (date(2026, 2, 24),),
    StatedDate.ANSWER_DUE: (date(2026, 2, 24),),
    StatedDate.MISSED_AND_EXPECTED: (date(2026, 3, 3), date(2026, 3, 4)),
    StatedDate.OLD_AND_NEW: (date(2026, 3, 5), date(2026, 3, 6)),
    PermitDate.LAST_DAY: (date(2026, 3, 7),),
    PermitDate.ENDED_ON: (date(2026, 3, 8),),
    PermitDate.CONTRACT_END: (date(2026, 3, 9),),
    StatedDate.FROM_WHEN: (date(2026, 3, 10),),
    PermitDate.AUTHORITY_ANSWER_EXPECTED: (date(2026, 3, 11),),
    PermitDate.VALID_FROM_AND_UNTIL: (date(2026, 3, 12), date(2029, 3, 11)),
    PermitDate.VALID_UNTIL: (date(2029, 3, 11),),
    PermitDate.REVOKED_ON: (date(2026, 3, 13),),
    StatedDate.REVIEW_ON: (date(2026, 3, 14),),
    # No day: which remedy there is, and since how many days, other tests look for.
    StatedDate.REMEDY: (),
    StatedDate.DAYS_OVER: (),
}
STATED |= {str(kind): days for sample in SAMPLES.values() for kind, days in sample.stated.items()}
every = pytest.mark.parametrize(("code", "kind"), SPOKEN)


def written(day: date, language: Language) -> str:
    """Return the date as a reader of the language expects it, without its weekday."""
    return f"{day:%-d %B %Y}" if language is Language.EN else f"{day.year}年{day.month}月{day.day}日"


def everything(rendered: Rendered) -> str:
    """Return all that a reader gets."""
    return f"{rendered.subject}\n{rendered.text}\n{rendered.html or ''}"


@every
def test_every_notice_renders_without_a_gap(code: str, kind: str) -> None:
    for recipient, channel, language in readers_of(code, kind):
        rendered = say(code, kind, recipient, channel, language)
        assert rendered.subject
        assert "\n" not in rendered.subject
        assert rendered.text
        assert (rendered.html is not None) == (channel is Channel.MAIL)
        for gap in ("{{", "{%", "None", "Undefined", "Destination.", "Role.", "Workshop."):
            assert gap not in everything(rendered)


@every
def test_nothing_personal_stands_where_others_read_along(code: str, kind: str) -> None:
    for recipient, channel, language in readers_of(code, kind):
        rendered = say(code, kind, recipient, channel, language)
        # What is in the inbox of the proposer alone says why the second signature was not given.
        is_alone = channel is Channel.MAIL or (channel is Channel.INBOX and recipient is Recipient.PROPOSER)
        seen = rendered.subject if is_alone else f"{rendered.subject}\n{rendered.text}"
        for words in PERSONAL.values():
            assert words not in seen


@pytest.mark.parametrize("code", DECLARED)
def test_an_sms_says_the_same_whatever_happened(code: str) -> None:
    for language in Language:
        texts = {
            say(code, kind, recipient, channel, each).text
            for kind in DECLARED[code].words.notices
            for recipient, channel, each in readers_of(code, kind)
            if channel is Channel.SMS and each is language and kind != NoticeKind.SIGN_IN_LINK
        }
        assert len(texts) == 1
        text = texts.pop()
        assert REFERENCE in text
        assert len(text) <= (160 if language is Language.EN else 70)  # one message of GSM-7 or UCS-2


@pytest.mark.parametrize("code", DECLARED)
def test_the_sms_to_sign_in_with_holds_the_link_and_nothing_personal(code: str) -> None:
    for language in Language:
        text = say(code, NoticeKind.SIGN_IN_LINK, Recipient.PERSON, Channel.SMS, language).text
        assert FACTS.link is not None
        assert text.endswith(FACTS.link)
        assert not [words for words in PERSONAL.values() if words in text]


# What of the talent permit's no reader of another programme is to be told of.
OF_THE_PERMIT = {
    Language.ZH_HANS: "备案|签注|出入境|公安|人才|名单|往来港澳|香港|澳门",
    Language.ZH_HANT: "備案|簽注|出入境|公安|人才|名單|往來港澳|香港|澳門",
    Language.EN: "register|registration|permit|exit-entry|public security|talent|list entr|Hong Kong|Macao",
}


@pytest.mark.parametrize("kind", TOY.words.notices)
def test_no_reader_of_another_programme_reads_a_word_of_the_permit(kind: str) -> None:
    for recipient, channel, language in readers_of(TOY.code, kind):
        facts = FACTS_OF[TOY.code].model_copy(
            update={"rule_version": "toy/2025-01-01", "registration_number": "TY-2026-1", "fact_field": "toy"}
        )
        # What the Zone is called, in which the Park lies.
        text = everything(say(TOY.code, kind, recipient, channel, language, facts))
        for name in SHARED.sender.values():
            text = text.replace(name, "")
        if channel is Channel.WEBHOOK:  # whose kinds and names are published for every programme
            continue
        assert re.findall(OF_THE_PERMIT[language], text, re.IGNORECASE) == [], (recipient, channel, language)


def test_a_room_says_a_notice_of_the_core_in_its_own_way_and_leaves_others_to_it() -> None:
    kinds = (NoticeKind.REGISTRATION_APPROVED, NoticeKind.REGISTRATION_WITHDRAWN)
    for language, own in {Language.EN: "toy", Language.ZH_HANS: "玩具", Language.ZH_HANT: "玩具"}.items():
        texts = [say(TOY.code, kind, Recipient.PERSON, Channel.MAIL, language).text for kind in kinds]
        assert all(own in text for text in texts)
    approved, withdrawn = kinds
    assert approved in ROOMS[TOY.texts].entries
    assert withdrawn not in ROOMS[TOY.texts].entries
    assert "Your toy is to be made" in say(TOY.code, approved, Recipient.PERSON, Channel.MAIL, Language.EN).text
    taken_back = say(TOY.code, withdrawn, Recipient.PERSON, Channel.MAIL, Language.EN)
    assert "has withdrawn its application for you" in taken_back.text
    assert taken_back.subject == f"News on toy {REFERENCE}"


@pytest.mark.parametrize("code", DECLARED)
def test_a_programme_says_what_becomes_of_personal_information(code: str) -> None:
    """A notice has to say it of this very processing, and the core cannot know (design, what people are told)."""
    own = ROOMS[DECLARED[code].texts].own.personal
    assert set(own) == set(SHARED.personal)
    for language in Language:
        text = say(code, NoticeKind.REGISTRATION_RECEIVED, Recipient.PERSON, Channel.MAIL, language).text
        assert [each for each in own.values() if each[language] not in text] == []


@pytest.mark.parametrize("code", DECLARED)
def test_a_room_names_every_act_that_can_be_proposed_in_it(code: str) -> None:
    proposed = {PendingAct.REFUSE, PendingAct.APPROVE, *DECLARED[code].signatures}
    assert proposed <= set(ROOMS[DECLARED[code].texts].words[Language.EN]["acts"])


def test_what_concerns_all_cases_of_an_employer_each_programme_says_once() -> None:
    kind, rooms = NoticeKind.EMPLOYER_SUSPENDED, [TALENT_PERMIT.texts, TOY.texts]
    facts = FACTS.model_copy(update={"handed_kind": None})
    alone = [render(kind, Recipient.EMPLOYER, Channel.MAIL, Language.EN, facts, each=[room]).text for room in rooms]
    both = render(kind, Recipient.EMPLOYER, Channel.MAIL, Language.EN, facts, each=[*rooms, rooms[0]]).text
    said = "Approved registrations and permits already issued", "What has been approved is not affected"
    assert [[words in text for words in said] for text in alone] == [[True, False], [False, True]]
    assert [both.count(words) for words in said] == [1, 1]
    kind = NoticeKind.EMPLOYER_REINSTATED
    both = render(kind, Recipient.EMPLOYER, Channel.MAIL, Language.ZH_HANS, facts, each=rooms).text
    assert "可以重新提交备案申请、玩具申请，" in both


READ_BY_PEOPLE = [
    (code, kind, recipient, channel, language)
    for code, kind in SPOKEN
    for recipient, channel, language in readers_of(code, kind)
    if channel in DECLARED[code].words.notices[kind].recipients[recipient].at_once
    and channel in (Channel.MAIL, Channel.INBOX)
]


@pytest.mark.parametrize("code", DECLARED)
def test_every_reader_of_every_kind_of_a_programme_has_words_to_look_for(code: str) -> None:
    """What is missing or left over goes into `needed_words/<code>.yaml` of the programme."""
    told = {str(kind): {str(each) for each in plan.recipients} for kind, plan in DECLARED[code].words.notices.items()}
    assert [kind for kind, readers in told.items() if readers - set(NEEDED[code].get(kind, {}))] == []
    assert [kind for kind, readers in OWN[code].items() if set(readers) - told.get(kind, set())] == []


def test_the_words_that_any_programme_needs_are_of_kinds_of_the_core() -> None:
    assert set(OF_CORE) <= {*map(str, (CORE_WORDS | EVIDENCE_WORDS).notices)}


@pytest.mark.parametrize(("code", "kind", "recipient", "channel", "language"), READ_BY_PEOPLE)
def test_a_reader_finds_what_happened_what_to_do_and_by_when(
    code: str, kind: str, recipient: Recipient, channel: Channel, language: Language
) -> None:
    facts = FACTS_OF[code].model_copy(update={"due_kind": DueKind.CORRECTION})
    text = say(code, kind, recipient, channel, language, facts).text
    assert [words for words in words_for(code, kind, recipient, language) if words not in text] == []
    stated = DECLARED[code].words.notices[kind].states.get(recipient)
    for day in STATED[stated] if stated else ():
        assert written(day, language) in text


def _codes_of(programme: Programme) -> Iterator[str]:
    """Yield what is a programme's own and no word for people."""
    yield from programme.form.paths()
    yield from programme.signatures
    yield from programme.rules.codes
    for track in programme.tracks.values():
        yield from track.stages


def _with_codes(code: str, kind: str) -> list[NoticeFacts]:
    """Return facts with every code that a notice of a kind can carry."""
    bare = FACTS_OF[code].model_copy(update={"rule_version": "2025-11-05"})
    if code == TALENT_PERMIT.code:
        bare = bare.model_copy(update={"authority_reason": None})
    acts = {PendingAct.REFUSE, PendingAct.APPROVE, *DECLARED[code].signatures}
    varied: list[dict[str, object]] = [{"pending_act": act} for act in acts]
    varied += [{"due_kind": due} for due in DueKind]
    if kind in (PermitNotice.REGISTRATION_ENDED, PermitNotice.PERMIT_CLOSED, PermitNotice.DEPARTURE_RECORDED):
        varied += [{"end_reason": reason} for reason in WORDS_OF_ALL.reasons]
    if kind is NoticeKind.HAND_OVER_REQUESTED:
        varied += [{"handed_kind": each} for each in DECLARED[code].words.notices]
    return [bare.model_copy(update=each) for each in varied]


CODES = {
    *WORDS_OF_ALL.reasons,
    *PLANS,
    *Stage,
    *DueKind,
    *PendingAct,
    *(code for each in DECLARED.values() for code in _codes_of(each)),
}
CODE = re.compile(r"(?<![\w./-])(" + "|".join(sorted(map(re.escape, CODES), key=len, reverse=True)) + r")(?![\w-])")
# Codes that are English words as well stand in English sentences.
WORDS = {code for code in CODES if "_" not in code and "." not in code}


@every
def test_no_text_for_people_has_a_raw_code(code: str, kind: str) -> None:
    for recipient, channel, language in readers_of(code, kind):
        for facts in _with_codes(code, kind) if channel is not Channel.WEBHOOK else ():
            rendered = say(code, kind, recipient, channel, language, facts)
            found = set(CODE.findall(f"{rendered.subject}\n{rendered.text}"))
            assert found <= (WORDS if language is Language.EN else set())


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for code, kind in SPOKEN if DECLARED[code].words.notices[kind].is_letter]
)
@pytest.mark.parametrize("recipient", [Recipient.EMPLOYER, Recipient.PERSON])
def test_a_letter_carries_decider_reasons_version_and_an_unconfirmed_remedy(
    code: str, kind: str, recipient: Recipient, language: Language
) -> None:
    if recipient not in DECLARED[code].words.notices[kind].recipients:
        return  # of a case that a person owns no letter goes to an employer
    letter = say(code, kind, recipient, Channel.MAIL, language)
    assert letter.html is not None
    mark = SHARED.mark_label[language]
    for part in ("sentence-words", "60", "talent_permit/2025-11-05", mark):
        assert part in letter.text
        assert part in letter.html
    assert PERSONAL["note"] in letter.text
    assert written(date(2026, 3, 15), language) in letter.text
    role = {Language.EN: "supervisor of the Park", Language.ZH_HANS: "园区主管人员", Language.ZH_HANT: "園區主管人員"}
    assert role[language] in letter.text
    confirmed = FACTS_OF[code].model_copy(
        update={"remedy": Remedy(reconsideration_days=60, lawsuit_months=6, is_confirmed=True), "objection": None}
    )
    assert mark not in say(code, kind, recipient, Channel.MAIL, language, confirmed).text


def test_only_the_person_reads_why_the_authority_refused() -> None:
    for kind in (PermitNotice.PERMIT_REFUSED, PermitNotice.PERMIT_REVOKED):
        for language in Language:
            to_person = _permit(kind, Recipient.PERSON, language)
            to_employer = _permit(kind, Recipient.EMPLOYER, language)
            assert "authority-words" in to_person.text
            assert "authority-words" not in everything(to_employer)
            assert "remedy-words" not in everything(to_employer)


def _permit(kind: str, recipient: Recipient, language: Language, facts: NoticeFacts = FACTS) -> Rendered:
    """Return the mail of a notice of a talent permit."""
    return say(TALENT_PERMIT.code, kind, recipient, Channel.MAIL, language, facts)


@pytest.mark.parametrize("code", DECLARED)
def test_the_privacy_notice_goes_to_the_person_alone(code: str) -> None:
    title = {
        Language.ZH_HANS: "个人信息处理告知书",
        Language.ZH_HANT: "收集個人資料聲明",
        Language.EN: "Notice of processing of personal information",
    }
    kind = NoticeKind.REGISTRATION_RECEIVED
    for language in Language:
        assert title[language] in say(code, kind, Recipient.PERSON, Channel.MAIL, language).text
        assert title[language] not in say(code, kind, Recipient.EMPLOYER, Channel.MAIL, language).text


class Outline(HTMLParser):
    """Collects the tags of a mail."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_html_escapes_what_people_wrote() -> None:
    html = _permit(NoticeKind.REGISTRATION_REFUSED, Recipient.PERSON, Language.EN, FACTS).html
    assert html is not None
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html


def test_html_names_its_language_and_has_one_first_heading() -> None:
    for language in Language:
        html = _permit(NoticeKind.REGISTRATION_APPROVED, Recipient.PERSON, language, FACTS).html
        outline = Outline()
        outline.feed(html or "")
        assert ("html", {"lang": language.value}) in outline.tags
        assert [tag for tag, _ in outline.tags].count("h1") == 1
        assert any(tag == "a" and attributes.get("href") == FACTS.link for tag, attributes in outline.tags)


def test_a_webhook_holds_codes_and_the_reference_only() -> None:
    rendered = say(TALENT_PERMIT.code, PermitNotice.PERMIT_ISSUED, Recipient.EMPLOYER, Channel.WEBHOOK, Language.EN)
    assert json.loads(rendered.text) == {
        "type": "permit_issued",
        "timestamp": "2026-02-10T09:30:00+08:00",
        "data": {
            "reference": "7K3M9Q2X-4",
            "registration_number": "HR-2026-000123-P",
            "employer_id": "emp-a",
            "destination": "HK",
            "stage": "under_review",
            "permit_stage": "issued",
            "round": 2,
            "open_points": [{"code": "name_differs", "field": "person.name_zh", "fields": ["person.name_zh"]}],
            "reasons": [{"code": "not_employed_there", "field": None, "fields": []}],
            "end_reason": "contract_ended",
            "due_on": "2026-02-24",
            "handed_kind": "permit_issued",
            "fields": ["contract_end", "email"],
        },
    }
    assert rendered.text == json.dumps(
        json.loads(rendered.text), ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )


def test_a_missing_fact_is_a_defect_and_not_a_gap() -> None:
    facts = FACTS.model_copy(update={"valid_until": None})
    with pytest.raises(DefectError):
        _permit(PermitNotice.PERMIT_ISSUED, Recipient.PERSON, Language.EN, facts)


def test_a_digest_holds_each_notice_of_the_day() -> None:
    notices = [
        (NoticeKind.REGISTRATION_RECEIVED, FACTS, TALENT_PERMIT.texts),
        (PermitNotice.PERMIT_ISSUED, FACTS, TALENT_PERMIT.texts),
        (NoticeKind.REGISTRATION_WITHDRAWN, FACTS_OF["toy"], TOY.texts),
    ]
    digest = render_digest(Recipient.EMPLOYER, Language.EN, notices)
    assert "The application for registration has been received" in digest.text
    assert "The talent permit for Hong Kong has been issued" in digest.text
    assert "Your application for " in digest.text
    assert REFERENCE not in digest.subject


def test_what_is_alike_for_both_destinations_is_said_once_in_each_language() -> None:
    both = [(PermitNotice.PERMIT_SUBMITTED, FACTS.model_copy(update={"destination": each})) for each in Destination]
    names = {Language.ZH_HANS: "香港、澳门", Language.ZH_HANT: "香港、澳門", Language.EN: "Hong Kong and Macao"}
    for language, places in names.items():
        mail = render_together(Recipient.PERSON, language, both, TALENT_PERMIT.texts)
        alone = _permit(PermitNotice.PERMIT_SUBMITTED, Recipient.PERSON, language, FACTS)
        assert places in mail.subject
        assert places in mail.text
        assert len(mail.text) < len(alone.text) + 40


def test_what_differs_between_destinations_is_said_of_each() -> None:
    other = FACTS.model_copy(update={"destination": Destination.MO, "valid_until": date(2028, 3, 11)})
    kind = PermitNotice.PERMIT_ISSUED
    mail = render_together(Recipient.PERSON, Language.EN, [(kind, FACTS), (kind, other)], TALENT_PERMIT.texts)
    assert "2 notices" in mail.text
    for words in ("permit for Hong Kong has been issued", "permit for Macao has been issued", "11 March 2028"):
        assert words in mail.text
    assert "(Hong Kong and Macao)" in mail.subject


def test_a_handover_names_the_notice_that_could_not_be_delivered() -> None:
    text = _permit(NoticeKind.HAND_OVER_REQUESTED, Recipient.EMPLOYER, Language.EN, FACTS).text
    assert "Notice of the Park management: The talent permit for Hong Kong has been issued" in text


@every
def test_a_handover_says_what_the_person_would_have_read_and_not_what_is_theirs_alone(code: str, kind: str) -> None:
    asked, plan = NoticeKind.HAND_OVER_REQUESTED, DECLARED[code].words.notices[kind]
    hands_over = when_undelivered(plan, Recipient.PERSON).employer_hands_over
    for language in Language if hands_over and Recipient.PERSON in plan.recipients else ():
        facts = FACTS_OF[code].model_copy(update={"handed_kind": kind, "is_handed_whole": plan.is_handed_over_whole})
        text = say(code, asked, Recipient.EMPLOYER, Channel.MAIL, language, facts).text
        bare = facts.model_copy(update={"link": None})
        section = say(code, kind, Recipient.PERSON, Channel.MAIL, language, bare).text.split("\n\n")[2:-1]
        lines = [line.removeprefix("- ") for part in section for line in part.split("\n")]
        if plan.for_person_alone:
            assert not [line for line in lines if line in text]
        else:
            assert [line for line in lines if line not in text] == []
        assert PERSONAL["authority_reason"] not in text
        assert "remedy-words" not in text


def test_what_the_authority_said_is_in_the_kinds_that_are_for_the_person_alone() -> None:
    said = {
        kind
        for code, kind in SPOKEN
        if "authority_" in str(ROOMS[DECLARED[code].texts].entry(kind).bodies.get(Recipient.PERSON.value))
        and Recipient.PERSON in PLANS[kind].recipients
    }
    assert said == {kind for kind, plan in PLANS.items() if plan.for_person_alone}


def test_the_hash_changes_with_any_part_and_only_then() -> None:
    rendered = Rendered("subject", "text", "html")
    assert text_hash(rendered, "salt") == text_hash(Rendered("subject", "text", "html"), "salt")
    assert text_hash(rendered, "salt") != text_hash(rendered, "other")
    others = [Rendered("s", "text", "html"), Rendered("subject", "t", "html"), Rendered("subject", "text", None)]
    assert len({text_hash(each, "salt") for each in [rendered, *others]}) == 4


def test_every_text_stands_in_three_languages() -> None:
    def languages(node: object) -> None:
        if isinstance(node, dict):
            keys = set(node)
            if keys & set(Language):
                assert keys == set(Language)
                sizes = {len(part) for part in node.values() if isinstance(part, list)}
                assert len(sizes) <= 1
            for part in node.values():
                languages(part)
        if isinstance(node, list):
            for part in node:
                languages(part)

    for path in (path for folder in FOLDERS for path in folder.glob("*.yaml")):
        languages(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_every_template_file_belongs_to_a_kind() -> None:
    assert {path.stem for folder in FOLDERS for path in folder.glob("*.yaml")} == {*map(str, PLANS), "shared"}
    # Of a programme of the tests that is not declared here a kind is known where its own tests run in the process.
    assert kinds() - {"badge_asked"} == set(PLANS)


def test_simplified_and_traditional_texts_keep_to_their_script() -> None:
    """A character that its script writes otherwise betrays a text under the wrong language."""
    script = {Language.ZH_HANS: OpenCC("t2s"), Language.ZH_HANT: OpenCC("s2t")}
    for code, kind in SPOKEN:
        facts = FACTS_OF[code].model_copy(update={"person_name": "X", "employer_name": "Y"})
        for recipient, channel, language in readers_of(code, kind):
            if language in script and channel in (Channel.MAIL, Channel.INBOX):
                text = say(code, kind, recipient, channel, language, facts).text
                wrong = {char for char in text if script[language].convert(char) != char} - {"准"}  # 批准 in both
                assert not wrong, (code, kind, recipient, language)


def test_what_each_reader_gets_stays_as_it_is() -> None:
    """A text that is changed on purpose is taken anew by `python -m tests.texts.said`."""
    assert said() == json.loads(SAID.read_text("utf-8"))


def test_who_applied_without_an_employer_reads_of_none() -> None:
    kinds = (NoticeKind.REGISTRATION_LAPSED, NoticeKind.REGISTRATION_WITHDRAWN, NoticeKind.REGISTRATION_REFUSED)
    facts = FACTS_OF[TOY.code].model_copy(update={"employer_name": None})
    for kind, language in product(kinds, Language):
        text = everything(say(TOY.code, kind, Recipient.PERSON, Channel.MAIL, language, facts))
        assert re.findall("employer|用人单位|用人單位", text) == [], (kind, language)


@pytest.mark.parametrize(
    ("kind", "recipient", "channel", "language"),
    [each[1:] for each in READ_BY_PEOPLE if each[0] == "work_permit" and each[-1] is not Language.EN],
)
def test_a_work_permit_has_one_word_for_its_extension(
    kind: str, recipient: Recipient, channel: Channel, language: Language
) -> None:
    for renewal in (None, 1):
        facts = FACTS_OF["work_permit"].model_copy(update={"renewal": renewal})
        text = say("work_permit", kind, recipient, channel, language, facts).text
        assert "续期" not in text
        assert "續期" not in text
