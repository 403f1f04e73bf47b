"""Documents of persons: forms and check digits at their edges; numbers are made up or published specimens."""

import pytest

from domain.documents import DocumentError, DocumentKind, document_of_identity_number, parse_document
from domain.masks import mask_document_number

K = DocumentKind
RESIDENT, RESIDENCE = "44030419900307123X", "810000199408230021"
PERMANENT, OLD_PERMANENT = "911840199001010018", "CAN110058033001"


@pytest.mark.parametrize(
    ("kind", "given", "number", "issue"),
    [
        (K.RESIDENT_IDENTITY_CARD, " 440304 19900307 123x ", RESIDENT, None),
        (K.RESIDENCE_PERMIT, RESIDENCE, RESIDENCE, None),
        (K.PERMANENT_RESIDENCE_CARD, PERMANENT, PERMANENT, None),
        (K.PERMANENT_RESIDENCE_CARD, OLD_PERMANENT.lower(), OLD_PERMANENT, None),
        (K.HK_IDENTITY_CARD, "A123456(3)", "A1234563", None),
        (K.HK_IDENTITY_CARD, "a123456(3)", "A1234563", None),
        (K.HK_IDENTITY_CARD, "AB123456(9)", "AB1234569", None),  # two letters, where A = 1 without 36 goes wrong
        (K.HK_IDENTITY_CARD, "G123456A", "G123456A", None),  # ten is A
        (K.MAINLAND_TRAVEL_PERMIT, "H12345678", "H12345678", None),
        (K.MAINLAND_TRAVEL_PERMIT, "M1234567802", "M12345678", "02"),
        (K.TAIWAN_TRAVEL_PERMIT, "12345678", "12345678", None),
        (K.TAIWAN_TRAVEL_PERMIT, "1234567805(B)", "12345678", "05"),
        (K.TAIWAN_TRAVEL_PERMIT, "1234567805", "12345678", "05"),
    ],
)
def test_a_right_number_is_read_in_the_form_that_is_compared(
    kind: DocumentKind, given: str, number: str, issue: str | None
) -> None:
    read = parse_document(kind.value, given)
    assert (read.kind, read.number, read.issue, read.is_confirmed) == (kind, number, issue, True)


@pytest.mark.parametrize(
    ("kind", "given", "place", "number"),
    [
        (K.MACAO_IDENTITY_CARD, "1/234567/8", None, "12345678"),
        (K.MACAO_IDENTITY_CARD, "5234567(8)", None, "52345678"),
        (K.MACAO_IDENTITY_CARD, "72345678", "MO", "72345678"),
        (K.MAINLAND_TRAVEL_PERMIT, "HA1234567", None, "HA1234567"),  # of a resident who is not Chinese, perhaps
        (K.PASSPORT, "e12345678", "CN", "E12345678"),
        (K.PASSPORT, "DE1234567", "cn", "DE1234567"),
    ],
)
def test_a_form_that_no_public_source_confirms_is_read_and_says_so(
    kind: DocumentKind, given: str, place: str | None, number: str
) -> None:
    read = parse_document(kind.value, given, place)
    assert (read.number, read.is_confirmed) == (number, False)


def test_a_passport_is_of_the_state_that_issued_it() -> None:
    theirs, others = (parse_document("passport", "l898902c3", place) for place in ("GB", "DE"))
    assert (theirs.number, theirs.is_confirmed) == ("L898902C3", True)
    assert theirs.looked_up_by == ("document", "passport/GB/L898902C3") != others.looked_up_by


@pytest.mark.parametrize(
    ("kind", "number", "place", "field", "code"),
    [
        ("identity_card", "A123456(3)", None, "kind", "unknown_value"),
        ("passport", "L898902C3", None, "place", "required"),
        ("passport", "L898902C3", "UTO", "place", "unknown_value"),
        ("hk_identity_card", "A123456(3)", "MO", "place", "unknown_value"),
        ("passport", "L898902C36", "GB", "number", "too_long"),
        ("passport", "L89890<", "GB", "number", "bad_characters"),
        ("passport", " ", "GB", "number", "required"),
        ("hk_identity_card", "A123456(4)", None, "number", "check_digit"),
        ("hk_identity_card", "A123465(3)", None, "number", "check_digit"),
        ("hk_identity_card", "ABC123456(3)", None, "number", "bad_characters"),
        ("hk_identity_card", "B765432(1", None, "number", "bad_characters"),
        ("hk_identity_card", "A123456(B)", None, "number", "bad_characters"),
        ("macao_identity_card", "2234567(8)", None, "number", "bad_characters"),
        ("macao_identity_card", "1/23456/8", None, "number", "bad_characters"),
        ("mainland_travel_permit", "C12345678", None, "number", "bad_characters"),  # a permit of the other direction
        ("mainland_travel_permit", "H1234567", None, "number", "bad_characters"),
        ("mainland_travel_permit", "H123456789", None, "number", "bad_characters"),
        ("taiwan_travel_permit", "1234567", None, "number", "bad_characters"),
        ("permanent_residence_card", "CAN11005803300", None, "number", "bad_characters"),
        ("permanent_residence_card", "911840199001010019", None, "number", "check_digit"),
        ("permanent_residence_card", RESIDENT, None, "kind", "unknown_value"),
        ("resident_identity_card", RESIDENCE, None, "kind", "unknown_value"),
        ("residence_permit", RESIDENT, None, "kind", "unknown_value"),
        ("resident_identity_card", "440304199003071239", None, "number", "check_digit"),
        ("resident_identity_card", "130503670401001", None, "number", "check_digit"),
        ("resident_identity_card", "1" * 41, None, "number", "too_long"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do_and_without_the_number(
    kind: str, number: str, place: str | None, field: str, code: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(kind, number, place)
    error = caught.value.field_error
    assert (error.field, error.code) == (field, code)
    assert error.message.endswith(".")
    said = f"{error} {caught.value!r} {caught.value.__context__!r}"
    assert not number.strip() or number not in said


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (RESIDENT, K.RESIDENT_IDENTITY_CARD),
        (RESIDENCE, K.RESIDENCE_PERMIT),
        (PERMANENT, K.PERMANENT_RESIDENCE_CARD),
    ],
)
def test_a_number_of_eighteen_says_its_kind_and_is_looked_up_as_it_always_was(number: str, kind: DocumentKind) -> None:
    document = document_of_identity_number(number)
    assert (document.kind, document.looked_up_by) == (kind, ("identity", number))


def test_no_trace_shows_the_number() -> None:
    assert "A1234563" not in repr(parse_document("hk_identity_card", "A123456(3)"))


@pytest.mark.parametrize(
    ("kind", "number", "shown"),
    [
        (K.RESIDENT_IDENTITY_CARD, RESIDENT, "4403**********123X"),
        (K.PERMANENT_RESIDENCE_CARD, PERMANENT, "9*************0018"),
        (K.PERMANENT_RESIDENCE_CARD, OLD_PERMANENT, "*************01"),
        (K.HK_IDENTITY_CARD, "A1234563", "A*****63"),
        (K.MACAO_IDENTITY_CARD, "12345678", "1*****78"),
        (K.MAINLAND_TRAVEL_PERMIT, "H12345678", "H******78"),
        (K.PASSPORT, "L898902C3", "*******C3"),
        (K.PASSPORT, "A12", "***"),
    ],
)
def test_a_number_is_shown_by_its_ends(kind: DocumentKind, number: str, shown: str) -> None:
    assert mask_document_number(kind, number) == shown
