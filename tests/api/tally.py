"""Counts the generated requests that are sent, over all processes of a run; a plugin: `-p tests.api.tally`.

At the end the counts are printed, and the run fails where they do not amount to what `make fuzz` promises.
"""

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

LEAST = int(os.environ.get("HETAO_FUZZ_LEAST", "10000"))
Key = tuple[str, str]


class Tally:
    """How many requests were sent to a route as a role, and how many of them succeeded."""

    def __init__(self) -> None:
        self.sent: Counter[Key] = Counter()
        self.taken: Counter[Key] = Counter()

    def note(self, route: str, role: str, status: int) -> None:
        """Count a request that was sent and what it was answered."""
        self.sent[route, role] += 1
        self.taken[route, role] += status < 300

    def rows(self) -> list[tuple[str, str, int, int]]:
        """Return the counts as a process hands them on."""
        return [(*key, count, self.taken[key]) for key, count in sorted(self.sent.items())]

    def add(self, rows: list[tuple[str, str, int, int]]) -> None:
        """Add the counts of another process."""
        for route, role, sent, taken in rows:
            self.sent[route, role] += sent
            self.taken[route, role] += taken

    def missing(self, expected: Mapping[str, list[str]], least: int) -> list[str]:
        """Say what was promised and not done, given the roles that each route is for."""
        by_role, by_route = self.by(1), self.by(0)
        roles = sorted({role for fitting in expected.values() for role in fitting})
        found = [f"{self.sent.total()} requests were sent, of {least}"] if self.sent.total() < least else []
        found += [f"{route} was never tried" for route in expected if not by_route[route]]
        found += [f"{role} was never tried" for role in roles if not by_role[role]]
        tried = [(route, role) for route in expected for role in expected[route] if by_route[route]]
        found += [f"{route} was never tried as {role}" for route, role in tried if not self.sent[route, role]]
        succeeded = self.by(1, self.taken)
        return found + [f"no request as {role} succeeded" for role in roles if by_role[role] and not succeeded[role]]

    def by(self, part: int, counts: Counter[Key] | None = None) -> Counter[str]:
        """Return the counts of the requests by route (0) or by role (1)."""
        found: Counter[str] = Counter()
        for key, count in (self.sent if counts is None else counts).items():
            found[key[part]] += count
        return found

    def lines(self) -> list[str]:
        """Return the counts by route, by role and in all, as they are printed."""
        taken, of_route, shown = self.by(1, self.taken), self.by(0, self.taken), []
        for route, count in sorted(self.by(0).items()):
            roles = ", ".join(f"{role} {number}" for (name, role), number in sorted(self.sent.items()) if name == route)
            shown.append(f"{count:6} {route}, {of_route[route]} of them succeeded: {roles}")
        shown += [f"{count:6} as {role}, {taken[role]} of them succeeded" for role, count in sorted(self.by(1).items())]
        return [*shown, f"{self.sent.total():6} requests in all, {self.taken.total()} of them succeeded"]


TALLY = Tally()
_LACKS: list[str] = []


def _expected() -> dict[str, list[str]]:
    """Return the roles that each route is for, by the published document."""
    from tests.api.routes import fitting_roles  # not before pytest has found its conftest files

    return fitting_roles()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take the counts of a process of pytest-xdist that has ended."""
    TALLY.add(getattr(node, "workeroutput", {}).get("requests", []))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the counts on, or, in the process that has them all, fail where something is missing."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["requests"] = TALLY.rows()
        return
    if session.config.option.collectonly:
        return
    _LACKS.extend(TALLY.missing(_expected(), LEAST))
    if _LACKS and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the counts."""
    terminalreporter.section("generated requests")
    for line in TALLY.lines():
        terminalreporter.write_line(line)
    for line in _LACKS:
        terminalreporter.write_line(f"MISSING: {line}", red=True)
