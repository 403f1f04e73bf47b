"""The person's page: its script has all the words that it says, in each language, and no word breaks out of it."""

import base64
import hashlib
import json
import re

import pytest

from api.me_page import HEADERS, me_page
from domain.languages import Language
from domain.person import ComplaintAbout, ComplaintOutcome, ObjectionKind
from texts.person import GROUPS

SCRIPT = re.compile(r"<script>(.*)</script>", re.DOTALL)


@pytest.mark.parametrize("language", Language)
def test_the_script_of_the_page_is_the_allowed_one_and_has_its_words(language: Language) -> None:
    page = me_page(language)
    [script] = SCRIPT.findall(page)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in HEADERS["Content-Security-Policy"]
    assert "innerHTML" not in script
    words = json.loads(page.partition('id="words">')[2].partition("</script>")[0])
    assert set(re.findall(r"\bsay\.(\w+)", script)) <= set(words)
    assert all(words.values())


def test_every_code_that_the_page_may_meet_has_words() -> None:
    words = GROUPS["page_words"]
    decided = ("approve", "refuse", "return", "revoke", "withhold", "uphold", "set_aside", "replaced")
    assert {f"outcome_{each}" for each in (*decided, *ComplaintOutcome)} <= set(words)
    assert {f"about_{each}" for each in (*ComplaintAbout, "departure")} <= set(words)
    assert {f"kind_{each}" for each in ObjectionKind} <= set(words)
