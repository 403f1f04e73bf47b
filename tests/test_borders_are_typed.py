"""What goes from one room to another has a type of its own; what may be a mapping is named here, with its reason."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
_ROOMS = ("cases", "record", "privacy", "register", "programmes", "activities", "workflows")
_READERS = (*_ROOMS, "api", "cli", "console", "temporal", "store")
_OPEN = frozenset({"dict[str, Any]", "Mapping[str, Any]", "Mapping[Any, Any]"})

# Each function, field or property that has a mapping in its signature, by why it has one.
_NAMED = {
    "JSON as it lies in a column": """
        cases/case/change_views.py: FieldAskedView.proof
        cases/case/signers.py: signers_of with_signature need_signer need_last_missing
        cases/case/state.py: form_of
        cases/case/view.py: rejection_view settles_at
        cases/commands/store.py: KeptOutcome.outcome
        cases/decisions/objections.py: take
        cases/decisions/proposals.py: Proposed.pending Matter.kept
        cases/moves/front_half.py: last_signer of_case
        cases/programme.py: Cooling.effect
        privacy/confided.py: Said.as_kept
        cases/shared/epochs.py: LogEpoch.declaration
        cases/tasks/views.py: TaskView.detail
        privacy/access_log.py: Reading.detail
        programmes/talent_permit/departures.py: Departure.as_kept
        programmes/talent_permit/tables.py: PermitRow.earlier
        record/event_views.py: EventView.detail
        record/restores/declaring.py: Restored.declaration
        record/reconciliation/evidence.py: StoredRequest.actor
        record/reconciliation/views.py: DifferenceView.place ReconciliationView.compared
        record/receipt_views.py: FindingTold.values RowTold.content ReceiptView.content ReceiptsView.pending
        record/seal/views.py: FormerLogView.declaration
        record/story_views.py: FindingThen.parameters StoryItem.detail StoryItem.place
        register/trials.py: AssessedRow.findings Trial.document Trial.report
        """,
    "the body of a command, or a form, as it was given": """
        cases/case/reading.py: CaseReading.given
        cases/case/evidence.py: given_of proved
        cases/once_only/offers.py: complete
        cases/once_only/taking.py: source_fell take_over vouch
        cases/case/reads.py: open_person
        cases/case/shows.py: Views.cells
        cases/case/corrected.py: parts_of with_fields
        cases/decisions/changing.py: ask_officer renewed
        cases/programme.py: Changing.asks_again Changing.asked_at_once Changing.asked_of_officer
        cases/programme.py: Changing.merged Changing.wrong
        cases/undeclared.py: ask_for_nothing_again find_nothing_wrong
        cases/commands/by_part.py: ask_by_part
        cases/commands/said.py: codes signature
        cases/commands/store.py: store
        cases/commands/submit.py: ask
        cases/decisions/renewal_returns.py: correct
        cases/decisions/renewals.py: ask
        cases/programme.py: Command.does Command.before Command.completes Command.refused Command.said
        cases/programme.py: Renewal.begins Renewal.changed Renewal.wanted
        privacy/own_cases.py: OwnCase.given
        record/reconciliation/evidence.py: StoredRequest.words FactContent.words
        cases/case/evidence.py: declared
        programmes/appraisal/requests.py: AppraisalEvidence.values
        programmes/appraisal/rules/claims.py: AppraisalClaims.of
        """,
    "facts that a text or a row of the ledger states, each kind its own": """
        cases/case/moves.py: Notice.facts
        cases/moves/objecting.py: set_aside
        cases/deadlines/park_clock.py: promised
        cases/deadlines/stated.py: park_due case_due signature_due
        cases/decisions/proposals.py: add_signature
        cases/notices/compose.py: Telling.facts Said.facts
        cases/notices/employers.py: tell_employer
        cases/programme.py: Programme.opened
        cases/undeclared.py: tell_nothing
        programmes/talent_permit/authority/known_entries.py: Found.told Found.detail
        record/history.py: Happened.facts Witness.course
        """,
    "rows and columns that are about to be written": """
        cases/case/file.py: CaseFile.add
        cases/case/parts.py: CaseParts.add_row CaseParts.added_rows
        cases/case/terms.py: new_values
        cases/notices/employer_contact.py: columns
        cases/shared/idempotency.py: key_row
        cases/shared/persons.py: meet
        privacy/access_log.py: Asked.given
        """,
    "what another system says, before it is read": """
        activities/authority.py: AuthorityClient.ask AuthorityClient.read
        cases/files/apart.py: Apart.run
        cases/keys/rotation.py: Step.document next_step
        cases/programme.py: Question.read Reading.read
        programmes/talent_permit/authority/polling.py: AnswerPage.answers
        record/case.py: KeptRun.events
        """,
    "a document whose further members are its programme's": """
        cases/case/views.py: CaseAnswered.rejected CaseAnsweredToStaff.hold CaseAnsweredToStaff.legal_holds
        privacy/own_data.py: OwnData.cases
        record/export.py: Export.asked begin_export
        register/views.py: EmployerView.contact
        """,
}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


_FILES = {_module(path): path for room in _READERS for path in sorted((ROOT / room).rglob("*.py"))}
_TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in _FILES.items()}


def _room(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] in ("cases", "programmes") else parts[0]


@cache
def _used_elsewhere() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return the names of each module that another room imports or reads, and the rooms that read each attribute."""
    names: dict[str, set[str]] = defaultdict(set)
    attributes: dict[str, set[str]] = defaultdict(set)
    for module, tree in _TREES.items():
        modules: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for each in node.names:
                    whole = f"{node.module}.{each.name}"
                    if whole in _TREES:
                        modules[each.asname or each.name] = whole
                    elif _room(node.module) != _room(module):
                        names[node.module].add(each.name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                attributes[node.attr].add(_room(module))
                if (
                    isinstance(node.value, ast.Name)
                    and (of := modules.get(node.value.id))
                    and _room(of) != _room(module)
                ):
                    names[of].add(node.attr)
    return names, attributes


@cache
def _meant(module: str, name: str) -> tuple[str, ast.expr] | None:
    """Return the expression that a name stands for, here or where it is imported from, with its module."""
    for node in _TREES[module].body:
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                return module, value
            case ast.ImportFrom(module=str(source)) if source in _TREES:
                for each in node.names:
                    if (each.asname or each.name) == name:
                        return _meant(source, each.name)
    return None


def _is_open(module: str, annotation: ast.expr | None) -> bool:
    for node in ast.walk(annotation) if annotation is not None else ():
        if isinstance(node, ast.Subscript) and ast.unparse(node) in _OPEN:
            return True
        if isinstance(node, ast.Name) and (meant := _meant(module, node.id)) is not None and _is_open(*meant):
            return True
    return False


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr | None]:
    yield node.returns
    for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        yield each.annotation


