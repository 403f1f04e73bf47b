"""Turns a kind, a reader and the facts into the exact text that is sent and kept."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jinja2.runtime import Context

from domain.clock import CHINA
from domain.errors import Defect
from domain.languages import Language
from domain.notices import Channel, Recipient
from texts.catalogue import CORE
from texts.notices.catalogue import COMPILED, LAYOUT, ROOMS, SHARED, Listing, Mark, Passage, Use
from texts.notices.facts import NoticeFacts, Reason
from texts.problems import listed


@dataclass(frozen=True, slots=True)
class Rendered:
    """The exact text of a delivery; `html` is None for every channel but mail."""

    subject: str
    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list or a mark of a body, as plain text that the layout escapes."""

    shape: Literal["paragraph", "list", "mark"]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One notice inside a mail: a heading of a level, its blocks and the link to the case."""

    heading: str
    blocks: tuple[Block, ...]
    link: str | None
    level: int = 1


class Voice:
    """Prints templates in one language with one set of facts, in the words of a room.

    Of what concerns all cases of an employer the rooms of all programmes are given as `each`.
    """

    def __init__(
        self, language: Language, facts: Mapping[str, Any], room: str = CORE, each: Sequence[str] = ()
    ) -> None:
        self._language = language
        self._room = ROOMS[room]
        self._each = [ROOMS[other] for other in each] or [self._room]
        self._facts = {**self._room.words[language], **facts}
        if each:
            named = dict.fromkeys(other.words[language]["own"]["application"] for other in self._each)
            self._facts["applications"] = listed(list(named), language)

    def say(self, source: str, **more: object) -> str:
        """Return the template with its facts filled in and outer blanks removed.

        A context over the facts as they are: `Template.render` copies Jinja's globals, which no template here uses, for
        each line that it prints, and that was most of what rendering cost.
        """
        if "{" not in source:
            return source.strip()
        template = COMPILED[self._language, source]
        facts = {**self._facts, **more} if more else self._facts
        return "".join(template.root_render_func(Context(template.environment, facts, None, template.blocks))).strip()

    def blocks(self, passages: Sequence[Passage]) -> list[Block]:
        """Return the passages as blocks, leaving out those that have nothing to say."""
        found: list[Block] = []
        for passage in passages:
            if isinstance(passage, Use):
                found += self._shared(passage)
            elif isinstance(passage, Listing):
                found.append(Block("list", self._items(passage)))
            elif isinstance(passage, Mark):
                found.append(Block("mark", (self.say(passage.mark),)))
            else:
                found.append(Block("paragraph", (self.say(passage),)))
        return [block for block in found if any(block.lines)]

    def _shared(self, passage: Use) -> list[Block]:
        """Return the blocks of a passage that notices share."""
        if not passage.of_each:
            return self.blocks(self._room.passages(passage.use, self._language))
        said = [self.blocks(room.passages(passage.use, self._language)) for room in self._each]
        return list(dict.fromkeys(block for blocks in said for block in blocks))

    def _items(self, listing: Listing) -> tuple[str, ...]:
        """Return the lines of a list, one for each fixed item or for each element of the fact."""
        if listing.each is None:
            return tuple(self.say(item) for item in listing.items)
        return tuple(self.say(item, item=element) for element in self._facts[listing.each] for item in listing.items)


def _codes(facts: NoticeFacts) -> dict[str, Any]:
    """Return only the facts that may stand where others can read along."""
    return {name: value for name, value in facts if name in facts.codes}


def _section(
    kind: str,
    recipient: Recipient,
    language: Language,
    facts: NoticeFacts,
    level: int,
    destinations: Sequence[str] = (),
    *,
    room: str = CORE,
    each: Sequence[str] = (),
) -> Section:
    """Return the body of one notice, or of one for each of several destinations that says the same of all."""
    values = dict(facts)
    if len(destinations) > 1:
        values["destination"] = tuple(destinations)
    if facts.handed_kind is not None:
        heading = ROOMS[room].entry(facts.handed_kind).heading[language]
        values["handed_heading"] = Voice(language, values, room).say(heading)
        values["handed"] = _handed(facts.handed_kind, language, values, room) if facts.is_handed_whole else ()
    voice = Voice(language, values, room, each)
    entry = ROOMS[room].entry(kind)
    blocks = tuple(voice.blocks(entry.body(recipient, language)))
    return Section(voice.say(entry.heading[language]), blocks, facts.link, level)


def _handed(kind: str, language: Language, values: dict[str, Any], room: str) -> tuple[str, ...]:
    """Return line by line what a notice says to the person."""
    # The link of an employer is none that a person can sign in by.
    body = ROOMS[room].entry(kind).body(Recipient.PERSON, language)
    blocks = Voice(language, {**values, "link": None}, room).blocks(body)
    return tuple(line for block in blocks for line in _lines(language, block))


def _lines(language: Language, block: Block) -> tuple[str, ...]:
    """Return the lines of a block as plain text."""
    if block.shape == "mark":
        return (f"[{SHARED.mark_label[language]}] {block.lines[0]}",)
    return block.lines


def _plain(language: Language, sections: Sequence[Section]) -> str:
    """Return the sections as plain text."""
    parts = [SHARED.sender[language]]
    for section in sections:
        parts.append(section.heading)
        for block in section.blocks:
            lines = _lines(language, block)
            parts.append("\n".join(f"- {line}" for line in lines) if block.shape == "list" else lines[0])
        if section.link:
            parts.append(f"{SHARED.open_link[language]}\n{section.link}")
    parts.append(SHARED.footer[language])
    return "\n\n".join(parts) + "\n"


def _mail(language: Language, subject: str, heading: str, sections: Sequence[Section]) -> Rendered:
    """Return a mail in both shapes from the same sections."""
    html = LAYOUT.render(
        language=language.value,
        heading=heading,
        sections=sections,
        sender=SHARED.sender[language],
        footer=SHARED.footer[language],
        open_link=SHARED.open_link[language],
        mark_label=SHARED.mark_label[language],
    )
    return Rendered(subject, _plain(language, sections), html)


def _coded(reasons: Sequence[Reason]) -> list[dict[str, Any]] | None:
    """Return reasons or points as codes and paths of fields; the notes, which are free text, are read by the API."""
    return [
        {"code": each.code, "field": each.fields[0] if each.fields else None, "fields": list(each.fields)}
        for each in reasons
    ] or None


def _event(kind: str, facts: NoticeFacts) -> Rendered:
    """Return the body of a webhook: codes, dates and the reference only, in canonical order."""
    if facts.occurred_at is None:
        raise Defect("notice_fact_missing")
    data = {
        "reference": facts.reference,
        "registration_number": facts.registration_number,
        "destination": facts.destination,
        "employer_id": facts.employer_id,
        "stage": facts.stage,
        "round": facts.round,
        "open_points": _coded(facts.points),
        "reasons": _coded(facts.reasons),
        "end_reason": facts.end_reason,
        "due_on": facts.due_on.isoformat() if facts.due_on else None,
        "handed_kind": facts.handed_kind,
        **facts.published(),
    }
    event = {
        "type": str(kind),
        "timestamp": facts.occurred_at.astimezone(CHINA).isoformat(),
        "data": {name: value for name, value in data.items() if value is not None},
    }
    return Rendered(str(kind), json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True))


def render(
    kind: str,
    recipient: Recipient,
    channel: Channel,
    language: Language,
    facts: NoticeFacts,
    room: str = CORE,
    each: Sequence[str] = (),
) -> Rendered:
    """Return the exact text of a notice for one reader and channel.

    `room` is the package of the programme whose case it is about; of what is about no case but concerns those of an
    employer, `each` is the packages of all programmes.

    Raises Defect when the template needs a fact that is None.
    """
    entry = ROOMS[room].entry(kind)
    if channel is Channel.WEBHOOK:
        return _event(kind, facts)
    codes = Voice(language, _codes(facts), room, each)
    subject = codes.say(entry.subject[language])
    if channel is Channel.SMS and entry.sms:
        link = {"link": facts.link, "valid_minutes": facts.valid_minutes}
        return Rendered(subject, codes.say(entry.sms[language], **link))
    if channel is Channel.SMS:
        return Rendered(subject, codes.say(SHARED.sms[language]))
    if channel is Channel.INBOX:
        # What is for one member of staff is read by that one alone, so that it may say why.
        voice = Voice(language, dict(facts), room) if recipient is Recipient.PROPOSER else codes
        return Rendered(subject, voice.say(entry.inbox[language]))
    section = _section(kind, recipient, language, facts, 1, room=room, each=each)
    return _mail(language, subject, section.heading, (section,))


def render_digest(
    recipient: Recipient, language: Language, notices: Sequence[tuple[str, NoticeFacts, str]]
) -> Rendered:
    """Return one mail that holds the day's digestible notices, each with its room, in the order given."""
    heading = SHARED.digest_heading[language]
    sections = [_section(kind, recipient, language, facts, 2, room=room) for kind, facts, room in notices]
    return _mail(language, SHARED.digest_subject[language], heading, [Section(heading, (), None), *sections])


