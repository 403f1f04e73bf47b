"""Mails as bytes: read back by Python's own parser, for every kind of text, sender and relay."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from activities.mime import OutgoingMail, Writer

AT = datetime(2026, 2, 10, 1, 30, tzinfo=UTC)
LONG = "深港科技创新合作区河套深圳园区" * 6
SUBJECTS = ["备案 7K3M9Q2X-4：已收到申请", "Registration received", LONG]
TEXTS = [
    "尊敬的申请人：\n\n备案已受理。\n",
    "Dear applicant,\n\n.\nIt was received.\n",
    LONG * 40,
    "a" * 2000,
    "--=_d-1\n备",
]


def mail(**given: str) -> OutgoingMail:
    """Return a mail with some of it as given."""
    parts = {"to": "wang@lab.example", "subject": SUBJECTS[0], "text": TEXTS[0], "html": "<p>备案</p>"} | given
    return OutgoingMail.model_validate({"delivery_id": "d-1", "language": "zh-Hans", "at": AT} | parts)


def read(content: bytes) -> EmailMessage:
    """Return a mail as a reader's program sees it, after looking for what it would complain of."""
    message = message_from_bytes(content, _class=EmailMessage, policy=default)
    assert isinstance(message, EmailMessage)
    assert [defect for part in message.walk() for defect in part.defects] == []
    return message


def body(message: EmailMessage, subtype: str) -> str:
    """Return one shape of what a mail says, with the line ends of a text."""
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("takes_8bit", [True, False])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_mail_reads_as_it_was_written_and_fits_its_relay(subject: str, text: str, takes_8bit: bool) -> None:
    content = Writer("Park <no-reply@park.example>").write(mail(subject=subject, text=text), takes_8bit=takes_8bit)
    message = read(content)
    assert message["Subject"] == subject
    assert body(message, "plain").rstrip("\n") == text.rstrip("\n")
    assert body(message, "html").rstrip("\n") == "<p>备案</p>"
    assert takes_8bit or content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    head = content.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert max(len(line) for line in head.split(b"\r\n")) <= 78


@pytest.mark.parametrize("name", ["Hetao, Shenzhen Park", "河套深圳园区", LONG])
def test_the_senders_name_stands_in_any_script(name: str) -> None:
    quoted = f'"{name}"' if "," in name else name
    message = read(Writer(f"{quoted} <no-reply@park.example>").write(mail(), takes_8bit=True))
    # Python 3.11 takes the fold between two encoded words of a name for a blank, against RFC 2047, section 6.2.
    assert message["From"].addresses[0].display_name.replace(" ", "") == name.replace(" ", "")
    assert message["From"].addresses[0].addr_spec == "no-reply@park.example"


@pytest.mark.parametrize(
    "given",
    [
        {"subject": "two\r\nBcc: other@lab.example"},
        {"subject": "备\nBcc: other@lab.example"},
        {"to": "a@lab.example\r\nBcc: other@lab.example"},
        {"to": "a@lab.example, other@lab.example"},
        {"to": "<a@lab.example>"},
    ],
)
def test_nothing_given_can_become_a_header_of_its_own(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="malformed"):
        Writer("no-reply@park.example").write(mail(**given), takes_8bit=True)
