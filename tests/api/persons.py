"""Persons of API tests: asks for a link, takes it from the message that would go out, and signs in with it."""

from cases.notices import due as deliveries
from domain.notices import Channel
from tests.api.callers import Caller
from tests.api.conftest import Stage

LINKS, SESSIONS = "/v1/me/sign-in-links", "/v1/me/sessions"


async def find_link(stage: Stage, reference: str, **address: str) -> str | None:
    """Ask for a link and return its secret, or None where no message goes out."""
    answer = await stage.nobody.send("POST", LINKS, json={"reference": reference, **address})
    assert answer.status_code == 202, answer.text
    await stage.settle()
    return next(iter(await taken_links(stage, reference)), None)


async def taken_links(stage: Stage, reference: str) -> list[str]:
    """Return the secrets in the messages of a case that are to be sent now; they count as taken by the channel."""
    found: list[str] = []
    for channel in (Channel.MAIL, Channel.SMS):
        while dues := await deliveries.lease(stage.context, channel, stage.clock(), 100):
            links = [due for due in dues if due.blocked is None and "#" in due.text]
            found += [due.text.partition("#")[2].split()[0] for due in links if reference in due.subject]
    return found


async def use(stage: Stage, link: str) -> Caller:
    """Sign in with a link and return the person as caller."""
    answer = await stage.nobody.send("POST", SESSIONS, json={"link": link})
    assert answer.status_code == 201, answer.text
    return Caller(stage.client, answer.json()["token"])


async def sign_in(stage: Stage, reference: str, **address: str) -> Caller:
    """Sign in as the person of a case by the address on it."""
    link = await find_link(stage, reference, **address)
    assert link is not None
    return await use(stage, link)
