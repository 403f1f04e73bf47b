"""What the API counts of calls: answered, how fast, in progress, and those that were refused, by the published code."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

ANSWERED: Final = Counter("hetao_http_requests", "Calls answered.", ["method", "route", "status"])
LATENCY: Final = Histogram("hetao_http_request_seconds", "Time to the answer.", ["method", "route"], buckets=_SECONDS)
IN_PROGRESS: Final = Gauge("hetao_http_requests_in_progress", "Calls that are not answered to their end yet.")
# The published code of the problem; with 503 what does not answer: `database`, `temporal`, or `busy` in a crowd.
REFUSED: Final = Counter("hetao_http_refused", "Calls refused, by why.", ["reason"])
