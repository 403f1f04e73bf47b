"""The person in the demo: an officer opens an address, and the person signs in by a link and sees that, and why."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.demo.api import Callers
from sandbox.demo.check import ReadBack
from sandbox.demo.plan import PLAIN, fate_of

LINK_SECONDS: Final = 60.0
_PAUSE: Final = 0.3
_OFFICER, _PURPOSE, _FIELD = "officer-1", "data_subject_request", "email"


@dataclass
class Person:
    """What a person saw, and what did not come out as it should."""

    readings: int = 0
    said: str = ""
    differences: list[str] = field(default_factory=list)

    def view(self) -> dict[str, Any]:
        """Return what was seen for the summary."""
        return {"readings": self.readings, "officer": self.said}


async def see_own_log(callers: Callers, found: ReadBack) -> Person:
    """Let the person of a straight case sign in by the link in the mail sink, and read who opened their data."""
    seen = Person()
    reference = next((each for each, row in found.rows.items() if fate_of(row) == PLAIN), None)
    if reference is None:
        seen.differences.append("no straight case has a person to sign in")
        return seen
    path = f"/v1/registrations/{reference}/person?fields={_FIELD}"
    address = (await callers.opened(_OFFICER, path, _PURPOSE))[_FIELD]
    asked = {"reference": reference, "email": address}
    await callers.aside("api", "POST", "/v1/me/sign-in-links", json=asked)
    link = await _link(callers, address)
    if link is None:
        seen.differences.append(f"{reference}: no link to sign in came within {LINK_SECONDS:.0f} s")
        return seen
    session = await callers.aside("api", "POST", "/v1/me/sessions", json={"link": link})
    headers = {"Authorization": f"Bearer {session['token']}", "Accept-Language": "en"}
    log = (await callers.aside("api", "GET", "/v1/me/access-log", headers=headers))["items"]
    mine = (await callers.aside("api", "GET", "/v1/me/registrations", headers=headers))["items"]
    seen.readings = len(log)
    opened = [row for row in log if (row["role"], row["purpose"], row["fields"]) == ("officer", _PURPOSE, [_FIELD])]
    if len(opened) != 1 or {row["reference"] for row in log} != {reference}:
        seen.differences.append(f"{reference}: the person's log of accesses does not show the officer's reading once")
    else:
        seen.said = f"{opened[0]['organisation']}: {opened[0]['way']}. {opened[0]['purpose_text']}."
    if [case["reference"] for case in mine] != [reference]:
        seen.differences.append(f"{reference}: the person sees other cases than their own")
    return seen


async def _link(callers: Callers, address: str) -> str | None:
    """Return the secret of the link that came to an address."""
    end = time.monotonic() + LINK_SECONDS
    while time.monotonic() < end:
        mails = await callers.aside("mail", "GET", "/messages", params={"to": address})
        links = [mail["text"].partition("/me#")[2].split()[0] for mail in mails if "/me#" in (mail["text"] or "")]
        if links:
            return str(links[-1])
        await asyncio.sleep(_PAUSE)
    return None
