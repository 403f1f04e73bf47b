"""Building the context of all verbs from the settings, once for each process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cases.shared.context import Context, Declared
from cases.shared.machine_secrets import read_witness_keys
from domain.actors import PARK
from policy.limits import Limits, limits_of
from policy.pack import Pack, PackShelves
from policy.packs import LIMITS, load_limits, load_rule_packs
from settings import Settings
from store.database import Database
from store.erasure_list import ErasureList
from store.keyring import Keyring


def utc_now() -> datetime:
    """Return the time of the host."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Packs:
    """What the packs say: rules, and the limits with the packs they are of, by name; own ones by programme."""

    packs: tuple[Pack, ...]
    limits_packs: Mapping[str, Pack]
    limits: Limits
    own_limits: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Files:
    """What the files say that the settings name: the keys and the packs."""

    keyring: Keyring
    packs: Packs


def load_packs(settings: Settings, programmes: Mapping[str, Declared]) -> Packs:
    """Read the packs of rules and limits, of all programmes.

    Raises:
        OSError, ValueError: as the file's own reader says.
    """
    folder = settings.policy_dir
    declared = [programmes[code] for code in programmes]
    packs = [pack for each in declared for source in each.packs for pack in load_rule_packs(source, folder)]
    sources = {source.name: source for source in (LIMITS, *(each.limits.source for each in declared))}
    limits = {name: load_limits(settings.parameters, folder, source=source) for name, source in sources.items()}
    own = {each.code: each.limits.read(limits[each.limits.source.name]) for each in declared}
    return Packs(tuple(packs), limits, limits_of(limits[LIMITS.name]), own)


def load_files(settings: Settings, programmes: Mapping[str, Declared]) -> Files:
    """Read the files that the settings name; a process does it once, before anything of it starts.

    Raises:
        OSError, ValueError: as the file's own reader says.
    """
    return Files(Keyring.load(settings.keys_file), load_packs(settings, programmes))


def build_context(
    settings: Settings,
    application: str,
    programmes: Mapping[str, Declared],
    *,
    files: Files | None = None,
    clock: Callable[[], datetime] = utc_now,
    pool_size: int = 10,
    stands_for: str | None = None,
) -> Context:
    """Return the collaborators of all verbs, with files that were read already or read now; the caller closes them."""
    files = files or load_files(settings, programmes)
    witnesses, _ = read_witness_keys(settings.witness_keys)  # what is malformed is told by `key_holder`
    sealer = settings.sealer_database_url
    return Context(
        database=Database(settings.database_url, pool_size=pool_size, application=application, stands_for=stands_for),
        keyring=files.keyring,
        packs=PackShelves(files.packs.packs),
        limits=files.packs.limits,
        clock=clock,
        programmes=programmes,
        own_limits=files.packs.own_limits,
        public_url=settings.public_url,
        sign_in_url=settings.sign_in_url or f"{settings.public_url}/me",
        staff_mailbox=settings.staff_mailbox,
        webhook_allowed=frozenset(settings.webhook_allowed),
        log_origin=settings.log_origin,
        witness_keys=witnesses,
        erasure_list=ErasureList(
            settings.erasure_list or settings.keys_file.with_name("erasures.jsonl"), files.keyring
        ),
        sealer_database=Database(sealer, pool_size=1, application="sealer", stands_for=PARK) if sealer else None,
        seal_overdue=timedelta(seconds=settings.seal_overdue_seconds),
        poisoned=settings.poison_file,
    )
