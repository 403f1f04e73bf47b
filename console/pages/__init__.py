"""Pages, a file each or for a small group of the same kind; `PAGES` is all of them.

To add one:

1. `console/pages/<name>.py` with `router = APIRouter()`. A route for those who are signed in takes
   `session: Annotated[Session, signed_in(Role.EMPLOYER)]` and `api: Calls`; it reads with `await api.read(path, View)`
   (the view class that the API publishes) or `read_json`, and returns `render(request, "<name>", …)`.
2. A form is a `POST`: `{{ forms.begin(action, key) }}` of `parts/forms.html` puts the session's token and an
   idempotency key (`new_key()`) into it; the route does `await api.ask(path, body, key=form_key(form))` and returns
   `see_other(path)`. A `ProblemError` that the form can mend is caught and the page rendered again with what was typed
   and `problem`; any other becomes a page of its own (`console/frame.py`). The fields of an API body come out
   of its model (`console/forms.py`, `console/typed.py`); a page that is one form is a `form_page` of it.
3. `console/templates/pages/<name>.html` extends `layout.html`; shared pieces are macros in `templates/parts/`.
4. Its words in three languages in `texts/catalogues/console_<name>.yaml`, whose name stands in `texts/console.py`.
5. The module in `PAGES`; an entry of the bar, where it has one, in `console/entries.py`.
6. Tests: `tests/console/` without a browser, `tests/browser/` with one.
"""

from typing import Final, Protocol

from fastapi import APIRouter

from console.pages import anybody, case, front, home, inbox, sign_in, story


class Page(Protocol):
    """A module with the routes of a page."""

    router: APIRouter


PAGES: Final[tuple[Page, ...]] = (front, anybody, sign_in, home, inbox, case, story)
