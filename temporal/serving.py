"""Being served by Temporal: workers wait until it has their namespace, and are built anew where it refused their polls.

The SDK polls on by itself where Temporal is away. Where Temporal answers and refuses (it came back empty and has no
namespace yet, or a key was taken back) the SDK ends the worker for good: that is waited out here.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import structlog
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import SettingError

ASK_SECONDS: Final = 4.0
_FIRST_PAUSE: Final = 0.5
# So soon is there work again once the namespace is.
_LONGEST_PAUSE: Final = 5.0
_NOT_FOUND: Final = "namespace_not_found"
_UNAVAILABLE: Final = "unavailable"
# What passes by itself, or by what an operator does outside of this process.
_PASSES: Final = frozenset(
    {_NOT_FOUND, _UNAVAILABLE, "permission_denied", "unauthenticated", "deadline_exceeded", "resource_exhausted"}
)
# Whatever else is answered to polls may pass too; so often in a row, each time soon after it began, it does not.
_TRIES: Final = 5
_SOON: Final = 60.0
# How the SDK's core tells what the server answered; whatever else ends a worker is no answer of the server.
_ANSWERED: Final = re.compile(r"^(?:Poll failure|Worker validation failed)\b")
_CODE: Final = re.compile(r"\bcode: (\w+)")
_log = structlog.get_logger(__name__)


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
        serve: builds the workers and runs them; returns when told to stop, and raises what ended a worker.
        stopping: set where the process is to end.
        told: hears why nothing is served, and None as soon as something is.
        longest_pause: between two tries, in seconds.

    Raises:
        WorkersFailedError: the workers failed for another reason than that Temporal does not serve them.
    """
    loop = asyncio.get_running_loop()
    said, pause, tries = "", _FIRST_PAUSE, 0
    while not stopping.is_set():
        client, why = await _reach(reach)
        if client is not None and not why:
            if said:
                _log.info("worker_goes_on", after=said)
            said = ""
            told(None)
            begun = loop.time()
            try:
                await serve(client)
            except Exception as error:
                why = refusal(error)
                if loop.time() - begun >= _SOON:
                    pause, tries = _FIRST_PAUSE, 0
                tries = 0 if why in _PASSES else tries + 1
                if not why or tries >= _TRIES:
                    raise WorkersFailedError(why or type(error).__name__) from error
            else:
                return
        if why != said:
            _log.warning("worker_waits", why=why)
        said = why
        told(why)
        await _rest(pause, stopping)
        pause = min(pause * 2, longest_pause)


async def _reach(reach: Callable[[], Awaitable[Client]]) -> tuple[Client | None, str]:
    """Connect, and ask for the namespace; return why it serves nobody, or nothing where it does."""
    try:
        client = await reach()
    except SettingError:
        return None, "setting"  # of a file that is just being changed: the process began with one that could be read
    except (RuntimeError, OSError) as error:
        return None, _code(str(error)) or _UNAVAILABLE
    return client, await lacks(client)


async def lacks(client: Client) -> str:
    """Return why Temporal does not serve the client's namespace; empty where it does."""
    asked = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await client.workflow_service.describe_namespace(asked)
    except RPCError as error:
        return _NOT_FOUND if error.status is RPCStatusCode.NOT_FOUND else error.status.name.lower()
    except (TemporalError, TimeoutError, RuntimeError, OSError):
        return _UNAVAILABLE
    return ""


def refusal(error: BaseException) -> str:
    """Return what the server answered to a worker's polls, as a word; empty where that is not what ended it."""
    for each in _causes(error):
        said = str(each)
        if _ANSWERED.match(said):
            return _code(said) or _UNAVAILABLE
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


async def _rest(seconds: float, stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
