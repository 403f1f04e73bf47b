"""Being served by Temporal: workers wait until it has their namespace, and are built anew where it refused their polls.

The SDK polls on by itself where Temporal is away. Where Temporal answers and refuses (it came back empty and has no
namespace yet, or a key was taken back) the SDK ends the worker for good after a minute: that is waited out here.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import SettingError
from temporal.events import first_of

_ASK_SECONDS: Final = 4.0
_FIRST_PAUSE: Final = 0.5
# So soon is there work again once the namespace is.
_LONGEST_PAUSE: Final = 5.0
_NOT_FOUND: Final = "namespace_not_found"
UNAVAILABLE: Final = "unavailable"
# What passes by itself, or by what an operator does outside of this process.
_PASSES: Final = frozenset(
    {_NOT_FOUND, UNAVAILABLE, "permission_denied", "unauthenticated", "deadline_exceeded", "resource_exhausted"}
)
# Whatever else is answered to polls may pass too; so often in a row, each time soon after it began, it does not.
_TRIES: Final = 5
_SOON: Final = 60.0
# How the SDK's core tells what the server answered; whatever else ends a worker is no answer of the server.
_ANSWERED: Final = re.compile(r"^(?:Poll failure|Worker validation failed)\b")
_CODE: Final = re.compile(r"\bcode: (\w+)")
_log = structlog.get_logger(__name__)


class NotServedError(Exception):
    """Temporal does not serve the namespace: `why` is a word, `unavailable` where it did not answer at all."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class WorkersFailedError(Exception):
    """The workers ended by something that waiting does not mend."""


async def keep_serving(
    reach: Callable[[], Awaitable[Client]],
    serve: Callable[[Client], Awaitable[None]],
    stopping: asyncio.Event,
    *,
    told: Callable[[str | None], None] = lambda why: None,
    longest_pause: float = _LONGEST_PAUSE,
) -> None:
    """Serve until told to stop, again and again where Temporal was away or refused; each change of that is one line.

    Args:
        reach: connects anew each time: what the SDK knows of a worker that failed goes with its connection, and a key
            or a certificate that was changed is read again.
        serve: builds the workers and runs them; returns when told to stop or when Temporal refuses, and raises what
            ended a worker.
        stopping: set where the process is to end.
        told: hears why nothing is served, and None as soon as something is.
        longest_pause: between two tries, in seconds.

    Raises:
        WorkersFailedError: the workers failed for another reason than that Temporal does not serve them.
    """
    loop = asyncio.get_running_loop()
    said, pause, tries = "", _FIRST_PAUSE, 0
    while not stopping.is_set():
        try:
            client = await _reach(reach)
            if said:
                _log.info("worker_goes_on", after=said)
            said = ""
            told(None)
            begun = loop.time()
            try:
                await serve(client)
            except Exception as error:
                why = refusal(error)
                tries = 0 if why in _PASSES or loop.time() - begun >= _SOON else tries + 1
                if not why or tries >= _TRIES:
                    raise WorkersFailedError(why or type(error).__name__) from error
                raise NotServedError(why) from error
            finally:
                if loop.time() - begun >= _SOON:
                    pause = _FIRST_PAUSE
        except NotServedError as error:
            if error.why != said:
                _log.warning("worker_waits", why=error.why)
            said = error.why
            told(said)
        await first_of(stopping, within=pause)
        pause = min(pause * 2, longest_pause)


async def _reach(reach: Callable[[], Awaitable[Client]]) -> Client:
    """Connect, and ask for the namespace."""
    try:
        client = await reach()
    except SettingError as error:
        # Of a file that is just being changed: the process began with one that could be read.
        raise NotServedError("setting") from error
    except (RuntimeError, OSError) as error:
        raise NotServedError(_code(str(error.__cause__ or error)) or UNAVAILABLE) from error
    asked = DescribeNamespaceRequest(namespace=client.namespace)
    async with answering():
        await client.workflow_service.describe_namespace(asked)
    return client


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Ask within four seconds.

    Raises:
        NotServedError: Temporal did not answer, or refused.
    """
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            yield
    except RPCError as error:
        is_gone = error.status is RPCStatusCode.NOT_FOUND
        raise NotServedError(_NOT_FOUND if is_gone else error.status.name.lower()) from error
    except (TemporalError, TimeoutError, RuntimeError, OSError) as error:
        raise NotServedError(UNAVAILABLE) from error


def refusal(error: BaseException) -> str:
    """Return what the server answered to a worker's polls, as a word; empty where that is not what ended it."""
    for each in _causes(error):
        said = str(each)
        if _ANSWERED.match(said):
            return _code(said) or UNAVAILABLE
    return ""


def _code(said: str) -> str:
    found = _CODE.search(said)
    if found is None:
        return ""
    code = re.sub(r"(?<!^)(?=[A-Z])", "_", found[1]).lower()
    return _NOT_FOUND if code == "not_found" else code


def _causes(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__
