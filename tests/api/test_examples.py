"""The examples of the OpenAPI document: one of every body, and each no more than its schema says."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

import api
from api.examples import FILE, read_examples
from api.openapi import bodies_of
from tests.api.conftest import Stage
from tests.api.documented import misfits
from tests.api.every_route import walk_all
from tests.api.recording import Recording
from tests.api.routes import published

DOCUMENT = published()
OPERATIONS = [operation for ways in DOCUMENT["paths"].values() for operation in ways.values()]
BODIES: list[tuple[str, dict[str, Any]]] = [each for operation in OPERATIONS for each in bodies_of(operation)]


@pytest.mark.parametrize("name", sorted({name for name, _ in BODIES}))
def test_each_body_has_an_example_that_its_schema_takes(name: str) -> None:
    example = read_examples()[name]

    for said in [said for other, said in BODIES if other == name]:
        assert said["examples"] == {"sample": {"$ref": f"#/components/examples/{name}"}}
        assert misfits(DOCUMENT, said["schema"], example) == []


def test_no_example_stands_without_its_body() -> None:
    assert set(read_examples()) == {name for name, _ in BODIES}


@pytest.mark.skipif("HETAO_RECORD_EXAMPLES" not in os.environ, reason="writes the examples anew (`make examples`)")
async def test_record_examples(stage: Stage) -> None:
    recording = Recording(stage.app)
    stage.client.event_hooks["response"].append(recording.look)
    await walk_all(stage)

    written = orjson.dumps(recording.examples, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    Path(api.__file__).with_name(FILE).write_bytes(written + b"\n")
