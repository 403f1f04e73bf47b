"""What tests of cases work with: a context on the test's own database, actors, and the sample employers."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import orjson
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cases.programme import Programme
from cases.shared.context import Context
from cases.shared.idempotency import Idempotency
from cases.shared.json_text import json_text
from domain.actors import PARK, Actor, Role, system
from domain.clock import CHINA
from domain.employers import RegisterFile
from policy.limits import Limits, limits_of
from policy.pack import PackShelves
from policy.packs import load_limits, load_rule_packs
from programmes import PROGRAMMES
from proof.checkpoints import COSIGNATURE, verifier_key
from register.employers import load_register
from store.erasure_list import ErasureList
from store.key_file import generate
from store.keyring import Keyring
from tests.pools import POOLS
from tests.rows import rows_of
from tests.services import SEALER_URLS

NOON = datetime(2026, 3, 2, 12, tzinfo=CHINA)  # a Monday
SUPERVISOR = Actor(issuer="test", subject="supervisor", role=Role.SUPERVISOR)
SUPERVISOR_2 = Actor(issuer="test", subject="supervisor-2", role=Role.SUPERVISOR)
OFFICER = Actor(issuer="test", subject="officer-1", role=Role.OFFICER)
EMPLOYER_A = Actor(issuer="test", subject="hr-a", role=Role.EMPLOYER, employer_id="emp-a")
EMPLOYER_B = Actor(issuer="test", subject="hr-b", role=Role.EMPLOYER, employer_id="emp-b")
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"w")
WITNESS_KEY = verifier_key("witness.test/w1", WITNESS, COSIGNATURE)
EXAMPLES = Path(__file__).parents[2] / "examples"


class Clock:
    """A clock that a test sets."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@asynccontextmanager
async def open_context(
    url: str, clock: Clock, keyring: Keyring | None = None, programmes: Mapping[str, Programme] = PROGRAMMES
) -> AsyncIterator[Context]:
    """Open a context on a database, with the keys of all tests unless told."""
    keyring = keyring or shared_keyring()
    async with POOLS.database(url) as database, POOLS.database(SEALER_URLS[url], stands_for=PARK) as sealer:
        with TemporaryDirectory() as folder:
            yield Context(
                database=database,
                keyring=keyring,
                packs=packs(programmes),
                # Employers of tests are mailed at once, as those of the embedded stack, so that a test waits for no
                # morning.
                limits=replace(limits(), digest_by_default=False),
                clock=clock,
                programmes=programmes,
                own_limits=own_limits(),
                witness_keys=(WITNESS_KEY,),
                erasure_list=ErasureList(Path(folder) / "erasures.jsonl", keyring),
                sealer_database=sealer,
            )


@cache
def shared_keys() -> dict[str, Any]:
    """Return the keys of all tests of a process: those that the process was handed, or new ones."""
    handed = os.environ.get("HETAO_TEST_KEYS")
    return json.loads(handed) if handed else generate()


@cache
def shared_keyring() -> Keyring:
    """Return one keyring for all tests of a process."""
    return Keyring.parse(shared_keys())


_rule_packs = cache(load_rule_packs)


def packs(programmes: Mapping[str, Programme] = PROGRAMMES) -> PackShelves:
    """Return shelves of their own, since tests publish; what they begin with is read once."""
    sources = dict.fromkeys(source for each in programmes.values() for source in each.packs)
    return PackShelves(pack for source in sources for pack in _rule_packs(source))


@cache
def own_limits(parameters: str = "default") -> Mapping[str, object]:
    """Return the limits that each programme has for itself, of a set of parameters."""
    return {code: each.limits.read(load_limits(parameters)) for code, each in PROGRAMMES.items()}


@cache
def limits(parameters: str = "default") -> Limits:
    """Return the limits of a set of parameters, read once."""
    return limits_of(load_limits(parameters))


@cache
def sample_register() -> RegisterFile:
    """Return the sample employers and premises."""
    return RegisterFile.model_validate(yaml.safe_load((EXAMPLES / "employers.yaml").read_text(encoding="utf-8")))


async def load_samples(context: Context) -> None:
    """Load the sample employers and premises; the same as in a test before are put back as they were loaded then."""
    rows = rows_of(context.database.engine.url)
    if rows is None or context.keyring is not shared_keyring():
        await load_register(context, system("register_load"), sample_register())
    elif not await rows.put_back(context.clock()):
        await load_register(context, system("register_load"), sample_register())
        await rows.keep(context.clock())


def key(route: str = "test", name: str | None = None, body: bytes = b"{}") -> Idempotency:
    """Return what names one write, a new one where no name is given."""
    return Idempotency(route, name or str(uuid4()), body)


def shown(value: Any) -> Any:
    """Return what is shown as its reader has it: JSON without the links that the API adds."""
    return orjson.loads(json_text(value))


def registration_body(**person: Any) -> dict[str, Any]:
    """Return a registration without defects."""
    return {
        "person": {
            "name_zh": "冯承泽",
            "identity_number": "44030419900307123X",
            "permit_card_number": "C12345678",
            "permit_card_valid_until": "2035-03-16",
            "email": "feng@example.com",
            "phone": "+8613812345678",
            "language": "zh-Hans",
            **person,
        },
        "employment": {
            "position": "研究员",
            "work_site": "SZP-001",
            "employment_kind": "contract",
            "contract_start": "2025-01-01",
            "contract_end": "2028-12-31",
            "state_worker": False,
        },
        "destinations": ["HK", "MO"],
    }
