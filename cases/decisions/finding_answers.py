"""What officers answered about findings: one holds for the same finding with the same facts later in the case."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson

from cases.case.file import CaseFile
from cases.programme import programme_of
from domain.findings import Finding
from domain.signatures import FindingAnswer, KeptReason
from policy.facts import Facts
from policy.looked_at import looked_at
from policy.rerun import REGISTRATION_SCOPE
from store.rows.register import AssessmentRow


def answers_given(file: CaseFile, scope: str, reasons: Sequence[KeptReason], at: datetime) -> list[FindingAnswer]:
    """Return what override reasons answer of the newest findings of a scope of rules.

    A reason that names a field answers the findings about that field, one with the name of a finding that finding, and
    any other all that did not pass.
    """
    kept = file.assessment(scope)
    if kept is None or not reasons:
        return []
    facts = kept_facts(file, kept)
    found = (Finding.model_validate(each) for each in kept.findings)
    answers: list[FindingAnswer] = []
    for finding in found:
        codes = [reason["code"] for reason in reasons if _is_about(file, reason, finding)]
        if codes and not finding.passed and finding.code in programme_of(file).rules.looked_at:
            answers.append(
                {
                    "code": finding.code,
                    "outcome": finding.outcome.value,
                    "facts": _hash(file, finding, facts),
                    "reasons": codes,
                    "scope": scope,
                    "at": at.isoformat(),
                }
            )
    return answers


def keep(file: CaseFile, answers: Iterable[FindingAnswer]) -> None:
    """Keep answers with those given before."""
    whole = [*(file.row.answered_findings or ()), *answers]
    file.row.answered_findings = whole or None


def take_back(file: CaseFile) -> None:
    """Forget what was answered at the registration, whose approval was taken back."""
    kept = [answer for answer in file.row.answered_findings or () if answer["scope"] != REGISTRATION_SCOPE]
    file.row.answered_findings = kept or None


def open_questions(
    file: CaseFile, findings: Iterable[Finding], facts: Facts, *, further: Iterable[FindingAnswer] = ()
) -> tuple[Finding, ...]:
    """Return the findings that did not pass and that nobody has answered with these facts.

    Args:
        file: the case.
        findings: what the rules found.
        facts: what they looked at.
        further: answers of a proposal that waits for its second signature.
    """
    asked = [finding for finding in findings if not finding.passed]
    known = {_named(answer) for answer in (*(file.row.answered_findings or ()), *further)}
    return tuple(finding for finding in asked if _key(file, finding, facts) not in known)


def reasons_for(file: CaseFile, findings: Iterable[Finding], facts: Facts) -> tuple[str, ...]:
    """Return the reasons, each once, by which findings that did not pass were answered."""
    asked = {_key(file, finding, facts) for finding in findings if not finding.passed}
    answers = [answer for answer in file.row.answered_findings or () if _named(answer) in asked]
    return tuple(dict.fromkeys(code for answer in answers for code in answer["reasons"]))


def kept_facts(file: CaseFile, assessment: AssessmentRow) -> Facts:
    """Return the facts that a kept assessment rests on."""
    place = f"{assessment.reference}/{assessment.scope}/{assessment.seq}"
    return programme_of(file).rules.facts.read(file.open("assessments", "facts", place, assessment.facts))


def _is_about(file: CaseFile, reason: KeptReason, finding: Finding) -> bool:
    if reason.get("field"):
        return any(reason["field"] in (name, name.rpartition(".")[2]) for name in finding.fields)
    return reason["code"] not in programme_of(file).rules.codes or reason["code"] == finding.code


def _named(answer: FindingAnswer) -> tuple[str, str, str]:
    return answer["code"], answer["outcome"], answer["facts"]


def _key(file: CaseFile, finding: Finding, facts: Facts) -> tuple[str, str, str] | None:
    if finding.code not in programme_of(file).rules.looked_at:
        return None
    return finding.code, finding.outcome.value, _hash(file, finding, facts)


def _hash(file: CaseFile, finding: Finding, facts: Facts) -> str:
    """Return the keyed hash of the facts of a finding; like the facts it means nothing after an erasure."""
    names = programme_of(file).rules.looked_at[finding.code]
    seen = orjson.dumps(looked_at(names, facts), option=orjson.OPT_SORT_KEYS)
    return file.person_key.ledger_hash(seen)
