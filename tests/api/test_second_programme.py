"""A second programme adds to the OpenAPI document and changes nothing of the first's: clients of it need not know."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.api.routes import published

ROOT: Final = Path(__file__).parents[2]
ALONE: Final = published()


@pytest.fixture(scope="module")
def both() -> dict[str, Any]:
    """Return the document of a process whose registry has another programme from its start."""
    asked = [sys.executable, "-m", "tests.programmes.whole"]
    made = subprocess.run(asked, cwd=ROOT, capture_output=True, check=True, timeout=120)
    document: dict[str, Any] = json.loads(made.stdout)
    return document


def _ways(node: Any) -> list[Any]:
    """Return the ways in which something may be given, of which one more is an addition."""
    if isinstance(node, dict) and node.get("anyOf"):
        return list(node["anyOf"])
    return [{key: value for key, value in node.items() if key == "$ref"}] if isinstance(node, dict) else [node]


def _changed(before: Any, after: Any, at: str = "") -> Iterator[str]:
    """Yield where something is not as it was; one more way, code, field that may be left out, or example is none."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        if "anyOf" in after and ("anyOf" in before or "$ref" in before):
            if any(way not in after["anyOf"] for way in _ways(before)):
                yield at
            before = {key: value for key, value in before.items() if key not in ("anyOf", "$ref")}
            after = {key: value for key, value in after.items() if key != "anyOf"}
        for key in before:
            yield from _changed(before[key], after.get(key), f"{at}/{key}")
        may_be_more = at.endswith("/examples") or at == ""
        yield from (f"{at} has {key}" for key in set(after) - set(before) if not may_be_more)
    elif at.endswith("/enum"):
        yield from (f"{at} lost {each}" for each in set(before) - set(after))
    elif at.endswith("/kinds/maxItems"):
        yield from (at,) if after < before else ()
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changed(old, new, f"{at}/{number}")
    else:
        yield at


def test_a_second_programme_changes_no_call_and_no_schema_of_the_first(both: dict[str, Any]) -> None:
    assert list(_changed(ALONE["paths"], both["paths"])) == []
    before, after = ALONE["components"], both["components"]
    assert list(_changed(before["schemas"], after["schemas"])) == []
    assert set(both["paths"]) - set(ALONE["paths"]) > {"/v1/toys/{reference}/facts", "/v1/me/broken-toys", "/v1/shelf"}


def _named_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(named := node.get("$ref"), str):
            yield named.rpartition("/")[2]
        for each in node.values():
            yield from _named_in(each)
    elif isinstance(node, list):
        for each in node:
            yield from _named_in(each)


def _reached(document: dict[str, Any], paths: set[str]) -> set[str]:
    """Return the names of all schemas that calls carry, those within others too."""
    schemas, found = document["components"]["schemas"], set[str]()
    more = {name for path in paths for name in _named_in(document["paths"][path]) if name in schemas}
    while more:
        found |= more
        more = {name for each in more for name in _named_in(schemas[each])} - found
    return found


def test_what_is_asked_of_a_case_of_the_first_carries_nothing_of_the_second(both: dict[str, Any]) -> None:
    own = {path for path in ALONE["paths"] if path.startswith("/v1/registrations")}
    # Notices and tasks of any case name its track, as whichever programme calls it.
    assert _reached(both, own) == _reached(ALONE, own) | {"Workshop"}


def test_names_stay_short_and_are_told_apart_by_no_module(both: dict[str, Any]) -> None:
    schemas = set(both["components"]["schemas"])
    assert [name for name in schemas if not name.isalpha()] == []
    added = schemas - set(ALONE["components"]["schemas"])
    assert {"ToyCaseView", "ToyCasePage", "ToyOpenedFacts", "ToyRecordedFactView", "Workshop", "ShelfPage"} < added
    names = [each["operationId"] for ways in both["paths"].values() for each in ways.values()]
    assert len(set(names)) == len(names)


def test_an_answer_that_is_of_one_of_several_programmes_has_an_example(both: dict[str, Any]) -> None:
    for status in ("200", "202"):
        said = both["paths"]["/v1/tasks/{task_id}/answer"]["post"]["responses"][status]
        assert said["content"]["application/json"]["examples"]["sample"] == {"$ref": "#/components/examples/CaseView"}
        alone = ALONE["paths"]["/v1/tasks/{task_id}/answer"]["post"]["responses"][status]
        assert said["description"] == alone["description"]
