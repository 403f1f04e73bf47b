"""Which kind of file is to be checked, and its check."""

from proof.exports import is_export, verify_export
from proof.verdicts import Check, Failed, KnownKeys, Step, Verdict, receipts_in, verify_receipt


def verify(content: bytes, keys: KnownKeys) -> Verdict:
    """Check a file: an export of the ledger, one receipt, or the answer that lists those of a case."""
    check = Check(keys)
    try:
        if is_export(content):
            verify_export(check, content)
        else:
            for receipt in receipts_in(content):
                verify_receipt(check, receipt)
    except Failed as failed:
        check.steps.append(failed.step)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        says = f"The file does not have the form of an export or a receipt ({type(error).__name__})."
        check.steps.append(Step("form", False, says))
    return Verdict(tuple(check.steps))
