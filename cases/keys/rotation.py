"""The next right step of a rotation: a new key beside the others, then current, and an old one away at last."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from cases.keys.check import KeyReport
from domain.service_keys import KeyKind, KeyState
from store.key_file import LETTERS, fresh_key, next_key_id
from store.keyring import ONLY

_NEW: Final = frozenset({"new", KeyState.KNOWN.value})
_RESTART: Final = "Give every host the file, and restart every API and worker in any order."


class TooEarlyError(Exception):
    """The next step cannot be taken yet; the message says what it waits for."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the key file after it, and what was done and comes next."""

    document: Mapping[str, Any]
    done: str
    next: str


def next_step(document: Mapping[str, Any], kind: KeyKind, report: KeyReport) -> Step:
    """Return the next step for the keys of a kind.

    Args:
        document: the key file as it is.
        kind: one of those that have several keys in the file.
        report: what is known of the keys, of this very file.

    Raises:
        TooEarlyError: when it has to wait for processes or for what is left under an old key.
    """
    after: dict[str, Any] = deepcopy(dict(document))
    if not isinstance(after[kind], dict):  # a file of before has one key without an id
        after[kind] = {"current": ONLY, "keys": {ONLY: after[kind]}}
    part = after[kind]
    lines = [each for each in report.lines if each.kind == kind]
    writing = next(each for each in lines if each.key_id == part["current"])
    current = next((each for each in lines if each.state == KeyState.CURRENT), None)
    if current is not None and current.key_id != writing.key_id and writing.state in _NEW:
        raise TooEarlyError(
            f"{writing.key_id} of {kind} is current in the file, and no process has started with it: restart every API"
            f" and worker. {current.key_id} still writes."
        )
    waiting = [each for each in lines if each.in_file and not each.writes_in_file and each.state in _NEW]
    if waiting:
        key_id = waiting[-1].key_id
        if waiting[-1].not_known_to:
            raise TooEarlyError(
                f"{key_id} of {kind} is not known everywhere yet: restart {', '.join(waiting[-1].not_known_to)}."
            )
        part["current"] = key_id
        return Step(
            after,
            f"{key_id} of {kind} is current in the file; {writing.key_id} stays for what it wrote.",
            f"{_RESTART} {key_id} writes from then on.",
        )
    behind = [each for each in lines if each.written_by and each.key_id != part["current"]]
    if behind:
        raise TooEarlyError(
            f"{', '.join(behind[0].written_by)} still write with {behind[0].key_id} of {kind}: restart them."
        )
    if old := next((each for each in lines if each.may_go and each.in_file), None):
        del part["keys"][old.key_id]
        return Step(
            after,
            f"{old.key_id} of {kind} is out of the file: nothing is left under it.",
            f"{_RESTART} Keep the file of before for as long as there are backups from before.",
        )
    if left := next((each for each in lines if each.left and not each.writes_in_file), None):
        raise TooEarlyError(
            f"{left.left} data keys are still wrapped by {left.key_id}: a worker wraps them again in the background."
        )
    key_id = next_key_id(kind, dict.fromkeys(each.key_id for each in lines))
    part["keys"][key_id] = fresh_key()
    return Step(
        after,
        f"{key_id} of {kind} is in the file beside {writing.key_id}, which still writes.",
        f"{_RESTART} Then run this again: it makes {key_id} current once all of them know it.",
    )


def can_rotate(kind: KeyKind) -> bool:
    """Say whether keys of a kind stand in the file side by side."""
    return kind in LETTERS
