"""The statistic of conflicts: what is seen of an officer and an employer against what is expected."""

from datetime import UTC, datetime

from record.review import Decided, unusual

_AT = datetime(2026, 3, 1, tzinfo=UTC)


def _rows(**numbers: dict[str, int]) -> list[Decided]:
    return [
        Decided("HT-1", n, _AT, "decided", "HT-1", employer, "approve", "test", officer)
        for officer, of in numbers.items()
        for employer, number in of.items()
        for n in range(number)
    ]


def test_an_officer_who_decides_nearly_all_of_one_employer_is_shown() -> None:
    rows = _rows(o1={"e1": 20, "e2": 5}, o2={"e1": 2, "e2": 48}, o3={"e1": 3, "e2": 52})
    (pair,) = unusual(rows)
    assert (pair.officer, pair.employer_id, pair.seen) == ("test o1", "e1", 20)
    assert round(pair.expected, 2) == round(25 * 25 / 130, 2)
    assert len(pair.rows) == 20


def test_even_shares_few_decisions_and_a_single_officer_are_not_shown() -> None:
    assert unusual(_rows(o1={"e1": 10, "e2": 30}, o2={"e1": 12, "e2": 28})) == ()
    assert unusual(_rows(o1={"e1": 4, "e2": 1}, o2={"e2": 95})) == ()
    assert unusual(_rows(o1={"e1": 50, "e2": 7})) == ()
    assert unusual([]) == ()
