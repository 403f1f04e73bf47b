from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.sandbox.programs import Program
from tests.sandbox.receiver import Receiver


@pytest_asyncio.fixture(scope="session")
async def receiver_of_session() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest_asyncio.fixture(scope="session")
async def authority_of_session(
    tmp_path_factory: pytest.TempPathFactory, receiver_of_session: Receiver
) -> AsyncIterator[Program]:
    program = Program("authority", tmp_path_factory.mktemp("authority"), receiver_of_session.url).start()
    yield program
    program.stop()


@pytest_asyncio.fixture(scope="session")
async def mail_of_session(
    tmp_path_factory: pytest.TempPathFactory, receiver_of_session: Receiver
) -> AsyncIterator[Program]:
    program = Program("mail", tmp_path_factory.mktemp("mail"), receiver_of_session.url).start()
    yield program
    program.stop()


@pytest.fixture
def receiver(receiver_of_session: Receiver) -> Receiver:
    return receiver_of_session


@pytest_asyncio.fixture
async def authority(authority_of_session: Program, receiver: Receiver) -> AsyncIterator[Program]:
    yield authority_of_session
    authority_of_session.mood("normal", keep=False)


@pytest_asyncio.fixture
async def mail(mail_of_session: Program, receiver: Receiver) -> AsyncIterator[Program]:
    yield mail_of_session
    mail_of_session.mood("normal")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path
