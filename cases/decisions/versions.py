"""Versions of what was given to open a case: a correction or a change adds one, and none is written over."""

from datetime import datetime

from cases.case import evidence
from cases.case.file import CaseFile
from cases.notices import contact_changes
from cases.notices.compose import Said
from domain.forms import Form
from domain.parties import looked_up_within


def keep_version(file: CaseFile, at: datetime, *, whole: Form) -> list[Said]:
    """Keep a new version of what was given, beside the earlier ones; return what to tell whose address it changes."""
    before, version = file.subject, file.row.facts_version + 1
    content = whole.model_dump_json(exclude_none=True).encode()
    file.add_row(
        "applications",
        {
            "reference": file.reference,
            "version": version,
            "employer_id": file.employer_id,
            "body": file.person_key.seal("applications", "body", f"{file.reference}/{version}", content),
            "given_at": at,
        },
    )
    file.application = whole
    is_another = not before.document.is_same_person(whole.subject.document)
    evidence.follow(file, whole, at, is_another=is_another)
    file.row.facts_version = version
    told = contact_changes.follow(file, at, before)
    within = looked_up_within(file.employer_id)
    file.row.name_hash = file.context.keyring.lookup_hash(f"name/{within}", whole.subject.name_zh)
    return told
