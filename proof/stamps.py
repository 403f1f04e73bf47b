"""Stamps of a checkpoint by a time-stamping authority (RFC 3161), checked against certificates a verifier trusts."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography.x509 import Certificate, load_der_x509_certificate, load_pem_x509_certificates
from rfc3161_client import PKIStatus, TimeStampResponse, VerificationError, VerifierBuilder, decode_timestamp_response


class BrokenStampError(ValueError):
    """A stamp that does not show what it is said to show."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a stamp shows: that its content was there at a time, by whose word."""

    at: datetime
    authority: str


def read_certificates(pem: bytes) -> tuple[Certificate, ...]:
    """Read the roots that are trusted to stand behind stamps.

    Raises:
        ValueError: when there is none.
    """
    return tuple(load_pem_x509_certificates(pem))


def verify_stamp(token: bytes, content: bytes, roots: Iterable[Certificate]) -> Stamp:
    """Return what a stamp shows, by certificates under the roots as they were valid at the time that it states.

    Raises:
        BrokenStampError: with the first thing that does not hold.
    """
    try:
        return _verified(decode_timestamp_response(token), content, roots)
    except VerificationError as error:
        # The library tells of a broken chain in pages, of anything else in a sentence.
        why = str(error) if "\n" not in str(error) and len(str(error)) < 100 else "its signature or chain is broken"
        raise BrokenStampError(f"none of the trusted roots stands behind it: {why}") from error
    except BrokenStampError:
        raise
    except Exception as error:  # parsers of certificates raise what they please at altered bytes
        raise BrokenStampError("it does not have the form of a stamp (RFC 3161)") from error


def _verified(response: TimeStampResponse, content: bytes, roots: Iterable[Certificate]) -> Stamp:
    if PKIStatus(response.status) is not PKIStatus.GRANTED:
        raise BrokenStampError("the authority did not grant it")
    info = response.tst_info
    if info.message_imprint.message != hashlib.sha256(content).digest():
        raise BrokenStampError("it is of something else than this checkpoint")
    # Found before the library looks, which takes the signer out of the list.
    authority = _authority_of(response)
    builder = VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    builder.build().verify_message(response, content)
    return Stamp(info.gen_time, authority)


def _authority_of(response: TimeStampResponse) -> str:
    """Return whose key signed: the certificate that issuer and number name, which the signature covers."""
    (signer,) = response.signed_data.signer_infos
    for der in response.signed_data.certificates:
        certificate = load_der_x509_certificate(der)
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number):
            return certificate.subject.rfc4514_string()
    raise BrokenStampError("it came without the certificate of its authority")
