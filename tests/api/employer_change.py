"""A person who goes from one employer to another, as tests act for both, for the person and for the engine."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from cases.commands.advance import advance
from store import tables
from tests.api.callers import Caller
from tests.api.conftest import Stage
from tests.api.walk import Walk, identity_number
from tests.cases.contexts import registration_body

NUMBER = identity_number(701)
MAIL, PHONE = "feng@example.com", "+8613812345678"
PATH = "/v1/me/transfers"


@dataclass
class Change:
    """A person who is registered by one employer, and what the two employers and the engine do."""

    stage: Stage
    walk: Walk
    old: str
    # What the other employer says otherwise of the employment.
    more: dict[str, str] = field(default_factory=dict)

    def me(self) -> Caller:
        """Return the person, by a token that asserts the document."""
        claims = self.stage.issuer.claims(
            "person-1", self.stage.clock(), document_kind="resident_identity_card", document_number=NUMBER
        )
        return Caller(self.stage.client, self.stage.issuer.sign(claims))

    def _employer_c(self) -> Caller:
        claims = self.stage.issuer.claims("employer-b", self.stage.clock(), sub="hr-c", employer_id="emp-c")
        return Caller(self.stage.client, self.stage.issuer.sign(claims))

    async def agree(self, employer: str = "emp-b", **more: Any) -> Any:
        return await self.me().post(PATH, {"reference": self.old, "employer": employer}, **more)

    async def submit(self, persona: str = "employer-b", number: str = NUMBER, **more: Any) -> Any:
        body = registration_body(identity_number=number)
        body["employment"] |= {"work_site": "SZP-101", **self.more}
        caller = self.stage.as_(persona) if persona != "employer-c" else self._employer_c()
        answer = await caller.post("/v1/registrations", body, **more)
        await self.stage.settle()
        return answer

    async def begin(self) -> str:
        """Let the person agree and the other employer register them; return the case that follows."""
        assert (await self.agree()).status_code == 202
        answer = await self.submit()
        assert answer.status_code == 202, answer.text
        await self.step(self.old)
        return str(answer.json()["reference"])

    async def step(self, *references: str) -> None:
        for reference in references:
            await advance(self.stage.context, reference, self.stage.clock())

    async def pass_time(self, *references: str, **by: float) -> None:
        self.stage.clock.at += timedelta(**by)
        self.stage._callers.clear()  # their tokens may be over
        await self.step(*references)

    async def answer(self, body: Any, persona: str = "employer-a") -> Any:
        answer = await self.stage.as_(persona).post(f"/v1/registrations/{self.old}/departure-answer", body)
        await self.stage.settle()
        return answer

    async def approve(self, reference: str) -> Any:
        case = await self.walk.case("officer-1", reference)
        body = {"action": "approve", "round": case["round"], "reasons": [{"code": "document_seen"}]}
        return await self.stage.as_("officer-1").post(f"/v1/registrations/{reference}/decision", body)

    async def stages(self, *references: str) -> list[tuple[str, bool]]:
        r = tables.cases.c
        async with self.stage.context.database.begin() as connection:
            rows = {row.reference: row for row in await connection.execute(select(tables.cases))}
        assert sum(row.live and row.follows is None for row in rows.values()) <= 1, r
        return [(rows[reference].stage, rows[reference].follows is not None) for reference in references]

    async def acts(self, reference: str) -> list[str]:
        c = tables.ledger.c
        async with self.stage.context.database.begin() as connection:
            query = select(c.act).where(c.chain == reference).order_by(c.seq)
            return list((await connection.execute(query)).scalars())

    async def told(self, reference: str) -> dict[str, set[str]]:
        n = tables.notices.c
        found: dict[str, set[str]] = {}
        async with self.stage.context.database.begin() as connection:
            for kind, to in await connection.execute(select(n.kind, n.recipient).where(n.reference == reference)):
                found.setdefault(kind, set()).add(to)
        return found

    async def reconciled(self, *references: str) -> None:
        for reference in references:
            answer = await self.stage.as_("auditor").get(f"/v1/audit/cases/{reference}/reconciliation")
            found = {each["code"] for each in answer.json()["differences"]} - {"history_missing"}
            assert (answer.status_code, found) == (200, set()), answer.text


async def registered(stage: Stage) -> Change:
    """Return a person whose registration by the first employer has taken effect."""
    walk = Walk(stage)
    old = await walk.register(identity_number=NUMBER, email=MAIL, phone=PHONE, language="en")
    built = Change(stage, walk, old)
    assert (await built.approve(old)).status_code == 200
    await built.pass_time(old, minutes=11)
    assert await built.stages(old) == [("approved", False)]
    return built
