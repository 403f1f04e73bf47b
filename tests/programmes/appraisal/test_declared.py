"""What a form declares by its evidence."""

import pytest

from cases.case.evidence import declared
from programmes.appraisal.requests import AppraisalRequest
from programmes.appraisal.rules.claims import AppraisalClaims, AppraisalItem
from tests.programmes.appraisal.people import form, piece


@pytest.mark.parametrize("item", AppraisalItem)
def test_a_piece_that_claims_no_value_declares_no_value(item: str) -> None:
    given = AppraisalRequest.model_validate(form("points", [piece(item)]))
    # Of an item that holds or does not, the piece itself is the claim.
    claims = AppraisalClaims.of(declared(given))
    assert claims == AppraisalClaims(listed_school=True if item == "listed_school" else None)
