"""The commands of those who check: `hetao audit …` for auditors, `hetao witness …` for the other side of a boundary."""

import base64
import itertools
import json
import os
import secrets
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    import httpx
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from proof.verdicts import KnownKeys, Verdict
    from proof.witnessing import WitnessState

audit_app = typer.Typer(help="Check what the record says.", no_args_is_help=True)
witness_app = typer.Typer(help="Watch the log from outside and co-sign what only grew.", invoke_without_command=True)

_SECONDS: Final = 30.0
_MARKS: Final = {True: "holds", False: "FAILS", None: "open "}


@audit_app.callback()
def audit() -> None:
    """Check what the record says."""


@audit_app.command()
def verify(
    files: Annotated[
        list[Path], typer.Argument(help="Receipts or exports, as they came.", exists=True, dir_okay=False)
    ],
    keys: Annotated[
        Path | None,
        typer.Option(help="Public keys, as of `GET /v1/audit/keys`; `keys.json` beside the first file unless told."),
    ] = None,
    witnesses: Annotated[int, typer.Option(help="Known witnesses that must have co-signed.", min=0)] = 0,
    tsa: Annotated[
        Path | None,
        typer.Option(help="Roots (PEM) trusted to stand behind stamps; `tsa.pem` beside the first file where it is."),
    ] = None,
    stamped: Annotated[bool, typer.Option("--stamped", help="A stamp (RFC 3161) must be there and hold.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object and nothing else.")] = False,
) -> None:
    """Check files offline with the public keys alone: 0 if all of it holds, else 1 and the first thing that fails."""
    from proof.files import verify_together

    known = _known(keys or files[0].with_name("keys.json"), tsa, files[0].with_name("tsa.pem"), witnesses, stamped)
    verdicts = verify_together({str(file): file.read_bytes() for file in files}, known)
    holds = all(verdict.holds for verdict in verdicts.values())
    if as_json:
        failed = next((verdict.failed.code for verdict in verdicts.values() if verdict.failed), None)
        told = [{"file": name, "holds": verdict.holds, "steps": _steps(verdict)} for name, verdict in verdicts.items()]
        print(json.dumps({"holds": holds, "failed": failed, "files": told}, ensure_ascii=False))
    else:
        for name, verdict in verdicts.items():
            print(name)
            for step in verdict.steps:
                print(f"  {_MARKS[step.holds]}  {step.says}")
        left = sum(verdict.left_open for verdict in verdicts.values())
        print(_summary(holds=holds, left=left))
    raise typer.Exit(0 if holds else 1)


def _known(keys: Path, tsa: Path | None, beside: Path, witnesses: int, stamped: bool) -> "KnownKeys":
    """Return what the verifier trusts, or end with 2 where a file of it cannot be read."""
    from proof.checkpoints import BrokenNoteError
    from proof.stamps import read_certificates
    from proof.verdicts import read_keys

    path = keys
    try:
        known = read_keys(keys.read_text(encoding="utf-8"), witnesses)
        path = tsa or beside
        roots = read_certificates(path.read_bytes()) if tsa or beside.exists() else ()
    except (BrokenNoteError, ValueError, OSError) as error:
        is_missing = isinstance(error, FileNotFoundError)
        option = "--keys" if path == keys else "--tsa"
        why = f"is not there: name the right file by {option}." if is_missing else f"cannot be read: {error}"
        print(f"hetao: {path} {why}", file=sys.stderr)
        raise typer.Exit(2) from error
    return replace(known, stamp_roots=roots, needs_stamp=stamped)


@witness_app.callback()
def witness(
    context: typer.Context,
    log: Annotated[str | None, typer.Option(help="Address of the API whose log is watched.")] = None,
    key: Annotated[Path | None, typer.Option(help="Key file, made by `hetao witness keygen`.")] = None,
    state: Annotated[Path | None, typer.Option(help="File that remembers what was seen.")] = None,
    log_key: Annotated[list[str] | None, typer.Option(help="Verifier key of the log, repeatable.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, not again and again.")] = False,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=1.0)] = 60.0,
) -> None:
    """Fetch the newest checkpoint, see that the log only grew, and co-sign it; refuse and say why where it did not."""
    if context.invoked_subcommand is not None:
        return
    if log is None or key is None or state is None:
        raise typer.BadParameter("--log, --key and --state are needed.")
    import httpx

    from proof.witnessing import WitnessRefusal

    name, private = _read_key(key)
    with httpx.Client(base_url=log.rstrip("/"), timeout=_SECONDS, follow_redirects=False) as client:
        while True:
            try:
                print(_look(client, state, log_key or [], name, private), flush=True)
            except WitnessRefusal as refusal:
                print(f"hetao: the witness refuses: {refusal}", file=sys.stderr)
                raise typer.Exit(1) from refusal
            except (httpx.HTTPError, KeyError, ValueError) as error:
                print(f"hetao: the log does not answer as it should: {type(error).__name__}: {error}", file=sys.stderr)
                if once:
                    raise typer.Exit(2) from error
            if once:
                return
            time.sleep(every)


