"""The exact texts of a notice, as they are kept and opened for a delivery, and the reader's address as it is now."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cases.shared.context import Context
from domain.errors import Refused
from domain.notices import Channel, Recipient
from domain.webhooks import SigningKeys, WebhookState
from store.case_rows import Row
from store.encryption import DataKey, WrappedKey, unwrap
from texts.notices import Rendered, text_hash

SALT: Final = "salt"
_SALT_BYTES: Final = 16


class BlockedError(Exception):
    """A message that cannot be sent, with the code of the reason; `dropped` where nobody has to hear of it."""

    def __init__(self, reason: str, *, dropped: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.dropped = dropped


def open_texts(context: Context, row: Row) -> Mapping[str, Any]:
    """Return the texts of a notice by channel; after an erasure, or for the deceased, there are none to send."""
    if row["recipient"] == Recipient.PERSON and row["end_reason"] == "deceased":
        raise BlockedError("deceased", dropped=True)
    key = _key(context, row, "notice")
    if not row["body"]:
        raise BlockedError("erased", dropped=True)
    content: Mapping[str, Any] = json.loads(key.open("notices", "body", str(row["notice_id"]), row["body"]))
    return content


def keep_texts(texts: Mapping[Channel, Rendered]) -> tuple[dict[str, Any], str]:
    """Return what is to be sealed of a notice's texts, and the hash that stays of its mail or of the only one there is.

    The hash outlives an erasure, which destroys the salt with the texts.
    """
    salt = secrets.token_hex(_SALT_BYTES)
    proved = texts.get(Channel.MAIL) or next(iter(texts.values()), None)
    body = {c.value: {"subject": text.subject, "text": text.text, "html": text.html} for c, text in texts.items()}
    return {**body, SALT: salt}, text_hash(proved, salt) if proved else ""


def address_of(context: Context, row: Row, channel: Channel) -> str:
    """Return where a mail or SMS goes: the reader's contact now, not as it was when the notice was written."""
    if row["recipient"] == Recipient.PERSON:
        key = _key(context, row, "person")
        place = f"{row['reference']}/{row['facts_version']}"
        contact = json.loads(key.open("applications", "body", place, row["application"]))["person"]
    elif row["recipient"] == Recipient.EMPLOYER:
        key = _key(context, row, "employer")
        contact = json.loads(key.open("employers", "contact", row["employer_id"], row["contact"]))
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


def subscription_of(context: Context, row: Row, at: datetime) -> tuple[str, tuple[str, ...]]:
    """Return the URL of a subscription and the keys that sign for it now."""
    if row["webhook_state"] is None or row["webhook_state"] == WebhookState.GONE:
        raise BlockedError("subscription_ended")
    if row["webhook_state"] == WebhookState.PAUSED:
        raise BlockedError("subscription_paused")
    key, webhook_id = _key(context, row, "employer"), str(row["webhook_id"])
    secrets = SigningKeys.model_validate_json(key.open("webhooks", "secrets", webhook_id, row["secrets"]))
    return key.open("webhooks", "url", webhook_id, row["url"]).decode(), secrets.at(at)


def _key(context: Context, row: Row, whose: str) -> DataKey:
    """Return the data key of the notice, the person or the employer."""
    if row[f"{whose}_key_id"] is None:
        raise BlockedError("address_missing")
    try:
        return unwrap(
            context.keyring, WrappedKey(row[f"{whose}_key_id"], row[f"{whose}_kek_id"], row[f"{whose}_wrapped"])
        )
    except Refused:
        raise BlockedError("erased", dropped=True) from None
