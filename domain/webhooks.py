"""Webhook subscriptions of an employer and receipts of a gateway: the bodies of their calls and what a URL may be."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from domain.bodies import Body
from domain.fields import Moment, refusal
from domain.networks import is_public
from domain.notices import DeliveryStatus

URL_LENGTH: Final = 2000
MOST_SUBSCRIPTIONS: Final = 20
KEY_OVERLAP: Final = timedelta(hours=24)
MOST_KEYS: Final = 5  # rotated again and again within the overlap
WEBHOOK_TEST: Final = "webhook_test"  # the kind of a test delivery, which is no notice kind

# RFC 3986: what a URL may hold, in ASCII; a name in other scripts is given in its xn-- form.
_URL_CHARACTERS: Final = re.compile(r"[!#-;=?-Z\[\]_a-z~]+")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# The WHATWG URL standard reads a host that ends in a number as an IPv4 address, and so do resolvers.
_ENDS_IN_NUMBER: Final = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
_PORTS: Final = {"http": 80, "https": 443}
_NAMES_INSIDE: Final = ("localhost", "local", "internal", "intranet", "home.arpa", "onion")


class Scheme(StrEnum):
    """How messages are signed: by a shared secret (HMAC) or by an Ed25519 key whose public half is shown."""

    V1 = "v1"
    V1A = "v1a"


class WebhookState(StrEnum):
    """Whether a subscription receives: active, without kinds, paused after days of failure, or ended by a 410."""

    ACTIVE = "active"
    OFF = "off"
    PAUSED = "paused"
    GONE = "gone"


class UnfitTargetError(ValueError):
    """A URL that webhooks may not go to."""


def check_target(url: str, allowed: Collection[str] = ()) -> None:
    """Check the form of a URL; what its name resolves to is checked again at each delivery.

    Args:
        url: the URL as given.
        allowed: exact `host:port` pairs that may be private and may speak plain HTTP.

    Raises:
        UnfitTargetError: with what is wrong, never with the URL.
    """
    if not _URL_CHARACTERS.fullmatch(url) or len(url) > URL_LENGTH:
        raise UnfitTargetError("Give a URL of at most 2000 ASCII characters.")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise UnfitTargetError("Give a URL such as https://example.com/hooks.") from None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc or parts.fragment or port == 0:
        raise UnfitTargetError("Give an https URL without user, password and fragment.")
    pair = f"{f'[{host}]' if ':' in host else host}:{port or _PORTS[parts.scheme]}"
    if pair in {each.lower() for each in allowed}:
        return
    if parts.scheme != "https":
        raise UnfitTargetError("Give an https URL.")
    if not _is_outside(host):
        raise UnfitTargetError("The host must be a public one.")


def _is_outside(host: str) -> bool:
    """Say whether a host may be public, as far as it can be told without resolving it."""
    try:
        return is_public(ip_address(host))
    except ValueError:
        pass
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(labels) < 2 or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    if _ENDS_IN_NUMBER.fullmatch(name):
        return False
    return not any(name == inside or name.endswith(f".{inside}") for inside in _NAMES_INSIDE)


def each_once(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Return kinds in their order, or refuse one that is named twice."""
    if len(set(kinds)) != len(kinds):
        raise refusal("unknown_value", "Name each kind once.")
    return tuple(sorted(kinds))


def _not_empty(url: str) -> str:
    if not _URL_CHARACTERS.fullmatch(url):
        raise refusal("bad_characters", "Give the URL in ASCII, a name in other scripts in its xn-- form.")
    return url


class WebhookRequest(Body):
    """A subscription: the URL names it, so that the same URL again replaces its kinds; no kinds turn it off.

    A new subscription gets a key of the scheme; the key of an old one changes by its own call only.
    """

    url: Annotated[
        str,
        StringConstraints(min_length=1, max_length=URL_LENGTH),
        AfterValidator(_not_empty),
        Field(examples=["https://hr.example.com/hooks/hetao"]),
    ]
    kinds: Annotated[tuple[str, ...], AfterValidator(each_once)]
    scheme: Scheme = Scheme.V1


class SecretRequest(Body):
    """A new key for a subscription, of the same scheme unless another is named."""

    scheme: Scheme | None = None


class SigningKey(Body):
    """A key as it is kept; one that was replaced still signs beside the new one for a while."""

    key: Annotated[str, Field(repr=False)]
    until: AwareDatetime | None = None


class SigningKeys(Body):
    """The keys of one subscription, the newest first."""

    keys: tuple[SigningKey, ...]

    def at(self, moment: datetime) -> tuple[str, ...]:
        """Return the keys that sign at a moment."""
        return tuple(each.key for each in self.keys if each.until is None or each.until > moment)

    def replaced_by(self, key: str, at: datetime) -> Self:
        """Return the keys with a new one in front; the earlier ones end a day later, if not before."""
        end = at + KEY_OVERLAP
        earlier = [SigningKey(key=k.key, until=min(k.until or end, end)) for k in self.keys if k.key in self.at(at)]
        return type(self)(keys=(SigningKey(key=key), *earlier[: MOST_KEYS - 1]))


class ReceiptStatus(StrEnum):
    """What a gateway says became of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"

    @property
    def as_delivery(self) -> DeliveryStatus:
        """The status that a delivery moves to."""
        return DeliveryStatus(self.value)


class ReceiptRequest(Body):
    """A receipt: the gateway's own id of the message, or the delivery id that it was sent with."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=250, pattern=r"^[!-~]+$")]
    status: ReceiptStatus
    at: Moment
