"""Why Temporal cannot be reached, in words that an operator can act on: what the SDK says is Rust's own spelling."""

from dataclasses import dataclass
from typing import Final

from temporalio.service import RPCError, RPCStatusCode


@dataclass(frozen=True, slots=True)
class Away:
    """A code for logs, what is wrong, and what to do about it."""

    code: str
    says: str
    to_do: str


class NotConnectedError(RuntimeError):
    """Temporal took no connection, or refused the first call on it; the message is one plain line."""

    def __init__(self, away: Away) -> None:
        super().__init__(f"{away.says}: {away.to_do}")
        self.away = away


_NO_ANSWER: Final = Away("no_answer", "it does not answer", "start it, or mend TEMPORAL_ADDRESS and its TLS settings")
# What the text of an error holds, the first that fits; of rustls, tonic and the gRPC status as the SDK prints them.
_CAUSES: Final = (
    (
        ("code: Unauthenticated",),
        Away(
            "key_refused",
            "it does not take our API key, or wants one",
            "mend HETAO_TEMPORAL_API_KEY_FILE (or TEMPORAL_API_KEY): the key is wrong, has expired or was revoked",
        ),
    ),
    (
        ("code: PermissionDenied",),
        Away(
            "not_allowed",
            "it knows who we are and does not let us in",
            "give the account of our key or certificate the right to write to the namespace of TEMPORAL_NAMESPACE",
        ),
    ),
    (
        ("NotValidForName",),
        Away(
            "certificate_of_another",
            "its certificate is for another name",
            "mend TEMPORAL_ADDRESS, or name in TEMPORAL_TLS_SERVER_NAME what its certificate is for",
        ),
    ),
    (
        ("InvalidCertificate(Expired", "InvalidCertificate(NotValidYet"),
        Away("certificate_out_of_date", "its certificate is out of date", "renew it there, or mend this host's clock"),
    ),
    (
        ("InvalidCertificate",),
        Away(
            "certificate_not_trusted",
            "its certificate is of an authority that we do not trust",
            "put that authority's certificate into TEMPORAL_TLS_SERVER_CA_CERT_PATH",
        ),
    ),
    (
        ("InvalidMessage(InvalidContentType)",),
        Away("no_tls_there", "it does not speak TLS", "mend TEMPORAL_ADDRESS, or set TEMPORAL_TLS=false"),
    ),
    (
        ("AlertReceived", "CertificateRequired", "broken pipe", "connection closed", "close_notify", "ConnectionReset"),
        Away(
            "closed_on_us",
            "it takes the connection and closes it at once",
            "it wants TLS (TEMPORAL_TLS=true), or a certificate of ours that it trusts (TEMPORAL_TLS_CLIENT_CERT_PATH"
            " and TEMPORAL_TLS_CLIENT_KEY_PATH)",
        ),
    ),
    (("dns error",), Away("no_such_host", "its host has no address", "mend TEMPORAL_ADDRESS")),
)
_CODES: Final = {
    RPCStatusCode.UNAUTHENTICATED: "Unauthenticated",
    RPCStatusCode.PERMISSION_DENIED: "PermissionDenied",
}


def explain(error: BaseException) -> Away:
    """Return why a connection was not made or a call refused, by what the SDK said of it."""
    said = f"code: {_CODES.get(error.status)}" if isinstance(error, RPCError) else ""
    said = f"{said} {error}"
    return next((away for marks, away in _CAUSES if any(mark in said for mark in marks)), _NO_ANSWER)
