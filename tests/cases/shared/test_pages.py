"""A page of a list says where the next one goes on, and only where there is one."""

from cases.shared.pages import cut


def test_a_page_goes_on_after_its_last_row_where_one_more_was_found() -> None:
    assert cut([1, 2, 3], 2, str) == ([1, 2], "2")
    assert cut([1, 2], 2, str) == ([1, 2], None)
    assert cut([], 2, str) == ([], None)
