"""Examples of bodies, taken from a walk through every route; what differs from run to run is put even."""

import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from fastapi import FastAPI

from api.access import GuardedRoute
from api.examples import FILE, PLACES, read_examples
from api.openapi import bodies_of, build_openapi
from domain.references import checked
from programmes import PROGRAMMES
from tests.api.documented import misfits

_MOST_BYTES: Final = 6000
_MOST_ITEMS: Final = 2
_EVEN: Final = (
    *(
        (re.compile(rf"\b{each.prefix}-[0-9A-Z]{{4}}-[0-9A-Z]{{4}}-[0-9A-Z]\b"), checked(each.prefix, "7K2M9QXA"))
        for each in PROGRAMMES.values()
    ),
    (
        re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        "01890a5d-ac96-774b-bcce-b302099a8057",
    ),
    (re.compile(r"\b[0-9a-f]{64}\b"), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "098f6bcd4621d373cade4e832627b4f6"),
    (re.compile(r"whsec_[A-Za-z0-9+/=]+"), "whsec_c2VjcmV0LW9mLWFuLWV4YW1wbGU="),
    (re.compile(r"hps_[A-Za-z0-9_-]+"), "hps_dG9rZW4tb2YtYW4tZXhhbXBsZS1vbmx5LW5vdC1yZWFs"),
    (re.compile(r"msg_[0-9a-f]+"), "msg_098f6bcd4621d373"),
    (re.compile(r"whpk_[A-Za-z0-9+/=]+"), "whpk_a2V5LW9mLWFuLWV4YW1wbGU="),
)


def place_of(name: str) -> str:
    """Return the package in which an example stands: the room whose class its schema is of, or the API's own."""
    for each in PROGRAMMES.values():
        rooms = [module for at, module in sys.modules.items() if at.startswith(f"{each.texts}.")]
        own = {kind for room in rooms for kind, what in vars(room).items() if _is_of(what, each.texts)}
        named = each.views.published.named
        if name in own or (named and name.startswith(named)) or (each.named and name.endswith(each.named)):
            return each.texts
    return "api"


def _is_of(what: object, package: str) -> bool:
    return isinstance(what, type) and what.__module__.startswith(f"{package}.")


class Recording:
    """Looks at each call of an app and keeps of each named body the one that says most."""

    def __init__(self, app: FastAPI) -> None:
        self.examples: dict[str, Any] = {}
        self._said: dict[str, Any] = {}
        self._routes = [route for route in app.routes if isinstance(route, GuardedRoute) and route.include_in_schema]
        self._document = build_openapi(app)

    async def look(self, response: httpx.Response) -> None:
        """Keep what a call that went well took and gave."""
        request, path = response.request, response.request.url.path
        of = next((r for r in self._routes if r.path_regex.match(path) and request.method in (r.methods or ())), None)
        if of is None or not response.is_success:
            return
        await response.aread()
        operation = self._document["paths"][of.path_format][request.method.lower()]
        asked = {"requestBody": operation.get("requestBody", {}), "responses": {}}
        given = {"responses": {str(response.status_code): operation["responses"][str(response.status_code)]}}
        named = {"operationId": operation["operationId"]}
        for half, message in ((asked, request), (given, response)):
            if message.headers.get("content-type", "").startswith("application/json") and message.content:
                body = orjson.loads(message.content)
                for names, said in bodies_of(half | named):
                    for name in names if len(names) == 1 else self._of_one(names, said["schema"], body):
                        self._said[name] = said["schema"]
                        self._keep(name, body)

    def _of_one(self, names: list[str], schema: dict[str, Any], body: Any) -> list[str]:
        """Return which of several schemas a body is of."""
        ways = zip(names, schema["anyOf"], strict=True)
        return [name for name, way in ways if not misfits(self._document, way, body)][:1]

    def write(self) -> None:
        """Write what was kept, each to the room that it is of.

        What stands there and is still what its schema says stays as it is, so that a run changes what it has to alone:
        hashes, times of the wall clock and the order of what came at once are others in every run.
        """
        for name, body in read_examples().items():
            if name in self.examples and not misfits(self._document, self._said[name], body):
                self.examples[name] = body
        for package in PLACES:
            own = {name: body for name, body in self.examples.items() if place_of(name) == package}
            text = orjson.dumps(own, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
            Path(str(files(package).joinpath(FILE))).write_bytes(text + b"\n")

    def _keep(self, name: str, body: Any) -> None:
        text = orjson.dumps(_shortened(body, _MOST_ITEMS)).decode()
        if len(text) > _MOST_BYTES:
            text = orjson.dumps(_shortened(body, 1)).decode()
        for pattern, even in _EVEN:
            text = pattern.sub(even, text)
        best = self.examples.get(name)
        if best is None or _rank(len(text)) > _rank(len(orjson.dumps(best))):
            self.examples[name] = orjson.loads(text)


def _rank(size: int) -> int:
    return size if size <= _MOST_BYTES else -size


def _shortened(value: Any, most: int) -> Any:
    if isinstance(value, list):
        return [_shortened(each, most) for each in value[:most]]
    if isinstance(value, dict):
        return {name: _shortened(each, most) for name, each in value.items()}
    return value
