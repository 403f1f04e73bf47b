"""What the console serves is what its locked packages and its own files were built to, and is small."""

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from tests.console.conftest import Door

ASSETS: Final = Path(__file__).parents[2] / "console" / "assets"
VENDORED: Final[dict[str, Any]] = json.loads((ASSETS / "vendored.json").read_text("utf-8"))
FREE: Final = {"MIT", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Apache-2.0"}
A_VIEW: Final = 80_000  # bytes transferred at most on a first view; a page itself takes few of them


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", VENDORED["files"])
def test_a_served_file_is_the_one_that_was_built_and_its_name_says_its_hash(name: str) -> None:
    made = VENDORED["files"][name]
    content = (ASSETS / "served" / made["served"]).read_bytes()

    assert _sha256(content) == made["sha256"]
    stem, _, kind = name.partition(".")
    assert made["served"] == f"{stem}.{made['sha256'][:12]}.{kind}"
    assert gzip.decompress((ASSETS / "served" / f"{made['served']}.gz").read_bytes()) == content


def test_nothing_else_is_served() -> None:
    served = {file.name for file in (ASSETS / "served").iterdir()}
    built = {made["served"] for made in VENDORED["files"].values()}
    assert served == built | {f"{name}.gz" for name in built}


def test_what_was_built_is_of_the_packages_in_the_lock() -> None:
    locked = json.loads((ASSETS / "package-lock.json").read_text("utf-8"))["packages"]
    asked = json.loads((ASSETS / "package.json").read_text("utf-8"))["devDependencies"]
    assert locked[""]["devDependencies"] == asked
    for name, taken in VENDORED["packages"].items():
        found = locked[f"node_modules/{name}"]
        assert (taken["version"], taken["integrity"]) == (found["version"], found["integrity"])
        assert taken["version"] == asked[name]
        assert taken["license"] in FREE


def test_what_was_built_is_of_the_own_files_as_they_are() -> None:
    own = {f"own/{file.name}": _sha256(file.read_bytes()) for file in (ASSETS / "own").iterdir()}
    assert own == VENDORED["sources"], "run `make assets`"


def test_the_licence_of_each_package_goes_with_it() -> None:
    licences = (ASSETS / "LICENSES.txt").read_text("utf-8")
    for name, taken in VENDORED["packages"].items():
        assert f"{name} {taken['version']} ({taken['license']})" in licences


def test_styles_name_nothing_outside_and_no_crown_or_font_of_others() -> None:
    styles = (ASSETS / "served" / VENDORED["files"]["console.css"]["served"]).read_text("utf-8")
    assert not re.findall(r"@import|@font-face|url\((?!\"?data:)", styles)
    assert "GDS Transport" not in styles


async def test_a_first_view_is_small_and_kept(frame: Door) -> None:
    visitor = frame.nobody(**{"Accept-Encoding": "gzip"})
    page = await visitor.get("/")
    addresses = [each.attributes["href"] for each in page.all("link[rel=stylesheet]")]
    addresses += [each.attributes["src"] for each in page.all("script")]

    transferred = len(page.response.content)
    for address in addresses:
        answer = (await visitor.get(str(address))).response
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        transferred += int(answer.headers["content-length"])

    assert len(addresses) == 2
    assert transferred <= A_VIEW


@pytest.mark.parametrize("name", ["nothing.css", "..%2fvendored.json", "vendored.json", "console.css"])
async def test_no_other_file_is_served(frame: Door, name: str) -> None:
    assert (await frame.nobody().get(f"/assets/{name}")).status == 404
