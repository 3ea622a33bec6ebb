"""IBANs, by the one rule of every door: the charter, where shops are paid, mandates, files for the bank.

What each country's IBANs look like comes from SWIFT's registry, by way of `stdnum`. The rest is ours: which countries
SEPA reaches, which check digits there are, and the key that French accounts have inside. `stdnum`'s checks of single
countries are left out: the Belgian one refuses banks that are younger than its list.
"""

from __future__ import annotations

import re
from typing import Final

from stdnum import iban as registry
from stdnum import numdb
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.iso7064 import mod_97_10

from ledger.currency.charter.rules import Wrong, ungrouped
from ledger.currency.told import Told, tell

_COUNTRIES: Final = """
    AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE SI
    SK SM VA
"""
_OVERSEAS: Final = "BL GF GP MF MQ NC PF PM RE TF WF YT"
SEPA: Final = frozenset(_COUNTRIES.split())
"""With what IBANs begin in the countries and territories of SEPA (EPC409-09, as of 2026)."""
_FRENCH: Final = frozenset(_OVERSEAS.split())
"""Codes of ISO 3166 of which the accounts have French IBANs."""
_EXAMPLE: Final = tell("copy it from the bank's paper, such as FR76 3000 6000 0112 3456 7890 189")


class IbanWrong(Wrong):
    """Why an IBAN is refused. `code`: iban_wrong (it has another form), iban_check (its digits do not fit each other),
    iban_outside (of SEPA).
    """

    def __init__(self, reason: Told, code: str) -> None:
        super().__init__(reason)
        self.code = code


def iban(value: object) -> str:
    """An IBAN of SEPA, without what stood between its groups. Raises `IbanWrong`."""
    text = _word(value)
    country = text[:2]
    if country in _FRENCH:
        raise IbanWrong(
            tell(
                "no IBAN begins with {country}: those of accounts there begin with FR; copy it again", country=country
            ),
            "iban_wrong",
        )
    if country not in SEPA:
        raise IbanWrong(
            tell(
                "accounts of {country} are outside SEPA, the area of euro transfers and debits: give one inside it",
                country=country,
            ),
            "iban_outside",
        )
    if not 2 <= int(text[2:4]) <= 98:
        # 00, 01 and 99 leave the same rest as 97, 98 and 02, and no bank writes them.
        raise IbanWrong(
            tell("check digits are 02 to 98, and these are {said}; copy it again", said=text[2:4]), "iban_check"
        )
    if len(text) != (length := _length(country)):
        raise IbanWrong(
            tell(
                "an IBAN of {country} has {length} characters and this one has {size}; copy it again",
                country=country,
                length=length,
                size=len(text),
            ),
            "iban_wrong",
        )
    try:
        registry.validate(text, check_country=False)
    except InvalidChecksum:
        raise IbanWrong(
            tell("its check digits do not fit: a character is wrong or two are swapped; copy it again"), "iban_check"
        ) from None
    except ValidationError:
        raise IbanWrong(
            tell("an IBAN of {country} has letters and digits in other places; copy it again", country=country),
            "iban_wrong",
        ) from None
    if country in ("FR", "MC") and rib_key(text[4:25]) != text[25:]:
        raise IbanWrong(
            tell(
                "its last two digits, {said}, are not the key of this account: a character is wrong; copy it again",
                said=text[25:],
            ),
            "iban_check",
        )
    return text


def iban_of_before(value: object) -> str:
    """What was taken for an IBAN before it was held to country and key, and stands in files. Raises `IbanWrong`."""
    text = _word(value)
    if not mod_97_10.is_valid(text[4:] + text[:4]):
        raise IbanWrong(tell("its check digits do not fit"), "iban_check")
    return text


def _word(value: object) -> str:
    text = ungrouped(value)
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{8,31}", text):
        raise IbanWrong(tell("this is no IBAN; {example}", example=_EXAMPLE), "iban_wrong")
    return text


def _length(country: str) -> int:
    """Characters of a country's IBANs: the registry writes their form as 5!n11!c, behind country and check digits."""
    form = numdb.get("iban").info(country)[0][1]["bban"]
    return 4 + sum(map(int, re.findall("([0-9]+)!", form)))


def rib_key(bban: str) -> str:
    """The two check digits of a French account number (bank, branch, account: 21 characters); "" if it is none."""
    if not re.fullmatch(r"[0-9]{10}[0-9A-Z]{11}", bban, re.ASCII):
        return ""
    # A to I are 1 to 9, J to R again 1 to 9, S to Z 2 to 9.
    digits = "".join(char if char.isdigit() else str((int(char, 36) - 9 + (char >= "S") - 1) % 9 + 1) for char in bban)
    return f"{97 - int(digits) * 100 % 97:02d}"
