"""Publishing rule packs: proposed with the report of a trial, signed by a second supervisor, in force from a day on."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cases.case.signers import need_codes
from cases.decisions.second_signature import SecondSignature
from cases.keys.data import add_data_key
from cases.shared.context import Context, code_of_pack
from cases.shared.idempotency import Done, Idempotency, Progress, Reply, once
from domain.actors import Actor, Role
from domain.acts import Act
from domain.clock import day_of
from domain.errors import FieldError, Refused
from domain.field_errors import FieldCode
from domain.reasons import Use
from domain.rule_packs import PackConfirmation, PackProposal, PackState
from domain.signatures import PackSignature
from policy.pack import Pack, PackError, PackShelf, parse_pack
from proof.statements import signed_statement
from register.pack_views import PackVersionView, SignatureView
from register.trials import lock_policy, policy_chain
from store.ledger import Entry, append
from store.rows.rules import PackRow
from store.tables import rule_packs, rule_trials

_SIGNING: Final = SecondSignature(by=frozenset({Role.SUPERVISOR}))


async def propose_pack(
    context: Context, actor: Actor, name: str, request: PackProposal, idempotency: Idempotency
) -> Reply:
    """Propose a pack that was tried on past cases; the first of two signatures.

    Raises:
        Refused: `invalid` with the field: the content is no pack of this name, takes effect too early or on the day of
            another one, or the report is not about it; `already_decided` for a version that is known; `not_found` for
            a name that no rule reads.
    """
    at = context.clock()
    if code_of_pack(context, name) is None:
        raise Refused("not_found", "There is no rule pack of this name that new versions could be published of.")
    pack = _parsed(name, request.content)
    if pack.effective_from <= day_of(at):
        raise _wrong("content", FieldCode.DATE_ORDER, "The pack must take effect on a later day than today.")

    async def write(connection: AsyncConnection) -> Done:
        await lock_policy(connection, name)
        _need_new(context.packs.of(name), await _rows(connection, name), pack)
        await _need_trial(connection, pack, request.report_hash)
        row = PackRow(
            name=name,
            version=pack.version,
            content=request.content,
            content_hash=pack.content_hash,
            effective_from=pack.effective_from,
            state=PackState.PROPOSED.value,
            report_hash=request.report_hash,
            proposed_by=_signature(context, actor, "rule_proposed", pack, at),
            at=at,
        )
        await connection.execute(insert(rule_packs).values(row.filled()))
        await _record(connection, actor, at, Act.RULE_PROPOSED, row)
        reply = Reply(Progress.MADE, pack_view(row).as_json())
        return Done(reply, await add_data_key(context, connection))

    return (await once(context, actor, idempotency, write)).reply


async def confirm_pack(
    context: Context,
    actor: Actor,
    name: str,
    version: str,
    request: PackConfirmation,
    idempotency: Idempotency,
) -> Reply:
    """Give or refuse the second signature on a proposed pack.

    Raises:
        Refused: `not_found`; `already_decided`; `same_signer` for the proposer; `wrong_stage` where its first day has
            come, so that it would hold for cases accepted before; those of a wrong reason.
    """
    at = context.clock()
    published: list[Pack] = []

    async def write(connection: AsyncConnection) -> Done:
        await lock_policy(connection, name)
        row = next((row for row in await _rows(connection, name) if row.version == version), None)
        if row is None:
            raise Refused("not_found", "No pack of this version was proposed.")
        if row.state != PackState.PROPOSED:
            raise Refused("already_decided", f"The pack is {row.state} already.")
        confirmed = _SIGNING.is_given(actor, row.proposed_by, request.action)
        codes = need_codes(request.reasons, Use.REJECT, context.words.reasons, at_least_one=not confirmed)
        pack = parse_pack(row.content)
        if confirmed and pack.effective_from <= day_of(at):
            raise Refused("wrong_stage", "The pack's first day has come; propose it again with a later one.")
        act = Act.RULE_PUBLISHED if confirmed else Act.RULE_REJECTED
        reasons = list(codes)
        signature = _signature(context, actor, act.value, pack, at) | {"reasons": reasons}
        state = PackState.PUBLISHED if confirmed else PackState.REJECTED
        row.change(state=state.value, confirmed_by=signature)
        one = update(rule_packs).where(rule_packs.c.name == name, rule_packs.c.version == version)
        await connection.execute(one.values(state=state.value, confirmed_by=signature))
        await _record(connection, actor, at, act, row, reasons)
        reply = Reply(Progress.APPLIED, pack_view(row).as_json())
        if confirmed:
            published.append(pack)
        return Done(reply, await add_data_key(context, connection))

    done = await once(context, actor, idempotency, write)
    for pack in published:
        context.packs.of(name).add(pack)
    return done.reply


async def list_packs(context: Context, actor: Actor, name: str) -> list[PackVersionView]:
    """Return every version of a pack, earliest effective day first: those that ship with the engine and the others."""
    async with context.database.begin(actor.tenant) as connection:
        rows = await _rows(connection, name)
    own = {row.version for row in rows}
    shipped = [_shipped(pack) for pack in context.packs.of(name).packs if pack.version not in own]
    return sorted([*shipped, *map(pack_view, rows)], key=lambda view: (view.effective_from, view.version))


def pack_view(row: PackRow) -> PackVersionView:
    """Return how a version of a pack is shown: state, days, hashes and the roles that signed, no names."""
    return PackVersionView(
        name=row.name,
        version=row.version,
        state=PackState(row.state),
        effective_from=row.effective_from,
        content_hash=row.content_hash,
        report_hash=row.report_hash,
        proposed=_signed(row.proposed_by),
        confirmed=_signed(row.confirmed_by),
    )


def _shipped(pack: Pack) -> PackVersionView:
    return PackVersionView(
        name=pack.name,
        version=pack.version,
        state=PackState.PUBLISHED,
        effective_from=pack.effective_from,
        content_hash=pack.content_hash,
        report_hash=None,
        proposed=None,
        confirmed=None,
    )


def _signed(signature: PackSignature | None) -> SignatureView | None:
    if signature is None:
        return None
    return SignatureView(role=signature["role"], at=signature["at"], reasons=signature.get("reasons", []))


async def _rows(connection: AsyncConnection, name: str) -> list[PackRow]:
    return PackRow.all_of(await connection.execute(select(rule_packs).where(rule_packs.c.name == name)))


def _parsed(name: str, content: str) -> Pack:
    try:
        pack = parse_pack(content)
    except PackError as error:
        raise _wrong("content", FieldCode.WRONG_TYPE, str(error)) from error
    if pack.name != name:
        raise _wrong("content", FieldCode.UNKNOWN_VALUE, "The content is of a pack of another name.")
    return pack


def _need_new(shelf: PackShelf, rows: list[PackRow], pack: Pack) -> None:
    others = [row for row in rows if row.state != PackState.REJECTED]
    versions = {row.version for row in rows} | {known.version for known in shelf.packs}
    if pack.version in versions:
        raise Refused("already_decided", "A pack of this version is known; give the new one another version.")
    days = {row.effective_from for row in others} | {known.effective_from for known in shelf.packs}
    if pack.effective_from in days:
        raise _wrong("content", FieldCode.DATE_ORDER, "Another version takes effect on that day.")


async def _need_trial(connection: AsyncConnection, pack: Pack, report_hash: str) -> None:
    query = select(rule_trials.c.content_hash).where(rule_trials.c.report_hash == report_hash)
    tried = (await connection.execute(query)).scalar_one_or_none()
    if tried != pack.content_hash:
        message = "There is no report of a trial of this very content; run `hetao policy try` first."
        raise _wrong("report_hash", FieldCode.UNKNOWN_VALUE, message)


def _wrong(field: str, code: FieldCode, message: str) -> Refused:
    return Refused("invalid", message, [FieldError(field, code, message)])


def _signature(context: Context, actor: Actor, kind: str, pack: Pack, at: datetime) -> PackSignature:
    """Return who signed, with the signed statement that the pack of this very content was meant."""
    reference, signing_key = f"{policy_chain(pack.name)}/{pack.version}", context.keyring.signing_key()
    return {
        "issuer": actor.issuer,
        "subject": actor.subject,
        "role": actor.role.value,
        "at": at.isoformat(),
        "statement": signed_statement(actor, uuid4(), reference, kind, pack.content_hash, at, signing_key),
    }


async def _record(
    connection: AsyncConnection, actor: Actor, at: datetime, act: Act, row: PackRow, reasons: Sequence[str] = ()
) -> None:
    signature = row.confirmed_by or row.proposed_by
    entry = Entry(
        act,
        actor,
        at,
        detail={"report_hash": row.report_hash, "effective_from": row.effective_from.isoformat()},
        outcome=row.state,
        reason_codes=reasons,
        rule_version=row.version,
        rule_hash=bytes.fromhex(row.content_hash),
        statement_hash=hashlib.sha256(signature["statement"].encode()).digest(),
    )
    await append(connection, policy_chain(row.name), [entry])
