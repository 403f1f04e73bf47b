"""Right bodies of a work permit: a form, and what a paper of the authority says."""

from collections.abc import Mapping
from typing import Any, Final

FORM: Final[Mapping[str, Any]] = {
    "person": {
        "name_en": "Jane Sample",
        "document": {"kind": "passport", "place": "GB", "number": "123456789"},
        "nationality": "GB",
        "birth_date": "1980-05-20",
        "email": "jane@example.com",
        "language": "en",
    },
    "job": {
        "position": "Materials scientist",
        "work_site": "SZP-001",
        "location": "440304",
        "salary_year": "300000.00",
        "contract_start": "2026-01-01",
        "contract_end": "2028-12-31",
    },
    "declared": {"education": "doctor", "experience_years": 5, "months_in_china_a_year": 9, "chinese": "hsk4"},
    "category": "B",
    "evidence": [
        {"item": "education", "kind": "diploma", "issuer": "Sample", "date": "2010-07-01", "value": "doctor"},
        {"item": "is_healthy", "kind": "medical_report", "issuer": "Clinic", "date": "2025-12-01"},
    ],
}
PAPER: Final[Mapping[str, Any]] = {
    "outcome": "issued",
    "paper": "SZ-1",
    "number": "440300260001234",
    "category": "B",
    "valid_from": "2026-01-05",
    "valid_until": "2027-12-31",
}
