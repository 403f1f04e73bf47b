"""Which bearer tokens hold."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from joserfc.jwk import OctKey, OKPKey, RSAKey

from api.tokens import KEYS_KEPT, REFETCH_AFTER, IssuerKeys, Tokens
from domain.actors import Role
from domain.errors import Refused, Unavailable
from tests.api.callers import AUDIENCE, ISSUER, JWKS_URL, TestIssuer
from tests.cases.contexts import NOON, Clock


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class Checked:
    """Tokens checked against a test issuer."""

    def __init__(self) -> None:
        self.issuer = TestIssuer()
        self.seconds = Seconds()
        self.clock = Clock()
        client = httpx.AsyncClient(transport=self.issuer.transport())
        keys = IssuerKeys(JWKS_URL, client, monotonic=self.seconds)
        self.tokens = Tokens(keys, issuer=ISSUER, audience=AUDIENCE, clock=self.clock)

    def token(self, persona: str = "officer-1", key: str = "ed", **changed: Any) -> str:
        return self.issuer.sign(self.issuer.claims(persona, NOON, **changed), key)

    async def refused(self, token: str | None) -> str:
        with pytest.raises(Refused) as refusal:
            await self.tokens.actor(token if token is None else f"Bearer {token}", "c")
        return refusal.value.code


@pytest.fixture(scope="module")
def checked_once() -> Checked:
    return Checked()


@pytest.fixture
def checked(checked_once: Checked) -> Checked:
    checked_once.clock.at = NOON
    return checked_once


@pytest.mark.parametrize("key", ["ed", "ec", "rsa"])
async def test_a_token_of_each_algorithm_names_its_actor(checked: Checked, key: str) -> None:
    actor = await checked.tokens.actor(f"Bearer {checked.token('employer-a', key)}", "corr-1")

    assert (actor.subject, actor.role, actor.employer_id) == ("employer-a", Role.EMPLOYER, "emp-a")
    assert (actor.issuer, actor.correlation_id) == (ISSUER, "corr-1")


async def test_an_employer_id_counts_for_employers_only(checked: Checked) -> None:
    actor = await checked.tokens.actor(f"bearer {checked.token('officer-1', employer_id='emp-a')}", "c")

    assert actor.employer_id is None


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dTpw", "Token abc"])
async def test_a_missing_token_is_said_to_be_missing(checked: Checked, header: str | None) -> None:
    with pytest.raises(Refused) as refusal:
        await checked.tokens.actor(header, "c")

    assert refusal.value.code == "token_missing"


CLAIMS: list[tuple[str, dict[str, Any]]] = [
    ("other issuer", {"iss": "https://evil.test"}),
    ("issuer with a slash", {"iss": ISSUER + "/"}),
    ("other audience", {"aud": "someone-else"}),
    ("no audience in list", {"aud": ["a", "b"]}),
    ("no audience", {"aud": None}),
    ("expired", {"exp": int((NOON - timedelta(seconds=31)).timestamp())}),
    ("no expiry", {"exp": None}),
    ("expiry as text", {"exp": "9999999999"}),
    ("not yet", {"nbf": int((NOON + timedelta(seconds=31)).timestamp())}),
    ("issued later", {"iat": int((NOON + timedelta(minutes=5)).timestamp())}),
    ("no subject", {"sub": None}),
    ("empty subject", {"sub": ""}),
    ("subject with a space", {"sub": "a b"}),
    ("long subject", {"sub": "a" * 201}),
    ("no role", {"role": None}),
    ("unknown role", {"role": "root"}),
    ("role of the engine", {"role": "system"}),
    ("roles as list", {"role": ["officer"]}),
    ("employer without id", {"role": "employer"}),
    ("tenant of all", {"role": "employer", "employer_id": "*"}),
    ("tenant of the door", {"role": "employer", "employer_id": "sign-in"}),
    ("id with a quote", {"role": "employer", "employer_id": "a'b"}),
]


@pytest.mark.parametrize("changed", [case[1] for case in CLAIMS], ids=[case[0] for case in CLAIMS])
async def test_a_token_with_wrong_claims_is_refused(checked: Checked, changed: dict[str, Any]) -> None:
    assert await checked.refused(checked.token(**changed)) == "token_invalid"


async def test_clocks_may_differ_by_the_leeway(checked: Checked) -> None:
    token = checked.token(exp=int((NOON - timedelta(seconds=29)).timestamp()))

    assert (await checked.tokens.actor(f"Bearer {token}", "c")).subject == "officer-1"


def unsigned(checked: Checked) -> str:
    return f"{_part({'alg': 'none', 'kid': 'ed'})}.{_part(checked.issuer.claims('officer-1', NOON))}."


def hmac_with_public_key(checked: Checked) -> str:
    public = orjson.dumps(checked.issuer.keys["rsa"][1].as_dict(private=False))
    forged = TestIssuer.__new__(TestIssuer)
    forged.keys = {"rsa": ("HS256", OctKey.import_key(public))}
    return forged.sign(checked.issuer.claims("officer-1", NOON), "rsa")


def other_key_of_same_id(checked: Checked) -> str:
    forged = TestIssuer.__new__(TestIssuer)
    forged.keys = {"ed": ("EdDSA", OKPKey.generate_key("Ed25519", {"kid": "ed"}, private=True))}
    return forged.sign(checked.issuer.claims("officer-1", NOON), "ed")


def other_algorithm_of_the_key(checked: Checked) -> str:
    return checked.issuer.sign(checked.issuer.claims("officer-1", NOON), "rsa", {"alg": "PS256"})


def with_own_key_in_header(checked: Checked) -> str:
    own = OKPKey.generate_key("Ed25519", {"kid": "mine"}, private=True)
    forged = TestIssuer.__new__(TestIssuer)
    forged.keys = {"mine": ("EdDSA", own)}
    return forged.sign(checked.issuer.claims("officer-1", NOON), "mine", {"jwk": own.as_dict(private=False)})


def without_key_id(checked: Checked) -> str:
    return checked.issuer.sign(checked.issuer.claims("officer-1", NOON), "ed", {"kid": None})


def altered_payload(checked: Checked) -> str:
    head, _, signature = checked.token().split(".")
    return f"{head}.{_part(checked.issuer.claims('supervisor', NOON))}.{signature}"


def no_claims(checked: Checked) -> str:
    return checked.issuer.sign(b"[1]")


def deep_claims(checked: Checked) -> str:
    return checked.issuer.sign(b"[" * 2000)


def with_critical_header(checked: Checked) -> str:
    return checked.issuer.sign(checked.issuer.claims("officer-1", NOON), "ed", {"crit": ["x"], "x": 1})


@pytest.mark.parametrize(
    "make",
    [
        unsigned,
        hmac_with_public_key,
        other_key_of_same_id,
        other_algorithm_of_the_key,
        with_own_key_in_header,
        without_key_id,
        altered_payload,
        no_claims,
        deep_claims,
        with_critical_header,
        lambda _: "abc",
        lambda _: "a.b.c",
        lambda _: "..",
        lambda _: "é.b.c",
        lambda _: "a" * 10_000,
    ],
)
async def test_a_forged_token_is_refused(checked: Checked, make: Callable[[Checked], str]) -> None:
    assert await checked.refused(make(checked)) == "token_invalid"


async def test_a_rotated_key_is_fetched_once_and_soon() -> None:
    checked = Checked()
    await checked.tokens.actor(f"Bearer {checked.token()}", "c")
    checked.issuer.keys["new"] = ("EdDSA", OKPKey.generate_key("Ed25519", {"kid": "new"}, private=True))
    token = checked.token(key="new")

    assert await checked.refused(token) == "token_invalid"
    checked.seconds.at += REFETCH_AFTER.total_seconds()
    assert (await checked.tokens.actor(f"Bearer {token}", "c")).subject == "officer-1"
    assert checked.issuer.fetched == 2


async def test_a_token_that_was_good_is_refused_once_it_has_expired(checked: Checked) -> None:
    token = checked.token()
    for _ in range(2):
        assert (await checked.tokens.actor(f"Bearer {token}", "c")).subject == "officer-1"
    checked.clock.at = NOON + timedelta(days=1)
    assert await checked.refused(token) == "token_invalid"


async def test_made_up_key_ids_do_not_become_calls_to_the_issuer() -> None:
    checked = Checked()
    await checked.tokens.actor(f"Bearer {checked.token()}", "c")
    for number in range(50):
        head = {"kid": f"made-up-{number}"}
        token = checked.issuer.sign(checked.issuer.claims("officer-1", NOON), "ed", head)
        assert await checked.refused(token) == "token_invalid"

    assert checked.issuer.fetched == 1


async def test_a_withdrawn_key_is_refused_once_the_kept_keys_are_old() -> None:
    checked = Checked()
    token = checked.token()
    await checked.tokens.actor(f"Bearer {token}", "c")
    del checked.issuer.keys["ed"]

    checked.seconds.at += KEYS_KEPT.total_seconds()

    assert await checked.refused(token) == "token_invalid"


async def test_the_kept_keys_serve_while_the_issuer_is_away() -> None:
    checked = Checked()
    token = checked.token()
    await checked.tokens.actor(f"Bearer {token}", "c")
    checked.issuer.away = True
    checked.seconds.at += 10 * KEYS_KEPT.total_seconds()

    assert (await checked.tokens.actor(f"Bearer {token}", "c")).subject == "officer-1"


async def test_without_any_key_the_caller_is_told_to_come_again() -> None:
    checked = Checked()
    checked.issuer.away = True

    with pytest.raises(Unavailable) as error:
        await checked.tokens.actor(f"Bearer {checked.token()}", "c")
    assert error.value.retry_after


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_a_weak_or_broken_key_does_not_spoil_the_others() -> None:
    checked = Checked()
    weak = RSAKey.generate_key(1024, {"kid": "weak"}, private=True)
    checked.issuer.keys["weak"] = ("RS256", weak)

    assert await checked.refused(checked.token(key="weak")) == "token_invalid"
    checked.seconds.at += REFETCH_AFTER.total_seconds()
    assert (await checked.tokens.actor(f"Bearer {checked.token()}", "c")).subject == "officer-1"


def _part(content: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")
