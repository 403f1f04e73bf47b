"""The examples of the OpenAPI document: one of every body, and each no more than its schema says."""

import os
from importlib.resources import files
from typing import Any

import orjson
import pytest

from api.examples import FILE, PLACES, read_examples
from api.openapi import bodies_of
from tests.api.conftest import Stage
from tests.api.documented import misfits
from tests.api.every_route import walk_all
from tests.api.recording import Recording, place_of
from tests.api.routes import published

DOCUMENT = published()
OPERATIONS = [operation for ways in DOCUMENT["paths"].values() for operation in ways.values()]
BODIES: list[tuple[list[str], dict[str, Any]]] = [each for operation in OPERATIONS for each in bodies_of(operation)]
NAMES = sorted({name for names, _ in BODIES for name in names})


@pytest.mark.parametrize("name", NAMES)
def test_each_body_has_an_example_that_its_schema_takes(name: str) -> None:
    example = read_examples()[name]

    for names, said in [each for each in BODIES if name in each[0]]:
        assert next(iter(said["examples"])) == "sample"
        shown = [f"#/components/examples/{each}" for each in names]
        assert [each["$ref"] for each in said["examples"].values()] == shown
        assert misfits(DOCUMENT, said["schema"], example) == []


def test_no_example_stands_without_its_body() -> None:
    assert sorted(read_examples()) == NAMES


def test_an_example_stands_in_the_room_of_its_programme() -> None:
    for package in PLACES:
        file = files(package).joinpath(FILE)
        assert {place_of(name) for name in orjson.loads(file.read_bytes())} <= {package}


@pytest.mark.skipif("HETAO_RECORD_EXAMPLES" not in os.environ, reason="writes the examples anew (`make examples`)")
async def test_record_examples(stage: Stage) -> None:
    recording = Recording(stage.app)
    stage.client.event_hooks["response"].append(recording.look)
    await walk_all(stage)

    recording.write()
