"""The frame of every page: its language, its headers, who is let in, and how a refusal looks."""

from typing import Annotated, Any, Final

import pytest
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from console.calling import ProblemError
from console.routes import Calls, signed_in
from domain.actors import Role
from domain.browser_sessions import Session
from domain.errors import Unavailable
from domain.languages import Language
from tests.console.conftest import Door
from texts.console import say

HEADERS: Final = {
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_tried: Final = APIRouter()


@_tried.get("/tried/{what}")
async def tried(request: Request, what: str) -> Response:
    """Meet what a page may meet."""
    if what == "away":
        raise Unavailable("postgres", retry_after=7)
    if what == "defect":
        raise RuntimeError("a secret that nobody reads")
    if what == "503":
        raise HTTPException(503)
    raise ProblemError(int(what), "code", "A title", "What happened and what to do.")


@_tried.get("/for-officers")
async def for_officers(session: Annotated[Session, signed_in(Role.OFFICER)]) -> Response:
    """Say who reads."""
    return PlainTextResponse(session.subject)


@_tried.post("/for-officers")
async def act(session: Annotated[Session, signed_in(Role.OFFICER)], api: Calls) -> Response:
    """Say who acted."""
    return PlainTextResponse(f"done by {session.subject}")


@pytest.fixture
def tries(frame: Door) -> Door:
    """The console with pages that meet what pages may meet."""
    frame.console.router.routes.extend(_tried.routes)
    return frame


def _directives(policy: str) -> dict[str, set[str]]:
    return {name: set(values) for name, *values in (each.split() for each in policy.split(";"))}


@pytest.mark.parametrize("path", ["/", "/no/such/page", "/tried/defect", "/tried/409", "/tried/away"])
async def test_every_page_has_the_headers_of_the_house(tries: Door, path: str) -> None:
    page = await tries.nobody().get(path)

    assert {name: page.response.headers[name] for name in HEADERS} == HEADERS
    policy = _directives(page.response.headers["content-security-policy"])
    assert policy["default-src"] == {"'none'"}
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == {"'self'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == {"'none'"}
    assert not page.all("style, [style], script:not([src])")
    assert not [each for each in page.all("*") if any(name.startswith("on") for name in each.attributes)]


@pytest.mark.parametrize(
    ("asked", "cookie", "accepted", "spoken"),
    [
        ("zh-Hant", "en", "zh-CN", "zh-Hant"),
        ("xx", "en", "zh-CN", "en"),
        (None, "en", "zh-CN", "en"),
        (None, "xx", "zh-HK", "zh-Hant"),
        (None, None, "en-GB", "en"),
        (None, None, "fr", "en"),
    ],
)
async def test_the_address_decides_the_language_then_what_was_chosen_before(
    frame: Door, asked: str | None, cookie: str | None, accepted: str, spoken: str
) -> None:
    visitor = frame.nobody(**{"Accept-Language": accepted})
    if cookie is not None:
        visitor.client.cookies.set("lang", cookie)

    page = await visitor.get(f"/?lang={asked}" if asked else "/")

    assert page.language == spoken
    assert page.title == say("all", "name", Language(spoken))


async def test_a_chosen_language_is_remembered_and_each_link_of_it_keeps_the_query(frame: Door) -> None:
    visitor = frame.nobody()
    page = await visitor.get("/?q=a%26b&lang=en")

    [cookie] = page.response.headers.get_list("set-cookie")
    assert cookie == "lang=en; Path=/; Max-Age=31536000; SameSite=Lax; Secure"
    assert (await visitor.get("/")).language == "en"
    links = {link.attributes["lang"]: link.attributes["href"] for link in page.all(".ht-lang a")}
    assert links["zh-Hant"] == "/?q=a%26b&lang=zh-Hant"
    assert [link.attributes["lang"] for link in page.all(".ht-lang a[aria-current]")] == ["en"]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/no/such/page", 404, "not_found"),
        ("/tried/403", 403, "not_for_you"),
        ("/tried/404", 404, "not_found"),
        ("/tried/409", 409, "refused"),
        ("/tried/422", 422, "refused"),
        ("/tried/429", 429, "too_many"),
        ("/tried/away", 503, "unavailable"),
        ("/tried/defect", 500, "defect"),
    ],
)
async def test_a_refusal_is_a_page_in_the_readers_language(
    tries: Door, language: Language, path: str, status: int, code: str
) -> None:
    page = await tries.nobody().get(f"{path}?lang={language.value}")

    assert page.status == status
    assert page.text("h1") == say("errors", f"{code}_title", language)
    assert "a secret" not in page.response.text
    if code == "refused":
        assert "What happened and what to do." in page.text("main")
    if path == "/tried/away":
        assert page.response.headers["retry-after"] == "7"


async def test_who_is_not_signed_in_is_led_to_it_and_back(tries: Door) -> None:
    visitor = tries.nobody()
    visitor.client.follow_redirects = False

    seen = await visitor.get("/for-officers?lang=en&q=1")
    sent = await visitor.post("/for-officers", {})

    assert seen.response.headers["location"] == "/sign-in?next=/for-officers%3Flang%3Den%26q%3D1"
    assert sent.response.headers["location"].startswith("/sign-in")
    assert seen.status == sent.status == 303


async def test_a_page_of_other_roles_says_so(tries: Door) -> None:
    assert (await tries.as_("officer-1").get("/for-officers")).response.text == "officer-1"
    page = await tries.as_("employer-a").get("/for-officers?lang=en")
    assert (page.status, page.text("h1")) == (403, "Your account cannot do this")


async def test_a_session_of_the_other_kind_of_cookie_or_of_nobody_counts_nothing(tries: Door) -> None:
    visitor = tries.as_("officer-1")
    visitor.client.cookies.clear()
    visitor.client.cookies.set("hetao", "secret-0")  # over https only the cookie that is bound to host and TLS
    visitor.client.follow_redirects = False

    assert (await visitor.get("/for-officers")).status == 303


@pytest.mark.parametrize("given", [{}, {"_csrf": ""}, {"_csrf": "csrf-of-officer-2"}])
async def test_a_form_of_another_session_does_nothing(tries: Door, given: dict[str, Any]) -> None:
    page = await tries.as_("officer-1").post("/for-officers?lang=en", given)

    assert (page.status, page.text("h1")) == (403, "Please open the form again")


async def test_a_form_of_the_session_is_taken(tries: Door) -> None:
    page = await tries.as_("officer-1").post("/for-officers", {"_csrf": "csrf-of-officer-1"})
    assert page.response.text == "done by officer-1"


async def test_who_is_signed_in_goes_home_and_sees_their_own_bar(frame: Door) -> None:
    visitor = frame.as_("auditor")
    visitor.client.follow_redirects = False
    assert (await visitor.get("/")).response.headers["location"] == "/audit"

    page = await visitor.get("/no/such/page?lang=en")
    assert [link.text() for link in page.all(".ht-nav a")] == ["Search"]
    assert page.one(".ht-tools form input[name=_csrf]").attributes["value"] == "csrf-of-auditor"
