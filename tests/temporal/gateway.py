"""A stand for Temporal Cloud's front end: TLS by an authority of its own, and an API key that each call must show.

Behind it is the development server. What Temporal Cloud does beside (its limits, its accounts) is not played.
"""

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "permits.a1b2c.tmprl.example"
# A call that is answered after this one of the SDK's own: a poll is held open for a minute.
_SECONDS = 90.0
_MARGIN = 5.0


@dataclass
class Gateway:
    """Where the stand listens, which keys it takes, what was asked of it, and how often it is too busy for a method."""

    address: str
    api_keys: set[str]
    calls: list[tuple[str, str | None]] = field(default_factory=list)
    too_busy: dict[str, int] = field(default_factory=dict)

    def keys_of(self, method: str) -> set[str | None]:
        """Return the keys with which a method was called."""
        return {key for called, key in self.calls if called == method}

    def is_too_busy(self, method: str) -> bool:
        """Return whether this call of a method is one of those that are refused, and count it."""
        name = method.rpartition("/")[2]
        self.too_busy[name] = self.too_busy.get(name, 0) - 1
        return self.too_busy[name] >= 0


@dataclass(frozen=True)
class Certificates:
    """An authority's certificate, and certificate and key that it gave to the server and to a client, as PEM."""

    authority: bytes
    server: tuple[bytes, bytes]
    client: tuple[bytes, bytes]

    def write(self, directory: Path) -> dict[str, str]:
        """Write what a client is given, and return the variables by which Temporal's SDK finds it."""
        files = {"ca.pem": self.authority, "client.pem": self.client[0], "client.key": self.client[1]}
        for name, content in files.items():
            (directory / name).write_bytes(content)
        return {
            "TEMPORAL_TLS": "true",
            "TEMPORAL_TLS_SERVER_NAME": NAME,
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(directory / "ca.pem"),
            "TEMPORAL_TLS_CLIENT_CERT_PATH": str(directory / "client.pem"),
            "TEMPORAL_TLS_CLIENT_KEY_PATH": str(directory / "client.key"),
        }


def make_certificates() -> Certificates:
    """Make an authority, and what it gives to server and client."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("authority", key.public_key(), "authority", key, is_authority=True)
    made = []
    for name in (NAME, "hetao-permits"):
        own = ec.generate_private_key(ec.SECP256R1())
        made.append((_pem(_certificate(name, own.public_key(), "authority", key)), _key_pem(own)))
    return Certificates(_pem(authority), made[0], made[1])


@asynccontextmanager
async def open_gateway(
    behind: str, certificates: Certificates, api_keys: set[str], *, asks_client: bool = False
) -> AsyncIterator[Gateway]:
    """Listen on a free port of this machine and hand on, to the server behind, the calls that show a key."""
    async with grpc.aio.insecure_channel(behind, options=[("grpc.max_receive_message_length", -1)]) as channel:
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
        gateway = Gateway("", api_keys)
        server.add_generic_rpc_handlers((_HandsOn(gateway, channel),))
        credentials = grpc.ssl_server_credentials(
            [(certificates.server[1], certificates.server[0])],
            root_certificates=certificates.authority if asks_client else None,
            require_client_auth=asks_client,
        )
        gateway.address = f"127.0.0.1:{server.add_secure_port('127.0.0.1:0', credentials)}"
        await server.start()
        try:
            yield gateway
        finally:
            await server.stop(None)


class _HandsOn(grpc.GenericRpcHandler):
    """Hands every call on as the bytes that it came in; all calls of Temporal have one request and one answer."""

    def __init__(self, gateway: Gateway, channel: grpc.aio.Channel) -> None:
        self._gateway, self._channel = gateway, channel

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = handler_call_details.method

        async def call(request: bytes, context: Any) -> bytes:
            told = {name: value for name, value in context.invocation_metadata() if not name.startswith("grpc-")}
            shown = told.pop("authorization", None)
            key = shown.removeprefix("Bearer ") if shown else None
            self._gateway.calls.append((method.rpartition("/")[2], key))
            if key not in self._gateway.api_keys:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "Request unauthorized.")
            if self._gateway.is_too_busy(method):
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests. Please try again later")
            left = context.time_remaining()
            try:
                return await self._channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)(
                    request, timeout=min(left or _SECONDS, _SECONDS), metadata=[*told.items()]
                )
            except grpc.aio.AioRpcError as error:
                context.set_trailing_metadata(error.trailing_metadata() or ())
                await context.abort(error.code(), error.details() or "")
                raise

        return grpc.unary_unary_rpc_method_handler(call)


def _certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    issuer: str,
    by: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool = False,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(by, hashes.SHA256())
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
