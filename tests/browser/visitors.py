"""A visitor of the console: a window of their own, in a language and a width, watched for what no page may do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect

from domain.languages import Language

WIDE: Final = ViewportSize(width=1280, height=900)
NARROW: Final = ViewportSize(width=360, height=740)
# What WCAG 2.2 asks for at levels A and AA, and what axe counts as good practice of both.
_RULES: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@dataclass
class Visitor:
    """Someone at the console, with a browser of their own: no cookie is shared with another one's."""

    console: str  # address of the console, without a path
    page: Page
    wrong: list[str] = field(default_factory=list)  # what the browser complained of

    async def visit(self, path: str) -> None:
        """Go to a page of the console by its path."""
        await self.page.goto(self.console + path)

    async def sign_in(self, persona: str) -> None:
        """Sign in as a persona by the page of the stand-in issuer."""
        await self.visit("/sign-in")
        await self.page.locator(f'button[value="{persona}"]').click()
        await expect(self.page.locator("header form[action='/sign-out']")).to_be_attached()

    async def press(self, name: str) -> None:
        """Press the button, or follow the link, of that name."""
        button = self.page.get_by_role("button", name=name, exact=True)
        await (button if await button.count() else self.page.get_by_role("link", name=name, exact=True)).first.click()

    def hear(self, said: ConsoleMessage) -> None:
        """Keep an error that the browser told its console."""
        if said.type == "error":
            self.wrong.append(f"{self.page.url}: {said.text}")

    async def need_accessible(self) -> None:
        """Fail with what axe finds on the page, and where nothing may reach beyond the page's width, with what does."""
        found = await Axe().run(self.page, options=_RULES)
        told = [
            f"{one['id']}: {one['help']}: {node['html'][:200]}"
            for one in found.response["violations"]
            for node in one["nodes"]
        ]
        assert not told, f"{self.page.url}\n" + "\n".join(told)
        beyond = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beyond <= 0, f"{self.page.url} is {beyond} px wider than its window"


@asynccontextmanager
async def visiting(
    browser: Browser,
    console: str,
    *,
    language: Language = Language.EN,
    viewport: ViewportSize | None = None,
    scripts: bool = True,
) -> AsyncIterator[Visitor]:
    """Open a window; when it closes, nothing that a page did may have been refused by its own policy or have failed."""
    context: BrowserContext = await browser.new_context(
        locale=language.value, viewport=viewport or WIDE, java_script_enabled=scripts
    )
    try:
        page = await context.new_page()
        page.set_default_timeout(15_000)
        visitor = Visitor(console, page)
        page.on("pageerror", lambda error: visitor.wrong.append(f"{page.url}: {error}"))
        page.on("console", visitor.hear)
        yield visitor
        # A refusal that a page is meant to show is told to the console too, as a resource that failed with its status.
        told = [each for each in visitor.wrong if "the server responded with a status of 4" not in each]
        assert not told, told
    finally:
        await context.close()
