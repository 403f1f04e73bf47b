"""What makes incidents one cause, as PostgreSQL counts it: kind, step, class of the reason, place in the code.

The rule stands as generated columns, so that it holds for every writer of the table and for every row of before. What
only one case or one run has is left out: ids, numbers, lines of a file.
"""

from typing import Final

# The step, as it stands; of a run that is missing from the archive its workflow's kind, since the step names the run.
CAUSE_STEP: Final = "CASE WHEN kind = 'history_missing' THEN split_part(step, '/', 1) ELSE step END"
# The code with which a reason begins. The reason of a difference says where and never why, so its step alone counts; of
# a case that cannot be compared it is the error. A missing run cannot be read, or is not there.
CAUSE_REASON: Final = (
    "CASE WHEN kind = 'record_differs' AND step <> 'not_compared' THEN ''"
    " WHEN kind = 'history_missing' THEN CASE WHEN reason LIKE '% unreadable' THEN 'unreadable' ELSE '' END"
    " ELSE split_part(reason, ':', 1) END"
)
# The file and the function: the line moves with every release.
CAUSE_PLACE: Final = "regexp_replace(coalesce(place, ''), ':[0-9]+', '')"
_SEPARATED: Final = " || chr(31) || ".join(("kind", f"({CAUSE_STEP})", f"({CAUSE_REASON})", f"({CAUSE_PLACE})"))
CAUSE_ID: Final = f"md5({_SEPARATED})::uuid"
