"""The books of the stand-in exit-entry administration: list entries, reports, and the answers it has given."""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from domain.clock import CHINA
from sandbox.standins import outbox
from sandbox.standins.books import Books
from sandbox.standins.moods import Mood, count_met

SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT, entry_id TEXT UNIQUE NOT NULL, key TEXT UNIQUE NOT NULL,
    case_id TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, received_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_case ON entries (case_id, number);
CREATE INDEX IF NOT EXISTS entries_person ON entries (
    json_extract(body, '$.person.identity_number'), json_extract(body, '$.destination')
);
CREATE INDEX IF NOT EXISTS entries_waiting ON entries (number) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS reports (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL, what TEXT NOT NULL, cases TEXT NOT NULL,
    body TEXT NOT NULL, answered INTEGER NOT NULL DEFAULT 0, received_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS reports_waiting ON reports (number) WHERE answered = 0;
CREATE TABLE IF NOT EXISTS plans (
    number INTEGER PRIMARY KEY AUTOINCREMENT, entry INTEGER NOT NULL, outcome TEXT NOT NULL, due REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS answers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, outcome_id TEXT NOT NULL, case_id TEXT NOT NULL, body TEXT NOT NULL,
    given_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_case ON answers (case_id, seq);
{outbox.SCHEMA}
"""
# The permit of domain.md section 1: three years, many entries, 30 days a stay.
TERM_YEARS: Final = 3
STAY_DAYS: Final = 30
FIRST_ANSWER_SECONDS: Final = 0.3
LAST_ANSWER_SECONDS: Final = 0.8
SLOW_FACTOR: Final = 10
# Ends of permit card numbers that this stand-in refuses: everywhere, and for Macao only.
REFUSED_EVERYWHERE: Final = "0404"
REFUSED_FOR_MACAO: Final = "0405"
# Those of which the first term is so short that it is to be renewed at once.
SHORT_TERM: Final = "0406"
SHORT_TERM_DAYS: Final = 60
FINAL: Final = frozenset({"refused", "withdrawn", "cancelled", "revoked"})
# After it, what was to end goes on.
RESTORED: Final = "registration_restored"
GIVEN_UP: Final = "destination_given_up"
ENDING: Final = frozenset({"registration_ended", "registration_revoked", "employer_left_park", GIVEN_UP})


class AuthorityBook:
    """What the stand-in knows; its methods that write are one transaction each."""

    def __init__(self, path: Path, clock: Callable[[], datetime] = lambda: datetime.now(CHINA)) -> None:
        self.books = Books(path, SCHEMA)
        self._clock = clock
        self.outbox: outbox.Outbox | None = None

    def _now(self) -> datetime:
        return self._clock().astimezone(CHINA).replace(microsecond=0)

    def entry(self, key: str) -> dict[str, Any] | None:
        """Return the list entry taken under an idempotency key."""
        return self.books.find("SELECT * FROM entries WHERE key = ?", key)

    def take_entry(self, key: str, body: Mapping[str, Any]) -> str:
        """Record a list entry and return its id."""
        entry_id = f"E-{uuid.uuid4().hex[:12]}"
        with self.books.transaction():
            self.books.execute(
                "INSERT INTO entries (entry_id, key, case_id, body, state, received_at)"
                " VALUES (?, ?, ?, ?, 'waiting', ?)",
                entry_id,
                key,
                body["case"],
                canonical(body),
                self._now().isoformat(),
            )
        return entry_id

    def find_entries(self, case: str, destination: str, identity_number: str) -> list[dict[str, Any]]:
        """Return the list entries of a case and those of a person for one destination, the oldest first."""
        rows = self.books.rows(
            "SELECT * FROM entries WHERE case_id = ? OR (json_extract(body, '$.destination') = ?"
            " AND json_extract(body, '$.person.identity_number') = ?) ORDER BY number",
            case,
            destination,
            identity_number,
        )
        return [
            {
                "entry_id": row["entry_id"],
                "idempotency_key": row["key"],
                "state": "received" if row["state"] in ("waiting", "listed") else row["state"],
                **json.loads(row["body"]),
            }
            for row in rows
        ]

    def report(self, key: str) -> dict[str, Any] | None:
        """Return the report taken under an idempotency key."""
        return self.books.find("SELECT * FROM reports WHERE key = ?", key)

    def take_report(self, key: str, cases: list[str], body: Mapping[str, Any]) -> None:
        """Record a report about one case or several."""
        with self.books.transaction():
            self.books.execute(
                "INSERT INTO reports (key, what, cases, body, received_at) VALUES (?, ?, ?, ?, ?)",
                key,
                body["what"],
                json.dumps(cases),
                canonical(body),
                self._now().isoformat(),
            )

    def change_entry(self, key: str, body: Mapping[str, Any]) -> bool:
        """Record how an entry has to be from now on; whether there is one."""
        entry = self._last_entry(body["case"])
        if entry is None:
            return False
        listed = json.loads(entry["body"]) | {"person": body["person"]}
        listed |= {name: body[name] for name in ("employer", "registration_number") if body[name] is not None}
        with self.books.transaction():
            self.books.execute("UPDATE entries SET body = ? WHERE number = ?", canonical(listed), entry["number"])
            self.books.execute(
                "INSERT INTO reports (key, what, cases, body, answered, received_at) VALUES (?, ?, ?, ?, 1, ?)",
                key,
                "entry_changed",
                json.dumps([body["case"]]),
                canonical(body),
                self._now().isoformat(),
            )
        return True

    def work(self, mood: Mood, *, keeps: bool) -> None:
        """Plan answers to what came in and give those that are due; without effect while away or manual."""
        if mood in (Mood.AWAY, Mood.MANUAL) or not self._has_work():
            return
        with self.books.transaction():
            for entry in self.books.rows("SELECT * FROM entries WHERE state = 'waiting' ORDER BY number LIMIT 200"):
                self._plan_entry(entry, mood)
            for report in self.books.rows("SELECT * FROM reports WHERE answered = 0 ORDER BY number LIMIT 50"):
                self._plan_report(report, mood, keeps=keeps)
            due = self.books.rows("SELECT * FROM plans WHERE due <= ? ORDER BY due, number LIMIT 200", time.time())
            for plan in due:
                self.books.execute("DELETE FROM plans WHERE number = ?", plan["number"])
                self._carry_out(plan, mood)

    def _has_work(self) -> bool:
        return bool(
            self.books.rows(
                "SELECT 1 FROM entries WHERE state = 'waiting' UNION ALL SELECT 1 FROM reports WHERE answered = 0"
                " UNION ALL SELECT 1 FROM plans WHERE due <= ? LIMIT 1",
                time.time(),
            )
        )

    def answer_by_hand(self, case: str, fields: Mapping[str, Any], *, callback: bool) -> dict[str, Any]:
        """Give an answer as told, with what was left out filled in as this stand-in would."""
        entry = self._last_entry(case)
        outcome = str(fields["outcome"])
        with self.books.transaction():
            body = self._body(entry, case, outcome) | {
                name: value for name, value in fields.items() if value is not None
            }
            self._give(body, callback=callback)
            if entry:
                self.books.execute("DELETE FROM plans WHERE entry = ?", entry["number"])
                self._move(entry, outcome)
        return body

    def outcomes(self, after: int, limit: int, case: str | None) -> list[dict[str, Any]]:
        """Return the answers given since a place in their order."""
        if case is None:
            return self.books.rows("SELECT * FROM answers WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
        return self.books.rows(
            "SELECT * FROM answers WHERE seq > ? AND case_id = ? ORDER BY seq LIMIT ?", after, case, limit
        )

    @staticmethod
    def opened(row: dict[str, Any]) -> dict[str, Any]:
        """Return the body of an answer as it was given."""
        body: dict[str, Any] = json.loads(row["body"])
        return body

    def shown(self, case: str | None) -> dict[str, Any]:
        """Return the whole books, or what concerns one case."""
        where, values = (" WHERE case_id = ?", (case,)) if case else ("", ())
        entries = self.books.rows(f"SELECT * FROM entries{where} ORDER BY number", *values)
        answers = self.books.rows(f"SELECT * FROM answers{where} ORDER BY seq", *values)
        reports = self.books.rows("SELECT * FROM reports ORDER BY number")
        sent = self.books.rows("SELECT * FROM outbox ORDER BY seq")
        return {
            "entries": [_opened(row, "case_id") for row in entries],
            "reports": [_opened(row) for row in reports if case is None or case in json.loads(row["cases"])],
            "answers": [_opened(row, "case_id") for row in answers],
            "callbacks": [
                {name: row[name] for name in ("seq", "message_id", "attempts", "status", "done_at")}
                | {"case": row["lane"], "outcome_id": json.loads(row["body"])["outcome_id"]}
                for row in sent
                if case is None or row["lane"] == case
            ],
        }

    def _plan_entry(self, entry: dict[str, Any], mood: Mood) -> None:
        first, last = "accepted", "refused" if _is_refused(json.loads(entry["body"]), mood) else "issued"
        if mood is Mood.OUT_OF_ORDER:
            first, last = last, first
        if mood in (Mood.OUT_OF_ORDER, Mood.SLOW):
            count_met(self.books, mood)
        factor = SLOW_FACTOR if mood is Mood.SLOW else 1
        for outcome, seconds in ((first, FIRST_ANSWER_SECONDS), (last, LAST_ANSWER_SECONDS)):
            self._plan(entry, outcome, seconds * factor)
        self.books.execute("UPDATE entries SET state = 'listed' WHERE number = ?", entry["number"])

    def _plan_report(self, report: dict[str, Any], mood: Mood, *, keeps: bool) -> None:
        self.books.execute("UPDATE reports SET answered = 1 WHERE number = ?", report["number"])
        if report["what"] == RESTORED:
            self._drop_ends(json.loads(report["cases"]))
        if report["what"] not in ENDING:
            return
        factor = SLOW_FACTOR if mood is Mood.SLOW else 1
        for case in json.loads(report["cases"]):
            ends = "given_up" if report["what"] == GIVEN_UP else "ended"
            for entry in self._ended_with(case)[-1 if keeps else 0 :]:
                self._plan(entry, "kept" if keeps else ends, FIRST_ANSWER_SECONDS * factor)

    def _drop_ends(self, cases: Sequence[str]) -> None:
        """Take back the ends that are planned for cases that stand again; what was given already stays given."""
        for case in cases:
            entry = self._last_entry(case)
            if entry:
                gone = "DELETE FROM plans WHERE entry = ? AND outcome IN ('ended', 'kept')"
                self.books.execute(gone, entry["number"])

    def _plan(self, entry: dict[str, Any], outcome: str, seconds: float) -> None:
        self.books.execute(
            "INSERT INTO plans (entry, outcome, due) VALUES (?, ?, ?)", entry["number"], outcome, time.time() + seconds
        )

    def _carry_out(self, plan: dict[str, Any], mood: Mood) -> None:
        entry = self.books.find("SELECT * FROM entries WHERE number = ?", plan["entry"])
        if entry is None or entry["state"] in FINAL:
            return
        outcome = plan["outcome"]
        issued = entry["state"] == "issued"
        if outcome in ("ended", "given_up"):
            # What is still planned for a case that ended is not given any more.
            self.books.execute("DELETE FROM plans WHERE entry = ?", entry["number"])
            outcome = ("revoked" if outcome == "ended" else "cancelled") if issued else "withdrawn"
        elif outcome == "kept" and not issued:
            return
        body = self._body(entry, entry["case_id"], outcome)
        self._give(body)
        self._move(entry, outcome)
        if mood is Mood.DUPLICATING:
            count_met(self.books, mood)
            self._repeat(body)

    def _give(self, body: Mapping[str, Any], *, callback: bool = True, message_id: str | None = None) -> str | None:
        self.books.execute(
            "INSERT INTO answers (outcome_id, case_id, body, given_at) VALUES (?, ?, ?, ?)",
            body["outcome_id"],
            body["case"],
            json.dumps(body, ensure_ascii=False),
            self._now().isoformat(),
        )
        return self._call_back(body, message_id) if callback else None

    def _repeat(self, body: Mapping[str, Any]) -> None:
        """Give an answer thrice more: in the same message, in a new one, and with its content under a new id."""
        message_id = self._call_back(body)
        self._call_back(body, message_id)
        self._give({**body, "outcome_id": _outcome_id()})

    def _call_back(self, body: Mapping[str, Any], message_id: str | None = None) -> str | None:
        return self.outbox.add(body["case"], body, message_id=message_id) if self.outbox else None

    def _move(self, entry: dict[str, Any], outcome: str) -> None:
        late = outcome == "accepted" and entry["state"] == "issued"
        if late or entry["state"] in FINAL or outcome == "kept":
            return
        state = "issued" if outcome == "replaced" else outcome
        self.books.execute("UPDATE entries SET state = ? WHERE number = ?", state, entry["number"])

    def _last_entry(self, case: str) -> dict[str, Any] | None:
        return self.books.find("SELECT * FROM entries WHERE case_id = ? ORDER BY number DESC LIMIT 1", case)

    def _ended_with(self, case: str) -> list[dict[str, Any]]:
        """Return the entries that end with a case: the last, and where that is of a further term those that still run.

        Each has a number of its own, which its answer names.
        """
        last = self._last_entry(case)
        if last is None or "/term/" not in last["key"]:
            return [] if last is None else [last]
        given = [json.loads(row["body"]) for row in self.outcomes(0, -1, case)]
        today = self._now().date().isoformat()
        over = {body["authority_number"] for body in given if body.get("valid_until", today) < today}
        entries = self.books.rows("SELECT * FROM entries WHERE case_id = ? ORDER BY number", case)
        running = [each for each in entries if each["state"] not in FINAL and _number(each, case) not in over]
        return [*(each for each in running if each["number"] != last["number"]), last]

    def _term(self, entry: Mapping[str, Any] | None, case: str, number: str) -> dict[str, Any]:
        """Return a term that begins today or, where an earlier one runs, on the day after its last."""
        given = [json.loads(row["body"]) for row in self.outcomes(0, -1, case)]
        over = {body["authority_number"] for body in given if body["outcome"] in ("cancelled", "revoked")} | {number}
        before = [body for body in given if body["outcome"] == "issued" and body["authority_number"] not in over]
        follows = [date.fromisoformat(body["valid_until"]) + timedelta(days=1) for body in before]
        first = max([self._now().date(), *follows])
        is_short = not before and entry is not None and _card_of(entry).endswith(SHORT_TERM)
        return _days(first, first + timedelta(days=SHORT_TERM_DAYS - 1) if is_short else _last_day(first))

    def _body(self, entry: dict[str, Any] | None, case: str, outcome: str) -> dict[str, Any]:
        number = _number(entry, case) + ("-R" if outcome == "replaced" else "")
        body: dict[str, Any] = {
            "outcome_id": _outcome_id(),
            "case": case,
            "outcome": outcome,
            "authority_number": number,
            "occurred_at": self._now().isoformat(),
        }
        if outcome == "issued":
            body |= self._term(entry, case, number)
        if outcome == "replaced":
            today = self._now().date()
            body |= _days(today, _last_day(today))
        if outcome == "refused":
            body |= {"reason_code": "A-17", "reason_text": "本次申请不符合签发条件。"}
        if outcome == "revoked":
            body |= {"reason_code": "A-31", "reason_text": "备案已终止,签注予以注销。"}
        return body


def canonical(body: Mapping[str, Any]) -> str:
    """Write a body so that equal bodies are equal texts."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def _number(entry: Mapping[str, Any] | None, case: str) -> str:
    """Return the number under which an entry is answered."""
    return f"C-{case.rpartition('/')[2]}-{entry['number'] if entry else 0:08d}"


def _is_refused(entry: Mapping[str, Any], mood: Mood) -> bool:
    card = entry["person"].get("permit_card_number") or ""
    for_macao = entry["destination"] == "MO" and card.endswith(REFUSED_FOR_MACAO)
    return mood is Mood.REFUSING or card.endswith(REFUSED_EVERYWHERE) or for_macao


def _card_of(entry: Mapping[str, Any]) -> str:
    return str(json.loads(entry["body"]).get("person", {}).get("permit_card_number") or "")


def _days(first: date, last: date) -> dict[str, Any]:
    """Return what a permit says that holds on these days, the last one included."""
    return {
        "valid_from": first.isoformat(),
        "valid_until": last.isoformat(),
        "stay_days": STAY_DAYS,
        "entries": "multiple",
    }


def _last_day(start: date) -> date:
    """The day before the same day three years later; 29 February counts as 28 there."""
    try:
        return start.replace(year=start.year + TERM_YEARS) - timedelta(days=1)
    except ValueError:
        return date(start.year + TERM_YEARS, 2, 27)


def _opened(row: dict[str, Any], case_column: str | None = None) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name not in ("body", "cases", case_column)}
    if case_column:
        shown["case"] = row[case_column]
    if "cases" in row:
        shown["cases"] = json.loads(row["cases"])
    return shown | {"body": json.loads(row["body"])}


def _outcome_id() -> str:
    return f"out_{uuid.uuid4().hex}"
