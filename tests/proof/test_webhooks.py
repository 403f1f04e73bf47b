"""Signatures of Standard Webhooks: the published vector, both schemes, rotation, and every way to get one wrong."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from domain.errors import Defect, Refused
from proof.webhooks import key_pair_from, secret_from, sign, verify

# The vector that the specification's reference libraries are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = '{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

OTHER = secret_from(bytes(range(32)))
PRIVATE, PUBLIC = key_pair_from(bytes(range(32)))


def test_the_published_vector_comes_out() -> None:
    headers = sign(MESSAGE_ID, AT, BODY, [SECRET])
    assert headers == {"webhook-id": MESSAGE_ID, "webhook-timestamp": "1614265330", "webhook-signature": SIGNATURE}
    assert verify(headers, BODY.encode(), [SECRET], AT) == MESSAGE_ID


def test_the_published_library_accepts_what_we_sign() -> None:
    now = datetime.now(UTC)
    headers = sign(MESSAGE_ID, now, BODY, [SECRET])
    assert Webhook(SECRET).verify(BODY, headers) == {"test": 2432232314}


def test_the_offset_of_the_clock_does_not_matter() -> None:
    assert (
        sign(MESSAGE_ID, AT.astimezone(timezone(timedelta(hours=8))), BODY, [SECRET])["webhook-signature"] == SIGNATURE
    )


def test_an_ed25519_signature_is_over_id_time_and_body() -> None:
    headers = sign(MESSAGE_ID, AT, BODY, [PRIVATE])
    version, _, signature = headers["webhook-signature"].partition(",")
    assert version == "v1a"
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
    key.verify(base64.b64decode(signature), f"{MESSAGE_ID}.1614265330.{BODY}".encode())
    assert verify(headers, BODY.encode(), [PUBLIC], AT) == MESSAGE_ID


def test_a_private_key_may_be_the_seed_alone() -> None:
    seed = "whsk_" + base64.b64encode(bytes(range(32))).decode()
    assert sign(MESSAGE_ID, AT, BODY, [seed]) == sign(MESSAGE_ID, AT, BODY, [PRIVATE])


def test_old_and_new_key_both_pass_while_one_is_replaced() -> None:
    headers = sign(MESSAGE_ID, AT, BODY, [OTHER, SECRET, PRIVATE])
    assert len(headers["webhook-signature"].split(" ")) == 3
    for keys in ([SECRET], [OTHER], [PUBLIC], [OTHER, PUBLIC]):
        assert verify(headers, BODY.encode(), keys, AT) == MESSAGE_ID


def test_header_names_are_read_in_any_case() -> None:
    headers = {name.title(): value for name, value in sign(MESSAGE_ID, AT, BODY, [SECRET]).items()}
    assert verify(headers, BODY.encode(), [SECRET], AT) == MESSAGE_ID


@pytest.mark.parametrize(("signer", "checker"), [(SECRET, SECRET), (PRIVATE, PUBLIC)])
@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-id": "msg.1614265330"},
        {"webhook-id": "x" * 201},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": "1614265330.0"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "999999999999"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,!!!"},
        {"webhook-signature": "v1a,AAAA"},
        {"webhook-signature": SIGNATURE.replace("v1,", "v2,")},
        {"webhook-signature": "v1,é"},
    ],
)
def test_an_altered_header_is_refused(signer: str, checker: str, change: dict[str, str]) -> None:
    headers = sign(MESSAGE_ID, AT, BODY, [signer]) | change
    with pytest.raises(Refused) as refused:
        verify(headers, BODY.encode(), [checker], AT)
    assert (refused.value.code, refused.value.status) == ("signature_invalid", 401)


@pytest.mark.parametrize(("signer", "checker"), [(SECRET, SECRET), (PRIVATE, PUBLIC)])
@pytest.mark.parametrize("body", [b"", BODY.encode() + b" ", BODY.replace("2", "3").encode(), b"\xff\xfe"])
def test_an_altered_body_is_refused(signer: str, checker: str, body: bytes) -> None:
    with pytest.raises(Refused):
        verify(sign(MESSAGE_ID, AT, BODY, [signer]), body, [checker], AT)


@pytest.mark.parametrize(("seconds", "fits"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_a_message_is_taken_within_five_minutes_either_way(seconds: int, fits: bool) -> None:
    headers = sign(MESSAGE_ID, AT, BODY, [SECRET])
    now = AT + timedelta(seconds=seconds)
    if fits:
        assert verify(headers, BODY.encode(), [SECRET], now) == MESSAGE_ID
        return
    with pytest.raises(Refused):
        verify(headers, BODY.encode(), [SECRET], now)


def test_a_signature_of_another_key_or_scheme_is_refused() -> None:
    by_secret, by_key = sign(MESSAGE_ID, AT, BODY, [SECRET]), sign(MESSAGE_ID, AT, BODY, [PRIVATE])
    as_v1 = by_key | {"webhook-signature": by_key["webhook-signature"].replace("v1a,", "v1,")}
    for headers, keys in (
        (by_secret, [OTHER]),
        (by_secret, [PUBLIC]),
        (by_key, [SECRET]),
        (as_v1, [PUBLIC]),
        (by_key, []),
    ):
        with pytest.raises(Refused):
            verify(headers, BODY.encode(), keys, AT)


def test_missing_headers_are_refused() -> None:
    with pytest.raises(Refused):
        verify({}, BODY.encode(), [SECRET], AT)


@pytest.mark.parametrize("key", ["", "secret", "whsec_", "whsec_***", "whsk_AAAA", PUBLIC])
def test_a_malformed_key_is_our_defect(key: str) -> None:
    with pytest.raises(Defect):
        sign(MESSAGE_ID, AT, BODY, [key])


def test_a_short_secret_is_never_made() -> None:
    with pytest.raises(Defect):
        secret_from(bytes(23))
