"""What the OpenAPI document says in words: of itself, of its groups of calls, and of what callers show."""

from typing import Any, Final

from programmes import PROGRAMMES

_RULES: Final = """\
**Who calls.** Employers and the park's people send a token of the OIDC issuer (`bearer`); the roles that a call is \
for stand beside its security scheme and in `x-roles`. A person sends the token of a session that a one-time link \
opened (`session`). Machines sign their messages (`signature`). A few calls are open to anyone.

**Writes.** Each carries an `Idempotency-Key`, kept for 30 days for each caller, method and path: the same key with \
the same query and body gives the first answer again, with another it is 422 `idempotency_key_reused`, and while \
the first call still runs 409 `in_progress`. 202 says that what was asked is stored and will be done.

**Lists** answer `items` and `next_cursor`, which is null on the last page. `limit` is at most 200; a cursor serves \
the same caller and the same query only.

**Problems.** Every refusal is a problem document (RFC 9457, `application/problem+json`). Each call lists the codes \
that it may give under its statuses (`x-problem-codes`), and `/docs/problems` explains them. 503 says that \
something outside is away or overloaded, and when to come again; 500 that the system failed on the content, with \
the id of its incident.

**Form.** Bodies are I-JSON (RFC 7493) of at most 1 MiB; unknown fields and unknown names in the query are refused. \
Times are RFC 3339 with their offset, dates ISO in Asia/Shanghai. `Accept-Language` chooses the language of \
messages (`zh-Hans`, `zh-Hant`, `en`); codes never change. Every answer has an `X-Correlation-ID` to name it by. \
All people and organisations in examples are made up.
"""

DESCRIPTION: Final = "\n\n".join([*(each.views.published.description for each in PROGRAMMES.values()), _RULES])

TAGS: Final[dict[str, str]] = {
    "Employers": "Registering people and what is said of them later, rosters, the employer's contact and webhooks.",
    "Staff": "Work lists, decisions and second signatures, recorded facts, answers of the authority, complaints.",
    "Notices": "The inbox of employers and of the park's people, and what could not be delivered.",
    "Erasure": "Legal holds, and erasing a person with a second signature.",
    "Persons": "Joining persons who stand twice in the register, and parting them, with a second signature.",
    "Supervisors": "The register of employers, their standing, and premises.",
    "Seal": "Checkpoints of the log over the ledger, proofs, public keys, and cosignatures of witnesses.",
    "Rules": "Versions of rule packs, their trials, and the rules run again on a decided case.",
    "Auditors": "Searching, counting, sampling and exporting the ledger; the story and the reconciliation of a case.",
    "Receipts": "Signed files of decisions, which anyone can verify.",
    "Machines": "Signed messages of the exit-entry administration and of the mail and SMS gateways.",
    "Operators": "Incidents and their causes, and how the channels of notices fare.",
    "The person": "Signing in by a one-time link; one's own cases and data, who read them, complaints and disputes.",
    "Check codes": "Codes by which anyone who was given one sees whether a case is in force.",
    "Drafts": "What was begun and not sent, sealed for a time; saved views of lists.",
    "Anyone": "Whether the process runs and can serve, and what is asked before there is an account.",
}

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the OIDC issuer with the claim `role`: `employer` (with `employer_id`), `officer`, "
        "`supervisor`, `auditor` or `operator`.",
    },
    "session": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a person's session, which `POST /v1/me/sessions` gives for a one-time link.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "The message is signed as Standard Webhooks 1.0.0 says.",
    },
}
