"""What Temporal's own pages say of a case, in codes: where it stands, what came last, what it waits for."""

from domain.messages import Course


def details_of(course: Course, last: str) -> str:
    """Return the current details in Markdown: stage, last result, calls under way and next wait."""
    lines = [f"**{course.stage}**, round {course.round}"]
    if last:
        lines.append(f"- last: {last}")
    if course.calls:
        lines.append(f"- tells the authority: {', '.join(call.key for call in course.calls)}")
    when = f" at {course.wake_at.isoformat(timespec='seconds')}" if course.wake_at is not None else ""
    waits_for = f"wait for {course.wake_for}" if course.wake_for else "wait for a message, and look again in a year"
    lines.append(f"- next: {waits_for}{when}")
    return "\n".join(lines)


def result_of(before: Course, after: Course) -> str:
    """Return what a step came to: where it led, and what became of the commands that it applied."""
    moved = f"{before.stage} to {after.stage}" if before.stage is not after.stage else f"still {after.stage}"
    became = [f"{each.state} {each.code}" if each.code else str(each.state) for each in after.outcomes]
    return "; ".join([moved, f"commands {', '.join(became)}"] if became else [moved])


def stopped_at(step: str, reason: str) -> str:
    """Return the current details of a case that waits for an operator."""
    return f"**stopped** at {step}: {reason}\n- next: an operator's resume"
