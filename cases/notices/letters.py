"""The exact texts of a notice, as they are kept and opened for a delivery, and the reader's address as it is now."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from cases.shared.context import Context
from domain.errors import Refused
from domain.notices import SALT, Channel, Recipient
from domain.webhooks import SigningKeys, WebhookState
from store.delivery_rows import Letter, SealedNotice
from store.encryption import DataKey, WrappedKey, unwrap
from texts.notices import Rendered, text_hash

_SALT_BYTES: Final = 16
_Value = TypeVar("_Value")


class BlockedError(Exception):
    """A message that cannot be sent, with the code of the reason; `dropped` where nobody has to hear of it."""

    def __init__(self, reason: str, *, dropped: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.dropped = dropped


def open_texts(context: Context, notice: SealedNotice) -> Mapping[str, Any]:
    """Return the texts of a notice by channel; after an erasure, or for the deceased, there are none to send."""
    if notice.recipient == Recipient.PERSON and notice.end_reason == "deceased":
        raise BlockedError("deceased", dropped=True)
    key = _key(context, notice.key)
    if not notice.body:
        raise BlockedError("erased", dropped=True)
    content: Mapping[str, Any] = json.loads(key.open("notices", "body", str(notice.notice_id), notice.body))
    return content


def keep_texts(texts: Mapping[Channel, Rendered]) -> tuple[dict[str, Any], str]:
    """Return what is to be sealed of a notice's texts, and the hash that stays of its mail or of the only one there is.

    The hash outlives an erasure, which destroys the salt with the texts.
    """
    salt = secrets.token_hex(_SALT_BYTES)
    proved = texts.get(Channel.MAIL) or next(iter(texts.values()), None)
    body = {c.value: {"subject": text.subject, "text": text.text, "html": text.html} for c, text in texts.items()}
    return {**body, SALT: salt}, text_hash(proved, salt) if proved else ""


def address_of(context: Context, letter: Letter, channel: Channel) -> str:
    """Return where a mail or SMS goes: the reader's contact now, not as it was when the notice was written."""
    if letter.notice.recipient == Recipient.PERSON:
        key = _key(context, letter.person_key)
        place = f"{letter.reference}/{letter.facts_version}"
        given = json.loads(key.open("applications", "body", place, _there(letter.application)))
        contact = context.programmes[_there(letter.programme)].form.subject_of(given)._asdict()
    elif letter.notice.recipient == Recipient.EMPLOYER:
        key = _key(context, letter.employer_key)
        contact = json.loads(key.open("employers", "contact", letter.employer_id, _there(letter.contact)))
    else:
        contact = {"email": context.staff_mailbox}
    address = contact.get("phone" if channel is Channel.SMS else "email")
    if not address:
        raise BlockedError("address_missing")
    return str(address)


def only_address(texts: Mapping[str, Any], at: datetime) -> str | None:
    """Return the one address that a message is for, whatever the reader has now; one whose time is over is dropped."""
    only = texts.get("only")
    if only is None:
        return None
    if only.get("until") is not None and at > datetime.fromisoformat(only["until"]):
        raise BlockedError("link_expired", dropped=True)
    return str(only["to"])


def subscription_of(context: Context, letter: Letter, at: datetime) -> tuple[str, tuple[str, ...]]:
    """Return the URL of a subscription and the keys that sign for it now."""
    if letter.webhook_state is None or letter.webhook_state == WebhookState.GONE:
        raise BlockedError("subscription_ended")
    if letter.webhook_state == WebhookState.PAUSED:
        raise BlockedError("subscription_paused")
    key, webhook_id = _key(context, letter.employer_key), str(letter.webhook_id)
    secrets = SigningKeys.model_validate_json(key.open("webhooks", "secrets", webhook_id, _there(letter.secrets)))
    return key.open("webhooks", "url", webhook_id, _there(letter.url)).decode(), secrets.at(at)


def _key(context: Context, wrapped: WrappedKey | None) -> DataKey:
    """Return the data key of the notice, the person or the employer."""
    try:
        return unwrap(context.keyring, _there(wrapped))
    except Refused:
        raise BlockedError("erased", dropped=True) from None


def _there(value: _Value | None) -> _Value:
    """Return what is joined by an address; a reader who has none is not on the register any more."""
    if value is None:
        raise BlockedError("address_missing")
    return value