@witness_app.command()
def keygen(
    name: Annotated[str, typer.Argument(help="Name of the witness, such as witness.example/w1.")],
    key: Annotated[Path, typer.Option(help="Key file to make.")],
) -> None:
    """Make a key file and print its verifier key, which the log must be told (HETAO_WITNESS_KEYS)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from proof.checkpoints import COSIGNATURE, BrokenNoteError, verifier_key

    seed = secrets.token_bytes(32)
    try:
        public = verifier_key(name, Ed25519PrivateKey.from_private_bytes(seed), COSIGNATURE)
    except BrokenNoteError as error:
        raise typer.BadParameter(str(error)) from error
    content = json.dumps({"name": name, "seed": base64.b64encode(seed).decode()})
    try:
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content + "\n")
    except FileExistsError as error:
        raise typer.BadParameter(f"{key} exists; a key is never overwritten.") from error
    print(public)


@witness_app.command()
def restored(
    declaration: Annotated[
        Path, typer.Argument(help="What `hetao restored --declaration` wrote.", exists=True, dir_okay=False)
    ],
    state: Annotated[Path, typer.Option(help="File that remembers what was seen.", exists=True, dir_okay=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: somebody agreed before.")] = False,
    although_unnamed: Annotated[
        bool, typer.Option("--although-unnamed", help="Agree although it does not name the tree that was seen.")
    ] = False,
) -> None:
    """Go on with a log that declares a restore, once a person has agreed; what was seen before is kept beside it."""
    from proof.witnessing import WitnessRefusal, WitnessState
    from proof.witnessing import restored as after_restore

    try:
        seen = WitnessState.read(state.read_text(encoding="utf-8"))
        document = json.loads(declaration.read_text(encoding="utf-8"))
        after, declared = after_restore(seen, document, although_unnamed=although_unnamed)
    except WitnessRefusal as refusal:
        print(f"hetao: the witness refuses: {refusal}", file=sys.stderr)
        raise typer.Exit(1) from refusal
    except ValueError as error:
        print(f"hetao: {declaration} cannot be read: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    known = f"{declared.known.size} leaves" if declared.known else "not known"
    print(f"The log {declared.former_origin} declares at {declared.at} that it was restored.")
    print(f"  seen by this witness    {seen.size} leaves")
    print(f"  newest that it knows    {known}")
    print(f"  restored                {declared.restored.size} leaves")
    print(f"  it goes on as           {declared.origin}")
    print("What lies between is in no later tree. Whoever holds the key of the log could write this to hide an act.")
    if not yes:
        typer.confirm("Has the park told you of this restore by another way, and do you agree?", abort=True)
    kept = state.with_name(f"{state.name}.before-{declared.epoch}")
    _write(kept, state.read_text(encoding="utf-8"))
    _write(state.with_name(f"{state.name}.declaration-{declared.epoch}"), json.dumps(document) + "\n")
    _save(state, after.model_dump_json(indent=1))
    print(f"{after.size} leaves: the witness goes on; what it saw before is kept in {kept}")


def _summary(*, holds: bool, left: int) -> str:
    """Return what may be said of all files together, and nothing of what was not looked at."""
    if not holds:
        return "It does not hold; what comes after the line that fails was not checked."
    if not left:
        return "Everything that was checked holds, and nothing was left open."
    return f"Everything that was checked holds. {left} of the lines above say what was not checked (open)."


def _steps(verdict: "Verdict") -> list[dict[str, Any]]:
    return [{"code": step.code, "holds": step.holds, "says": step.says} for step in verdict.steps]


def _look(client: "httpx.Client", path: Path, log_keys: list[str], name: str, private: "Ed25519PrivateKey") -> str:
    """Look at the log once, and say what was done."""
    from proof.checkpoints import COSIGNATURE, cosign, parse_note, verifier_key

    state = _state(client, path, log_keys)
    note = _get(client, "/v1/audit/checkpoint", headers={"Accept": "text/plain"}).text
    seen = _see(client, path, state, note)
    # What was seen is on disk before anything is signed, so that no two trees are ever vouched for.
    _save(path, seen.model_dump_json(indent=1))
    parsed, own = parse_note(note), verifier_key(name, private, COSIGNATURE)
    if any((each.name, each.key_id) == (own.name, own.key_id) for each in parsed.signatures):
        return f"{seen.size} leaves: co-signed before"
    line = cosign(parsed.text, name, private, datetime.now(UTC))
    answer = client.post("/v1/audit/checkpoint/cosignatures", json={"size": seen.size, "cosignature": str(line)})
    if answer.status_code == 401:
        raise ValueError(f"it does not know the witness: tell it {own}")
    answer.raise_for_status()
    return f"{seen.size} leaves: co-signed"


def _see(client: "httpx.Client", path: Path, state: "WitnessState", note: str) -> "WitnessState":
    """Return the state after a checkpoint; one that is refused is kept beside the state, with what the log answers."""
    from proof.witnessing import WitnessRefusal, grown, open_seen

    answer = None
    try:
        opened = open_seen(state, note)
        proof: list[str] = []
        if 0 < state.size < (size := opened.checkpoint.size):
            answer = _get(client, "/v1/audit/consistency", params={"from": state.size, "to": size}).text
            proof = json.loads(answer)["proof"]
        return grown(state, opened, note, proof)
    except WitnessRefusal as refusal:
        kept = _keep_refused(path, state, note, answer or _asked_back(client, state, note))
        raise WitnessRefusal(f"{refusal}; both checkpoints and what the log answered are kept in {kept}") from refusal


def _asked_back(client: "httpx.Client", state: "WitnessState", note: str) -> str:
    """Return what the log answers, whatever it is, when asked how a smaller tree leads to the one that was seen."""
    import httpx

    from proof.checkpoints import BrokenNoteError, parse_checkpoint, parse_note

    try:
        size = parse_checkpoint(parse_note(note).text).size
        return client.get("/v1/audit/consistency", params={"from": size, "to": state.size}).text
    except (BrokenNoteError, httpx.HTTPError) as error:
        return json.dumps({"not_asked": type(error).__name__})


def _keep_refused(path: Path, state: "WitnessState", note: str, answer: str) -> Path:
    """Write what shows a conflict into a folder of its own beside the state, never over another; return the folder."""
    keys = json.dumps({"origin": state.origin, "log_keys": state.log_keys, "witness_keys": []})
    found = {"seen.note": state.note, "refused.note": note, "consistency.json": answer, "keys.json": keys}
    for number in itertools.count(1):
        folder = path.with_name(f"{path.name}.conflict-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            # Who starts the witness again and again sees the same checkpoint refused, and needs it once.
            if all(_holds(folder / each, found[each]) for each in ("seen.note", "refused.note")):
                return folder
            continue
        break
    for name, content in found.items():
        _write(folder / name, content)
    _keep_folder(folder)
    _keep_folder(path.parent)
    return folder


def _holds(path: Path, content: str) -> bool:
    return path.exists() and path.read_bytes() == content.encode()


def _state(client: "httpx.Client", path: Path, log_keys: list[str]) -> "WitnessState":
    """Return what the witness remembers; at the first look it takes the keys given, or those that the log shows."""
    from proof.witnessing import WitnessState

    if path.exists():
        return WitnessState.read(path.read_text(encoding="utf-8")).knowing(log_keys)
    if log_keys:
        return WitnessState(origin=log_keys[0].split("+", 1)[0], log_keys=tuple(log_keys))
    shown = _get(client, "/v1/audit/keys").json()
    found = WitnessState(origin=shown["origin"], log_keys=tuple(shown["log_keys"]))
    for key in found.log_keys:
        print(
            f"hetao: first look: taking the log's key on trust, compare it with what you were told: {key}",
            file=sys.stderr,
        )
    return found


def _get(client: "httpx.Client", path: str, **more: Any) -> "httpx.Response":
    answer = client.get(path, **more)
    answer.raise_for_status()
    return answer


def _save(path: Path, content: str) -> None:
    """Replace a file as a whole, on disk before this returns."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    _write(unfinished, content + "\n")
    unfinished.replace(path)
    _keep_folder(path.parent)


def _write(path: Path, content: str) -> None:
    """Write a file, on disk before this returns; notes are kept to the byte."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _keep_folder(path: Path) -> None:
    """Have the names in a folder on disk."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_key(path: Path) -> "tuple[str, Ed25519PrivateKey]":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return str(content["name"]), Ed25519PrivateKey.from_private_bytes(base64.b64decode(content["seed"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(
            f"{path} is no key file of a witness: make one with `hetao witness keygen`."
        ) from error
