"""Made-up people for the measurements: as many as are wanted, each with an identity number that checks out."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import Any, Final

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"  # GB 11643-1999
_FIRST_BIRTHDAY: Final = date(1975, 1, 1)
_BIRTHDAYS: Final = 9000


def identity_number(number: int) -> str:
    """Return the identity number of a made-up person; different numbers give different people."""
    birthday = _FIRST_BIRTHDAY + timedelta(days=number % _BIRTHDAYS)
    area = 440304 + (number // _BIRTHDAYS) // 1000 % 4
    body = f"{area}{birthday:%Y%m%d}{number // _BIRTHDAYS % 1000:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + _CHECKS[total % 11]


def registration(number: int, *, email: bool = True, **employment: Any) -> dict[str, Any]:
    """Return the body of a registration without defects, for both destinations."""
    return {
        "client_reference": f"bench-{number}",
        "person": {
            "name_zh": "测试员",
            "name_en": "Sample Person",
            "identity_number": identity_number(number),
            "permit_card_number": f"C{10_000_000 + number:08d}",
            "permit_card_valid_until": "2035-03-16",
            "language": "zh-Hans",
        }
        | ({"email": f"person-{number}@example.com"} if email else {}),
        "employment": {
            "position": "研究员",
            "work_site": "SZP-001",
            "employment_kind": "contract",
            "contract_start": "2025-01-01",
            "state_worker": False,
        }
        | employment,
        "destinations": ["HK", "MO"],
        "undertaking_version": "2026-01",
    }


def numbers(first: int = 1) -> Iterator[int]:
    """Count people from one on; card numbers that the stand-in authority refuses are left out."""
    return (number for number in count(first) if number % 10_000 not in (404, 405, 422))