def _open(module: str) -> Iterator[str]:
    """Yield what of a module is used from another room and has a mapping in its signature."""
    names, attributes = _used_elsewhere()
    for node in _TREES[module].body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in names[module]:
            if any(_is_open(module, each) for each in _signature(node)):
                yield node.name
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for member in node.body:
                match member:
                    case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                        found = list(_signature(member))
                        is_used = bool(attributes[name] - {_room(module)})
                    case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                        found = [annotation]
                        is_used = node.name in names[module] or bool(attributes[name] - {_room(module)})
                    case _:
                        continue
                if is_used and not name.startswith("_") and any(_is_open(module, each) for each in found):
                    yield f"{node.name}.{name}"


def _named() -> set[str]:
    found: set[str] = set()
    for text in _NAMED.values():
        for line in text.strip().splitlines():
            path, _, names = line.strip().partition(": ")
            found |= {f"{path}: {name}" for name in names.split()}
    return found


def test_a_mapping_crosses_a_rooms_border_only_where_it_is_named_with_its_reason() -> None:
    modules = [module for module in _TREES if module.split(".")[0] in _ROOMS]
    found = {f"{_FILES[each].relative_to(ROOT).as_posix()}: {name}" for each in modules for name in _open(each)}
    assert sorted(found - _named()) == []
    assert sorted(_named() - found) == []
