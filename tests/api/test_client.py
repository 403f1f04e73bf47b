"""A client that a public generator makes of the OpenAPI document does the main job on the real application."""

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from register.rosters.file import XLSX_TYPES
from tests.api.conftest import Stage
from tests.api.routes import published
from tests.cases.contexts import registration_body

PACKAGE = "hetao_client"
# What the generator has no type for is handed out as it came.
_AS_BYTES = dict.fromkeys(("text/csv", "application/x-ndjson", *XLSX_TYPES), "application/octet-stream")


class Made:
    """A generated package."""

    def module(self, name: str) -> ModuleType:
        """Import a part of it."""
        return importlib.import_module(f"{PACKAGE}.{name}")

    def client(self, stage: Stage, persona: str) -> Any:
        """Return its client for a persona, on the application of a stage."""
        token = stage.issuer.sign(stage.issuer.claims(persona, stage.clock()))
        transport = httpx.ASGITransport(stage.app, raise_app_exceptions=False)
        made = self.module("client").AuthenticatedClient
        return made(base_url="https://permits.test", token=token, httpx_args={"transport": transport})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Generate the package as anyone would, from the document alone."""
    place = tmp_path_factory.mktemp("client")
    document = place / "openapi.json"
    document.write_bytes(orjson.dumps(published()))
    wanted = ConfigFile(post_hooks=[], package_name_override=PACKAGE, content_type_overrides=_AS_BYTES)
    errors = generate(
        config=Config.from_sources(wanted, MetaType.NONE, document, "utf-8", True, output_path=place / PACKAGE)
    )
    assert [(error.header, error.detail) for error in errors] == []
    sys.path.insert(0, str(place))
    try:
        yield Made()
    finally:
        sys.path.remove(str(place))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]
        shutil.rmtree(place)


def test_a_client_has_a_function_for_each_operation(made: Made) -> None:
    place = Path(str(made.module("api").__file__)).parent
    functions = {path.stem for path in place.glob("*/*.py")} - {"__init__"}
    operations = [operation for ways in published()["paths"].values() for operation in ways.values()]

    assert {name.replace("_", "") for name in functions} == {each["operationId"].lower() for each in operations}


async def test_a_generated_client_registers_decides_and_reads(made: Made, stage: Stage) -> None:
    models, employers, staff = made.module("models"), "api.employers", "api.staff"
    employer, officer = made.client(stage, "employer-a"), made.client(stage, "officer-1")
    asked = models.RegistrationRequest.from_dict(registration_body())

    case = await made.module(f"{employers}.submit_registration").asyncio(
        client=employer, body=asked, idempotency_key=uuid4().hex
    )
    await stage.settle()
    assert isinstance(case, models.CaseView)

    again = await made.module(f"{employers}.submit_registration").asyncio(
        client=employer, body=asked, idempotency_key=uuid4().hex
    )
    assert isinstance(again, models.Problem)
    assert (again.status, again.code.value) == (409, "live_registration_exists")

    page = await made.module(f"{staff}.list_tasks").asyncio(client=officer, kind=models.TaskKind.REVIEW)
    assert [task.reference for task in page.items] == [case.reference]

    read = made.module(f"{employers}.read_case")
    under_review = await read.asyncio(case.reference, client=officer)
    decision = models.DecisionRequest(action=models.DecisionAction.APPROVE, round_=under_review.round_)
    decided = await made.module(f"{staff}.decide_case").asyncio(
        case.reference, client=officer, body=decision, idempotency_key=uuid4().hex
    )
    assert decided.stage is models.Stage.APPROVED
    assert decided.permit_obstacles == []

    shown = await read.asyncio(case.reference, client=employer)
    assert shown.person.name_zh == asked.person.name_zh
    assert shown.to_dict() == (await stage.as_("employer-a").get(f"/v1/registrations/{case.reference}")).json()
