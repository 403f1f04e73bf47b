"""Named timeouts and retry policies of all steps, in one place."""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy

# A step is one short transaction on PostgreSQL; a longer one is a hang.
STEP_TIMEOUT: Final = timedelta(seconds=10)
# Tried in this worker first; in an outage a regular activity then waits without filling the history (design, 4).
LOCAL_STEP_TRIES: Final = timedelta(seconds=10)
# A call outward with its two transactions; the adapter's own timeout is shorter.
CALL_TIMEOUT: Final = timedelta(seconds=45)
# No run is older than 13 months, so that patches, keys and builds are kept for 14 and not for ever.
LONGEST_SLEEP: Final = timedelta(days=365)
POLL_TIMEOUT: Final = timedelta(minutes=5)
# Telling all cases of an employer of its standing, five hundred a chunk, each with a heartbeat.
SPREAD_TIMEOUT: Final = timedelta(minutes=30)
SPREAD_HEARTBEAT: Final = timedelta(minutes=2)
# A run of deliveries ends by itself after five minutes and what is then under way; it heartbeats every five seconds.
DELIVER_TIMEOUT: Final = timedelta(minutes=10)
DELIVER_HEARTBEAT: Final = timedelta(seconds=20)
# A round of the archive has as much to copy as closed since the last one; each batch heartbeats.
ARCHIVE_TIMEOUT: Final = timedelta(hours=2)
ARCHIVE_HEARTBEAT: Final = timedelta(minutes=2)
# Persons and rosters one by one, each a transaction of its own; a repeat goes on after the last heartbeat.
RETENTION_HEARTBEAT: Final = timedelta(minutes=2)
# A stretch of a thousand leaves takes well under a second; a repeat goes on after the last heartbeat.
SEAL_HEARTBEAT: Final = timedelta(minutes=2)
# All cases in one night; a repeat goes on after the last heartbeat.
NIGHTLY_TIMEOUT: Final = timedelta(hours=12)

# Without an end: PostgreSQL or the authority being away is waited out, and errors that are ours are not retried.
PATIENTLY: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2.0, maximum_interval=timedelta(minutes=1)
)
# Counted, since the SDK ends no local activity between two tries, however long ago it was scheduled.
LOCALLY: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=2),
    maximum_attempts=6,
)
# Outward calls back off further, so that an authority that comes back is not trampled.
OUTWARD: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2.0, maximum_interval=timedelta(minutes=5)
)
