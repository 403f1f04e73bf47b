from datetime import date, datetime, timedelta
from pathlib import Path

from domain.clock import CHINA
from sandbox.standins.authority_book import AuthorityBook
from sandbox.standins.moods import Mood

CASE = "HT-AAAA-BBBB-C/HK"
TODAY = datetime(2029, 1, 15, 10, tzinfo=CHINA)


def test_a_further_term_begins_after_the_one_that_runs_and_is_another_number(tmp_path: Path) -> None:
    today = [TODAY]
    book = AuthorityBook(tmp_path / "authority.db", lambda: today[0])
    given = []
    for key in ("permit/HT-AAAA-BBBB-C/HK", "permit/HT-AAAA-BBBB-C/HK/term/2"):
        book.take_entry(key, {"case": CASE, "destination": "HK"})
        given.append(book.answer_by_hand(CASE, {"outcome": "issued"}, callback=False))
        today[0] += timedelta(days=30)
    first, second = given
    assert first["valid_from"] == "2029-01-15"
    assert date.fromisoformat(second["valid_from"]) == date.fromisoformat(first["valid_until"]) + timedelta(days=1)
    assert first["authority_number"] != second["authority_number"]


def test_a_further_term_that_comes_late_begins_on_its_day(tmp_path: Path) -> None:
    today = [TODAY]
    book = AuthorityBook(tmp_path / "authority.db", lambda: today[0])
    for key, expected in (("first", "2029-01-15"), ("second", "2032-03-01")):
        book.take_entry(key, {"case": CASE, "destination": "HK"})
        assert book.answer_by_hand(CASE, {"outcome": "issued"}, callback=False)["valid_from"] == expected
        today[0] = datetime(2032, 3, 1, tzinfo=CHINA)


def test_an_end_is_answered_for_each_term_that_still_runs(tmp_path: Path) -> None:
    book = AuthorityBook(tmp_path / "authority.db", lambda: TODAY)
    for key in ("permit/HT-AAAA-BBBB-C/HK", "permit/HT-AAAA-BBBB-C/HK/term/2"):
        book.take_entry(key, {"case": CASE, "destination": "HK"})
        book.answer_by_hand(CASE, {"outcome": "issued"}, callback=False)
    book.take_report("report/1", [CASE], {"what": "registration_ended"})
    book.work(Mood.NORMAL, keeps=False)
    book.books.execute("UPDATE plans SET due = 0")
    book.work(Mood.NORMAL, keeps=False)
    given = [AuthorityBook.opened(row) for row in book.outcomes(2, 10, CASE)]
    assert [(each["outcome"], each["authority_number"]) for each in given] == [
        ("revoked", "C-HK-00000001"),
        ("revoked", "C-HK-00000002"),
    ]
