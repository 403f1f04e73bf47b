"""Phone numbers and mail addresses in the one form in which they are kept."""

from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

COUNTRY_CODES: Final = frozenset({86, 852, 853})  # mainland, Hong Kong, Macao
PHONE_LENGTH: Final = 40
EMAIL_LENGTH: Final = 254


class PhoneError(ValueError):
    """The text is no phone number of the mainland, Hong Kong or Macao."""


class EmailError(ValueError):
    """The text is no mail address that can be written to."""


def normalise_phone(text: str) -> str:
    """Return the number in E.164; one without a country code is read as a mainland number.

    Raises:
        PhoneError: not a valid number of +86, +852 or +853, or one with an extension or a letter.
    """
    # The library reads letters as they stand on the keys of a telephone: an O for a 0 is then another's number.
    if len(text) > PHONE_LENGTH or any(mark.isalpha() for mark in text):
        raise PhoneError
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        raise PhoneError from None
    if number.country_code not in COUNTRY_CODES or number.extension or not phonenumbers.is_valid_number(number):
        raise PhoneError
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalise_email(text: str) -> str:
    """Return the address with its domain in lower case and ASCII; nothing is looked up in the DNS.

    Raises:
        EmailError: not an address, or one whose local part needs SMTPUTF8, which not every relay takes.
    """
    try:
        address = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise EmailError from None
    return f"{address.ascii_local_part}@{address.ascii_domain.lower()}"
