"""Made-up people in any number, with right check digits."""

from typing import Any

from stdnum.iso7064 import mod_11_2


def identity_number(serial: int) -> str:
    """Return a made-up identity number with the right check character."""
    body = f"440304{1960 + serial // 1000 % 40}0307{serial % 1000:03d}"
    return body + str(mod_11_2.calc_check_digit(body))


def registration(serial: int, destinations: tuple[str, ...] = ("HK",)) -> dict[str, Any]:
    """Return the request for one person whose case is clear."""
    return {
        "client_reference": f"KILL-{serial:04d}",
        "person": {
            "name_zh": "李示例",
            "name_en": f"Shili Li {'ABCDEFGHIJ'[serial // 100 % 10]}",
            "identity_number": identity_number(serial),
            "permit_card_number": f"C7{serial:07d}",
            "permit_card_valid_until": "2036-05-31",
            "email": f"person-{serial}@people.example",
            "language": "zh-Hans",
        },
        "employment": {
            "position": "助理研究员",
            "work_site": "SZP-001",
            "employment_kind": "contract",
            "contract_start": "2025-07-01",
            "contract_end": "2035-06-30",
            "state_worker": False,
        },
        "destinations": list(destinations),
    }
