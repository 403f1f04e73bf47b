"""How errors of a step reach Temporal: what passes is retried, what is ours is not, and no text goes along."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.origins import recorded_for
from domain.errors import Defect, Refused, Unavailable
from domain.messages import Asked
from temporal.telemetry import place_of

_log = structlog.get_logger(__name__)


@contextmanager
def classified(step: str, asked: Asked | None = None, *, keeps_trying: bool = False) -> Iterator[None]:
    """Turn the errors of a step into failures that say their kind by type and quote nothing; its rows name who asked.

    A step that `keeps_trying` is retried after any error: for what must get through before a case may wait.

    Raises:
        ApplicationError: retryable `unavailable`, after `retry_after` where told; else not retryable, with the code of
            the refusal, the reason of the defect, or the class of an error that nobody expected.
    """
    try:
        with recorded_for(asked):
            yield
    except Unavailable as error:
        delay = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
        raise ApplicationError(
            error.reason, type="unavailable", next_retry_delay=delay, category=ApplicationErrorCategory.BENIGN
        ) from None
    except Refused as error:
        raise ApplicationError(error.code, type=error.code, non_retryable=not keeps_trying) from None
    except Defect as error:
        raise _defect(step, error, error.reason, keeps_trying=keeps_trying) from None
    except Exception as error:  # noqa: BLE001 - what nobody expected is a defect, told by its class alone
        raise _defect(step, error, type(error).__name__, keeps_trying=keeps_trying) from None


def _defect(step: str, error: Exception, reason: str, *, keeps_trying: bool) -> ApplicationError:
    """Return the failure of a defect; its one detail is where in the code it was raised."""
    place = place_of(error)
    _log.error("defect", step=step, reason=reason, at=place)
    return ApplicationError(reason, place, type=reason, non_retryable=not keeps_trying)
