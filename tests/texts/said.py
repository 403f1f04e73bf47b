"""What each notice of a programme of the registry says to its readers, as one hash a kind (`said.json`).

`python -m tests.texts.said` takes them anew, where a text was changed on purpose.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Final

from domain.errors import Defect
from domain.languages import Language
from domain.notices import Channel, Recipient
from domain.stages import DueKind
from programmes import PROGRAMMES
from tests.programmes.samples import SAMPLES
from tests.texts.facts import FACTS_OF, say
from texts.notices import NoticeFacts, render_together
from texts.notices.catalogue import ROOMS

FILE: Final = Path(__file__).with_name("said.json")
# What a template may ask of a fact, beside those that have all, what is proposed, and what a programme's own are.
_OTHERWISE: Final[tuple[Mapping[str, object], ...]] = (
    *({"due_kind": due} for due in DueKind),
    {"due_provisional": False, "points": (), "reasons": (), "note": None, "link": None, "contact": None},
    {"days_left": 1, "days_over": 1},
    {"days_over": None, "changed_fields": ()},
    {"is_handed_whole": True, "handed_kind": "registration_received"},
    {"is_handed_whole": True, "handed_kind": "registration_refused"},
    {"due_on": None},
)


def said() -> dict[str, str]:
    """Return by programme and kind the hash of all that its readers get."""
    return {
        f"{code}/{kind}": hashlib.sha256(json.dumps(list(_all(code, kind))).encode()).hexdigest()
        for code, programme in PROGRAMMES.items()
        for kind in sorted(programme.words.notices)
    }


def _otherwise(code: str) -> list[Mapping[str, object]]:
    """Return how the facts of a programme may be."""
    acts = sorted(ROOMS[PROGRAMMES[code].texts].words[Language.EN]["acts"])
    return [{}, *({"pending_act": act} for act in acts), *_OTHERWISE, *SAMPLES[code].told_otherwise]


def _all(code: str, kind: str) -> Iterator[list[str | None]]:
    """Yield every text of a kind."""
    keys = [key for track in PROGRAMMES[code].tracks.values() for key in track.keyed_by]
    for recipient, channels in PROGRAMMES[code].words.notices[kind].recipients.items():
        for channel, language, change in product(channels.channels, Language, _otherwise(code)):
            yield _text(code, kind, recipient, channel, language, FACTS_OF[code].model_copy(update=change))
        for language in Language:
            both = [(kind, FACTS_OF[code].model_copy(update={"destination": each})) for each in keys]
            other = [("registration_received", FACTS_OF[code]), *both]
            if Channel.MAIL in channels.channels and recipient.value in ("employer", "person"):
                for several in (both, other):
                    mail = render_together(recipient, language, several, PROGRAMMES[code].texts)
                    yield [mail.subject, mail.text, mail.html]


def _text(
    code: str, kind: str, recipient: Recipient, channel: Channel, language: Language, facts: NoticeFacts
) -> list[str | None]:
    try:
        text = say(code, kind, recipient, channel, language, facts)
    except Defect:  # one that has to say what is missing here
        return []
    return [text.subject, text.text, text.html]


if __name__ == "__main__":
    FILE.write_text(json.dumps(said(), indent=1) + "\n", encoding="utf-8")
