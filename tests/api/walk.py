"""All personas at work on one register, with what each route answered."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import orjson
from stdnum.iso7064 import mod_11_2

from cases.commands.advance import advance
from programmes import PROGRAMMES
from proof.webhooks import sign
from tests.api.callers import Caller
from tests.api.conftest import AUTHORITY_SECRET, Stage
from tests.cases.contexts import registration_body


def identity_number(serial: int) -> str:
    """Return a made-up identity number with the right check character."""
    body = f"44030419900307{serial:03d}"
    return body + str(mod_11_2.calc_check_digit(body))


class Walk:
    """Speaks for all personas and notes which route answered what."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.seen: dict[str, set[int]] = defaultdict(set)
        self.ids: dict[str, str] = {}
        # By the path of their programme, the cases that are there.
        self.references_of: dict[str, list[str]] = defaultdict(list)
        self._serial = 100
        # Whether it is asked before each act on a case whether it may be done; and what was found to be allowed.
        self.asks_first = False
        self.allowed: set[tuple[str, str]] = set()

    @property
    def references(self) -> list[str]:
        """The cases of the talent permit."""
        return self.references_of["registrations"]

    def note(self, path: str, reference: str) -> None:
        """Note a case by the path of its programme."""
        self.references_of[path].append(reference)

    def places(self, route: str, turn: int) -> dict[str, str]:
        """Return a case that is there, of the programme of a route, and a track of that; of no one's, of any.

        Args:
            route: its path.
            turn: which of the cases, modulo how many there are.
        """
        under = route.removeprefix("/v1/").partition("/")[0]
        programme = next((each for each in PROGRAMMES.values() if each.path == under), None)
        of_all = [reference for each in self.references_of.values() for reference in each]
        references = of_all if programme is None else self.references_of[under]
        named = [each for of in PROGRAMMES.values() for each in of.tracks.values() if programme in (None, of)]
        keys = {each.path.named: str(next(iter(each.keyed_by))) for each in named if each.path is not None}
        return {**keys, "reference": references[turn % len(references)]}

    def next_serial(self) -> int:
        """Return a number that no other person of this walk has."""
        self._serial += 1
        return self._serial

    def person(self, **claims: Any) -> Caller:
        """Return a person with a token that asserts a document."""
        issuer = self.stage.issuer
        return Caller(self.stage.client, issuer.sign(issuer.claims("person-1", self.stage.clock(), **claims)))

    async def call(self, persona: str | Caller, method: str, path: str, json: Any = None, **more: Any) -> Any:
        """Send a call that must succeed and return its body."""
        caller = self.stage.as_(persona) if isinstance(persona, str) else persona
        headers = {"Idempotency-Key": uuid4().hex} | more.pop("headers", {})
        places = more.pop("places", {})
        if json is not None:
            more["json"] = json
        if self.asks_first and method == "POST" and "{reference}/" in path:
            await self._ask_first(caller, path, places)
        answer = await caller.send(method, path.format(**places), headers=headers, **more)
        assert answer.status_code < 300, (persona, method, path, answer.status_code, answer.text)
        self.seen[f"{method} {path}"].add(answer.status_code)
        await self.stage.settle()
        return answer.json() if "json" in answer.headers.get("content-type", "") else None

    async def _ask_first(self, caller: Caller, path: str, places: Mapping[str, str]) -> None:
        """Check that what is about to be done is said to be allowed, where it is an act of who may read what is."""
        own = path.partition("{reference}/")[0] + places["reference"] + "/acts"
        answer = await caller.get(own)
        if answer.status_code != 200:
            return
        address = path.format(**{**places, "number": "{number}", "evidence_id": "{evidence_id}"})
        ways = [each for each in answer.json()["acts"] if each["address"] == address]
        assert not ways or any(each["is_allowed"] for each in ways), (address, ways)
        self.allowed |= {(path, each["act"]) for each in ways}

    async def signed(self, path: str, content: Mapping[str, Any], secret: str) -> httpx.Response:
        """Send a signed message."""
        body = orjson.dumps(content).decode()
        headers = sign(f"msg_{uuid4().hex}", self.stage.clock(), body, [secret])
        answer = await self.stage.nobody.send(
            "POST", path, content=body, headers=headers | {"Content-Type": "application/json"}
        )
        if answer.status_code < 300:
            self.seen[f"POST {path}"].add(answer.status_code)
        await self.stage.settle()
        return answer

    async def open(self, path: str, method: str = "GET", **more: Any) -> Any:
        """Send a call that needs no token and must succeed, and return its body."""
        answer = await self.stage.nobody.send(method, path, **more)
        assert answer.status_code == 200, (path, answer.text)
        self.seen[f"{method} {path}"].add(200)
        return answer.json()

    async def answer(self, reference: str, outcome: str, **more: Any) -> None:
        """Let the authority answer on the permit for Hong Kong."""
        content = {
            "outcome_id": uuid4().hex,
            "case": f"{reference}/HK",
            "outcome": outcome,
            "authority_number": "C-HK-1",
            "occurred_at": self.stage.clock().isoformat(),
            **more,
        }
        answer = await self.signed("/v1/authority/outcomes", content, AUTHORITY_SECRET)
        assert answer.status_code < 300, answer.text

    async def pass_time(self, reference: str, by: timedelta) -> None:
        """Move the clock and let the case see it."""
        self.stage.clock.at += by
        await advance(self.stage.context, reference, self.stage.clock())

    async def register(self, **person: Any) -> str:
        """Register another person of employer-a."""
        body = registration_body(**{"identity_number": identity_number(self.next_serial()), **person})
        case = await self.call("employer-a", "POST", "/v1/registrations", body)
        self.note("registrations", case["reference"])
        return str(case["reference"])

    async def act(self, persona: str, reference: str, act: str, body: Any, **places: str) -> Any:
        """Do something with a case."""
        path = f"/v1/registrations/{{reference}}/{act}"
        return await self.call(persona, "POST", path, body, places={"reference": reference, **places})

    async def case(self, persona: str, reference: str) -> Any:
        """Read a case."""
        return await self.call(persona, "GET", "/v1/registrations/{reference}", places={"reference": reference})

    async def decide(self, reference: str, action: str, *reasons: str, persona: str = "officer-1") -> Any:
        """Decide on a case in its present round."""
        number = (await self.case(persona, reference))["round"]
        body = {"action": action, "round": number, "reasons": [{"code": code} for code in reasons]}
        return await self.act(persona, reference, "decision", body)

    async def sign(self, reference: str, persona: str = "officer-2") -> Any:
        """Give the second signature in the case's present round, and return the answer."""
        number = (await self.case(persona, reference))["round"]
        return await self.act(persona, reference, "confirmation", {"action": "confirm", "round": number})

    async def confirm(self, reference: str, persona: str = "officer-2") -> Any:
        """Give the second signature in the case's present round, and let what cools off take effect."""
        answer = await self.sign(reference, persona)
        if "signed_by" in (answer.get("pending") or {}):
            await self.pass_time(reference, timedelta(minutes=11))
            return await self.case(persona, reference)
        return answer

    async def approve(self, **person: Any) -> str:
        """Register a person, approve and let the settling time pass."""
        reference = await self.register(**person)
        if person:  # a failed finding: approved over it, so that a second person signs
            await self.decide(reference, "approve", "document_seen")
            await self.confirm(reference)
        else:
            await self.decide(reference, "approve")
        await self.pass_time(reference, timedelta(minutes=11))
        return reference
