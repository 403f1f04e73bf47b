"""The page before anybody has signed in: in three languages, wide and narrow, with scripts and without."""

import pytest

from domain.languages import Language
from tests.browser.conftest import Visiting
from tests.browser.visitors import NARROW, WIDE


@pytest.mark.parametrize("language", Language)
async def test_it_keeps_nobody_out(visit: Visiting, language: Language) -> None:
    for viewport in (WIDE, NARROW):
        async with visit(language=language, viewport=viewport) as visitor:
            await visitor.visit("/")
            assert await visitor.page.locator("html").get_attribute("lang") == language.value
            assert await visitor.page.locator("a[href='/self-check']").count()
            await visitor.need_accessible()
