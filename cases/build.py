"""Building the context of all verbs from the settings, once for each process."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cases.context import Context
from domain.actors import PARK
from policy.limits import limits_of
from policy.pack import PackShelf
from policy.packs import load_limits, load_rule_packs
from proof.checkpoints import parse_verifier_key
from settings import Settings
from store.database import Database
from store.erasure_list import ErasureList
from store.keyring import Keyring


def utc_now() -> datetime:
    """Return the time of the host."""
    return datetime.now(UTC)


def check_files(settings: Settings) -> None:
    """Read the files that the settings name, and keep nothing: what is wrong with one is met before anything starts.

    Raises:
        OSError, ValueError: as the file's own reader says.
    """
    Keyring.load(settings.keys_file)
    load_rule_packs(settings.policy_dir)
    limits_of(load_limits(settings.parameters, settings.policy_dir))


def build_context(
    settings: Settings,
    application: str,
    *,
    clock: Callable[[], datetime] = utc_now,
    pool_size: int = 10,
    stands_for: str | None = None,
) -> Context:
    """Return the collaborators of all verbs; the caller closes them."""
    keyring = Keyring.load(settings.keys_file)
    sealer = settings.sealer_database_url
    return Context(
        database=Database(settings.database_url, pool_size=pool_size, application=application, stands_for=stands_for),
        keyring=keyring,
        packs=PackShelf(load_rule_packs(settings.policy_dir)),
        limits=limits_of(load_limits(settings.parameters, settings.policy_dir)),
        clock=clock,
        public_url=settings.public_url,
        sign_in_url=settings.sign_in_url or f"{settings.public_url}/me",
        staff_mailbox=settings.staff_mailbox,
        webhook_allowed=frozenset(settings.webhook_allowed),
        log_origin=settings.log_origin,
        witness_keys=tuple(parse_verifier_key(each) for each in settings.witness_keys),
        erasure_list=ErasureList(settings.erasure_list or settings.keys_file.with_name("erasures.jsonl"), keyring),
        sealer_database=Database(sealer, pool_size=1, application="sealer", stands_for=PARK) if sealer else None,
        seal_overdue=timedelta(seconds=settings.seal_overdue_seconds),
        poisoned=settings.poison_file,
    )
