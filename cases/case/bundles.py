"""What one step tells one reader goes out as one mail or SMS, though each notice keeps its own row, text and hash."""

import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.languages import Language
from domain.notices import SALT, Channel, Recipient
from store.delivery_rows import Letter
from store.rows.notices import DeliveryRow, NoticeRow
from texts.notices import NoticeFacts, Rendered, render_together, text_hash

if TYPE_CHECKING:
    from cases.case.parts import CaseParts

TOGETHER = "together"  # in the texts of the notice whose delivery carries the others
_MESSAGES = frozenset({Channel.MAIL.value, Channel.SMS.value})


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as it was written, until its transaction ends; a letter, or one for one address, goes out alone."""

    notice: NoticeRow
    deliveries: list[DeliveryRow]
    facts: NoticeFacts
    alone: bool
    room: str  # the package of its programme


@dataclass(frozen=True, slots=True)
class Foretold:
    """What somebody outside would read if what is only tried were done."""

    kind: str
    recipient: Recipient
    language: Language
    text: Rendered


def carry(file: "CaseParts") -> None:
    """Let the first of several messages to one reader carry the others.

    A letter goes out by itself: its hash in the ledger is that of the mail that its reader has. So does what waits for
    the daily mail, which carries more than this step's.
    """
    groups: dict[Hashable, list[tuple[Told, DeliveryRow]]] = {}
    for told in file.told:
        if told.alone:
            continue
        for row in told.deliveries:
            if row.channel in _MESSAGES and not row.digest:
                reader = (told.notice.recipient, told.notice.subject, told.notice.language)
                groups.setdefault((*reader, row.channel, row.next_attempt), []).append((told, row))
    file.told.clear()
    for group in groups.values():
        if len(group) > 1:
            carry_all([row for _, row in group])
            if group[0][1].channel == Channel.MAIL:
                _write_together(file, group)


def carry_all(rows: Iterable[DeliveryRow]) -> None:
    """Let one of several deliveries carry the others: the one whose id is the message's, however often it is sent."""
    rows = list(rows)
    head = min(row.delivery_id for row in rows)
    for row in rows:
        row.carried_by = None if row.delivery_id == head else head


def messages_of(rows: Iterable[Letter]) -> list[list[Letter]]:
    """Return letters by the message that they go out with."""
    found: dict[UUID, list[Letter]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(row)
    return list(found.values())


def _write_together(file: "CaseParts", group: list[tuple[Told, DeliveryRow]]) -> None:
    """Keep the exact mail with the notice whose delivery carries the others, and its hash with each delivery."""
    first = group[0][0].notice
    mail = render_together(
        Recipient(first.recipient),
        Language(first.language),
        [(told.notice.kind, told.facts) for told, _ in group],
        group[0][0].room,
    )
    head = next(told.notice for told, row in group if row.carried_by is None)
    place = ("notices", "body", str(head.notice_id))
    texts: dict[str, Any] = json.loads(file.person_key.open(*place, head.body))
    texts[TOGETHER] = {"subject": mail.subject, "text": mail.text, "html": mail.html}
    head.body = file.person_key.seal(*place, json.dumps(texts, ensure_ascii=False).encode())
    for _, row in group:
        row.message_hash = text_hash(mail, texts[SALT])
