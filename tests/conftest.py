"""Fixtures that every test may ask for: a database of its process, and a Temporal that skips time."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from typing import Any

import pytest
import pytest_asyncio
import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkipper

from sandbox.stack.postgres import OWNER, SEALER, PostgresServer
from store.migrate import upgrade
from tests.pools import POOLS
from tests.rows import ROWS, Rows
from tests.schedule import HeaviestFirst, heaviest_first
from tests.services import SEALER_URLS, Addresses, Services

# What commands are told by; pytest keeps the environment's other changes apart itself.
_TOLD_BY = ("HETAO_", "TEMPORAL_")
_SERVICES = pytest.StashKey[Services]()
_ADDRESSES = pytest.StashKey[Addresses]()
# Where workers are versioned all new work goes to one of them: a namespace for tests/workflows/test_versions.py alone.
VERSIONED = "versions"


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _processes(config: pytest.Config) -> int:
    return len(config.getoption("tx", default=None) or [])


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers once where several processes share them; a single process starts them when first needed."""
    if _processes(config) and not _is_worker(config) and not config.option.collectonly:
        config.stash[_ADDRESSES] = _start(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers that this process started."""
    services = config.stash.get(_SERVICES, None)
    if services is not None:
        services.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the servers' addresses to a process of pytest-xdist."""
    if _ADDRESSES in node.config.stash:
        node.workerinput["addresses"] = asdict(node.config.stash[_ADDRESSES])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> HeaviestFirst | None:
    """Hand out the heaviest files first, where whole files are handed out."""
    return HeaviestFirst(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the heaviest files first, in every process alike."""
    items[:] = heaviest_first(items)


def _start(config: pytest.Config) -> Addresses:
    names = [f"gw{number}" for number in range(_processes(config))] or ["master"]
    names.append(VERSIONED)
    services = config.stash[_SERVICES] = Services(namespaces=tuple(f"test-{name}" for name in names))
    return services.start()


@pytest.fixture(autouse=True, scope="session")
def _uncached_loggers() -> Iterator[None]:
    """Have every line of a log written as it is configured by then.

    A logger that was told to keep what it was configured with when it first wrote a line would write so for ever, past
    everything that a later test of the process configures or captures.
    """
    configure = structlog.configure

    def keeping_nothing(**told: Any) -> None:
        configure(**told | {"cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", keeping_nothing)
        yield


@pytest.fixture(autouse=True)
def _own_log() -> None:
    """Forget how a command that was run in this process logs: warnings alone, to standard error.

    Before each test and not after it: a fixture of a whole module may run a command too.
    """
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _kept_environment() -> Iterator[None]:
    """Undo what a command that is run in this process, such as `hetao … --data-dir`, put into the environment."""
    before = {name: value for name, value in os.environ.items() if name.startswith(_TOLD_BY)}
    yield
    for name in [name for name in os.environ if name.startswith(_TOLD_BY) and name not in before]:
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def addresses(request: pytest.FixtureRequest) -> Addresses:
    """Where the run's PostgreSQL and Temporal are."""
    config = request.config
    if _is_worker(config):
        return Addresses(**config.workerinput["addresses"])  # type: ignore[attr-defined]  # Set by pytest-xdist.
    if _ADDRESSES not in config.stash:
        config.stash[_ADDRESSES] = _start(config)
    return config.stash[_ADDRESSES]


@pytest.fixture(scope="session")
def postgres(addresses: Addresses) -> PostgresServer:
    """The run's PostgreSQL: `url`, `create_database`, `drop_database`, `run_sql`."""
    return addresses.postgres


@pytest.fixture(scope="session")
def database_name(postgres: PostgresServer, worker_id: str) -> str:
    """The database of this process, at the newest schema."""
    name = f"hetao_test_{worker_id}"
    postgres.create_database(name)
    upgrade(postgres.url(role=OWNER, database=name))
    return name


@pytest.fixture(scope="session")
def database_url(postgres: PostgresServer, database_name: str) -> str:
    """The address of this process's database as the application role."""
    url = postgres.url(database=database_name)
    SEALER_URLS[url] = postgres.url(role=SEALER, database=database_name)
    return url


@pytest.fixture(scope="session")
def owner_url(postgres: PostgresServer, database_name: str) -> str:
    """The address of this process's database as the owner of the tables."""
    return postgres.url(role=OWNER, database=database_name)


@pytest_asyncio.fixture(scope="session")
async def rows(postgres: PostgresServer, database_name: str, database_url: str) -> AsyncIterator[Rows]:
    """Removes all rows of this process's database, and puts back those that many tests begin with."""
    async with Rows.open(postgres, database_name) as rows:
        ROWS[database_url] = rows
        yield rows
        del ROWS[database_url]


@pytest_asyncio.fixture(scope="session")
async def pools() -> AsyncIterator[None]:
    """Connections that are kept from test to test."""
    async with POOLS.open():
        yield


@pytest_asyncio.fixture
async def clean_database(rows: Rows, pools: None, database_url: str) -> str:
    """The address of this process's database as the application role, all tables emptied before the test."""
    await rows.empty()
    return database_url


@pytest.fixture
def empty_database(postgres: PostgresServer, worker_id: str) -> Iterator[str]:
    """The name of a database without any table, removed after the test; for tests of migrations."""
    name = f"hetao_empty_{worker_id}"
    postgres.drop_database(name)
    postgres.create_database(name)
    yield name
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def temporal_address(addresses: Addresses) -> str:
    """Host and port of the run's Temporal."""
    return addresses.temporal


@pytest.fixture(scope="session")
def temporal_namespace(worker_id: str) -> str:
    """The namespace of this process, so that lists and schedules show no other process's work."""
    return f"test-{worker_id}"


@pytest_asyncio.fixture(scope="session")
async def temporal_client(temporal_address: str, temporal_namespace: str) -> AsyncIterator[Client]:
    """A client with the pydantic converter and no codec; time passes as it does outside."""
    yield await Client.connect(temporal_address, namespace=temporal_namespace, data_converter=pydantic_data_converter)


@pytest.fixture(scope="session")
def temporal_env(temporal_client: Client) -> TimeSkipper:
    """Skips time for each workflow started through its `client`; `fast_forward(handle, duration)` moves one's clock.

    Start a workflow that waits for a message inside `with_time_skipping_disabled()`, else its timers fire first.
    Wrap a client with another data converter in a `TimeSkipper` of its own.
    """
    return TimeSkipper(temporal_client)