def render_together(
    recipient: Recipient, language: Language, notices: Sequence[tuple[str, NoticeFacts]], room: str = CORE
) -> Rendered:
    """Return one mail that holds what one step of a case tells a reader, in the order given.

    Notices that say the same of several destinations are one section, which names them all.
    """
    same: dict[tuple[str, str], list[NoticeFacts]] = {}
    for kind, facts in notices:
        alike = facts.model_dump_json(exclude=set(facts.of_track))
        same.setdefault((kind, alike), []).append(facts)
    level = 1 if len(same) == 1 else 2
    sections = [
        _section(kind, recipient, language, group[0], level, [f.destination for f in group if f.destination], room=room)
        for (kind, _), group in same.items()
    ]
    first = notices[0][0]
    places = tuple(facts.destination for kind, facts in notices if kind == first and facts.destination)
    codes = _codes(notices[0][1]) | ({"destination": places} if len(places) > 1 else {})
    subject = Voice(language, codes, room).say(ROOMS[room].entry(first).subject[language])
    if len(sections) == 1:
        return _mail(language, subject, sections[0].heading, sections)
    heading = Voice(language, codes, room).say(SHARED.together_heading[language], count=len(sections))
    return _mail(language, subject, heading, [Section(heading, (), None), *sections])


def text_hash(rendered: Rendered, salt: str) -> str:
    """Return the SHA-256 of a salt and the exact text in hexadecimal, so that what was sent can be proved later.

    Without the salt, which is sealed with the text, nobody can try out what the text may have said.
    """
    parts = [salt, rendered.subject, rendered.text, rendered.html or ""]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
