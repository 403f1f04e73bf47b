"""Each kind of reader signs in by the issuer's page, comes home, and signs out again; with scripts and without."""

import pytest
from playwright.async_api import expect

from domain.languages import Language
from tests.browser.conftest import Visiting
from tests.browser.visitors import NARROW, WIDE


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
async def test_an_auditor_signs_in_looks_and_leaves(visit: Visiting, scripts: bool) -> None:
    async with visit(scripts=scripts) as visitor:
        await visitor.visit("/audit")  # leads to the issuer, and back here
        await visitor.page.locator('button[value="auditor"]').click()
        await expect(visitor.page.locator("h1")).to_have_text("Search the record")
        await visitor.press("Sign out")
        await expect(visitor.page.locator("h1")).to_have_text("Permits for people who work in the Shenzhen Park")
        await visitor.page.go_back()
        await visitor.page.reload()
        await expect(visitor.page.locator('button[value="auditor"]')).to_be_visible()  # the issuer's page: signed out


@pytest.mark.parametrize("language", Language)
async def test_the_account_and_the_record_keep_nobody_out(visit: Visiting, language: Language) -> None:
    for viewport in (WIDE, NARROW):
        async with visit(language=language, viewport=viewport) as visitor:
            await visitor.sign_in("auditor")
            for path in ("/account", "/audit", "/audit?actor=auditor", "/audit?from=never", "/nothing"):
                await visitor.visit(path)
                await visitor.need_accessible()
