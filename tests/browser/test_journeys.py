"""An officer and an employer at work, and anybody at the open pages: nobody is kept out, wide or narrow."""

import asyncio

import httpx
import pytest
from playwright.async_api import expect

from bench.embedded import Up
from domain.languages import Language
from sandbox.standins import control
from tests.browser.conftest import Visiting
from tests.browser.visitors import NARROW, WIDE
from tests.e2e.people import registration


async def _register(stack: Up, serial: int) -> str:
    bearer = f"Bearer {control.token(stack.directory, 'employer-a')}"
    headers = {"Authorization": bearer, "Idempotency-Key": f"browser-{serial}"}
    async with httpx.AsyncClient(base_url=stack.ready["api"], headers=headers, trust_env=False) as http:
        given = await http.post("/v1/registrations", json=registration(serial))
        reference = str(given.raise_for_status().json()["reference"])
        async with asyncio.timeout(30):
            while (await http.get(f"/v1/registrations/{reference}")).json()["stage"] != "under_review":  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    return reference


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
async def test_an_officer_takes_the_most_urgent_and_approves_it(visit: Visiting, stack: Up, scripts: bool) -> None:
    await _register(stack, 701 + scripts)
    async with visit(scripts=scripts) as visitor:
        await visitor.sign_in("officer-1")
        await visitor.press("Take the most urgent")
        await visitor.press("Decide")
        await visitor.page.get_by_label("Approve").first.check()
        await visitor.press("Look at the letter")
        await expect(visitor.page.locator(".ht-letter").first).to_be_visible()
        await visitor.press("Send the decision")
        await expect(visitor.page.locator("[role=status]").first).to_contain_text("It was stored")


@pytest.mark.parametrize("language", Language)
async def test_their_pages_keep_nobody_out(visit: Visiting, stack: Up, language: Language) -> None:
    reference = await _register(stack, 710 + list(Language).index(language))
    for viewport in (WIDE, NARROW):
        async with visit(language=language, viewport=viewport) as visitor:
            for path in ("/check", "/check?code=none", "/self-check?origin=mainland", "/self-check/registrations"):
                await visitor.visit(path)
                await visitor.need_accessible()
            await visitor.sign_in("officer-2")
            for path in ("/inbox", f"/cases/{reference}", f"/cases/{reference}/decide"):
                await visitor.visit(path)
                await visitor.need_accessible()
        async with visit(language=language, viewport=viewport) as visitor:
            await visitor.sign_in("employer-a")
            for path in (
                "/home",
                "/register",
                "/register/registrations",
                "/register/work-permits",
                f"/cases/{reference}",
            ):
                await visitor.visit(path)
                await visitor.need_accessible()
            await visitor.visit(f"/cases/{reference}/acts/withdraw")
            await visitor.need_accessible()
        async with visit(language=language, viewport=viewport) as visitor:
            await visitor.sign_in("auditor")
            await visitor.visit(f"/cases/{reference}/story?compare=true")
            await visitor.need_accessible()
