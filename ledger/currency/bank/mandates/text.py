"""What a member signs: a SEPA mandate as a text, in French or English. Pure: wallet and server make the same.

It says all that a mandate must (EPC016-06): who may debit, under which number and mandate, whom, from which account,
that it recurs, and the debtor's right to a refund; and what was agreed beside it: the amount, how long before they are
told of a debit, and when the units come.
"""

from __future__ import annotations

import re
from datetime import date
from hashlib import sha256
from typing import NamedTuple

from ledger.currency.bank.reference import reference
from ledger.currency.money import decimal_text

LANGUAGES = ("fr", "en")


class Terms(NamedTuple):
    """What the charter says of monthly top-ups, and who collects them. `per_month` is cents, or None."""

    code: str
    network: bytes
    creditor: str
    creditor_id: str
    day: int
    notice_days: int
    risk_days: int
    per_month: int | None


class Content(NamedTuple):
    """What is particular to one mandate. `amount` is cents a month; `version` counts the amounts, from 1."""

    id: bytes
    holder: str
    iban: str
    amount: int
    version: int
    signed_on: date


def mandate_reference(network: bytes, id_: bytes) -> str:
    """The ten characters that find a mandate in a bank's text."""
    return reference("mandate", network, id_)


def rum(code: str, reference_: str) -> str:
    """The mandate's reference as banks carry it (RUM), such as ``PATARD-7F3K9Q2M4T``."""
    return f"{code}-{reference_}"


def text_hash(salt: bytes, text: str) -> str:
    """What the log holds of a signed text (hex)."""
    return sha256(salt + text.encode()).hexdigest()


def mandate_text(lang: str, terms: Terms, content: Content) -> str:
    """The text that is shown and signed. `lang` is one of LANGUAGES; ValueError for another."""
    if lang not in LANGUAGES:
        raise ValueError(f"a mandate is written in one of {', '.join(LANGUAGES)}")
    return _written(lang, terms, content)


def older_text(lang: str, terms: Terms, content: Content) -> str:
    """The text as it was before French ones had French days and amounts: what was signed then, and by wallets of then.

    ValueError as `mandate_text`.
    """
    return _written(_OLDER, terms, content) if lang == "fr" else mandate_text(lang, terms, content)


def _written(form: str, terms: Terms, content: Content) -> str:
    number = rum(terms.code, mandate_reference(terms.network, content.id))
    amount = decimal_text(content.amount)
    values = {
        "rum": number, "creditor": terms.creditor, "creditor_id": terms.creditor_id, "holder": content.holder,
        "iban": content.iban, "amount": amount.replace(".", ",") if form == "fr" else amount,
        "version": content.version, "signed_on": content.signed_on.strftime(_DAYS[form]), "day": terms.day,
        "notice": terms.notice_days, "risk": terms.risk_days, "code": terms.code,
    }  # fmt: skip
    return (_ENGLISH if form == "en" else _FRENCH).format(**values)


def read_text(text: str, network: bytes, id_: bytes) -> Content | None:
    """What is particular to the mandate `id_` in the text that was signed of it; None where it is no such text.

    Written again from what was read, in the form it was signed in, it must be the same.
    """
    for form, pattern in _PATTERNS.items():
        match = pattern.fullmatch(text)
        if match is None:
            continue
        said = match.groupdict()
        try:
            content = Content(
                id_, said["holder"], said["iban"], int(re.sub("[.,]", "", said["amount"])), int(said["version"]),
                date.fromisoformat("-".join(reversed(said["signed_on"].split("/")))),
            )  # fmt: skip
        except ValueError:
            return None
        terms = Terms(said["code"], network, said["creditor"], said["creditor_id"], int(said["day"]),
                      int(said["notice"]), int(said["risk"]), None)  # fmt: skip
        return content if _written(form, terms, content) == text else None
    return None


_OLDER = "fr, older"
_DAYS = {"fr": "%d/%m/%Y", "en": "%Y-%m-%d", _OLDER: "%Y-%m-%d"}
"""How each form of the text writes a day."""
_FRENCH = """\
Mandat de prélèvement SEPA, paiement récurrent
Référence unique du mandat : {rum}
Créancier : {creditor}, identifiant {creditor_id}
Débiteur : {holder}, compte {iban}
Montant n° {version} : {amount} EUR par mois, vers le {day} du mois
Signé le {signed_on}

En signant ce mandat, vous autorisez le créancier à envoyer à votre banque des instructions pour débiter votre compte, \
et votre banque à débiter votre compte conformément à ces instructions.
Vous bénéficiez du droit d'être remboursé par votre banque selon les conditions de la convention que vous avez passée \
avec elle. Toute demande de remboursement est à présenter dans les 8 semaines qui suivent la date du débit.
Chaque prélèvement vous est annoncé {notice} jours à l'avance au moins. Les {code} arrivent {risk} jours après les \
euros.
"""

_ENGLISH = """\
SEPA direct debit mandate, recurrent payment
Mandate reference: {rum}
Creditor: {creditor}, identifier {creditor_id}
Debtor: {holder}, account {iban}
Amount no. {version}: {amount} EUR a month, about day {day} of the month
Signed on {signed_on}

By signing this mandate, you authorise the creditor to send instructions to your bank to debit your account, and your \
bank to debit your account in accordance with these instructions.
As part of your rights, you are entitled to a refund from your bank under the terms and conditions of your agreement \
with it. A refund must be claimed within 8 weeks starting from the date on which your account was debited.
Each debit is announced to you at least {notice} days before. The {code} arrive {risk} days after the euros.
"""

_SHAPES = {
    "rum": r"[^\n]+", "creditor": r"[^\n]+", "creditor_id": r"[A-Z0-9]+", "holder": r"[^\n]+", "iban": r"[A-Z0-9]+",
    "amount": r"[0-9]+\.[0-9]{2}", "version": r"[0-9]+", "signed_on": r"[0-9-]{10}", "day": r"[0-9]+",
    "notice": r"[0-9]+", "risk": r"[0-9]+", "code": r"\S+",
}  # fmt: skip


def _pattern(template: str, **shapes: str) -> re.Pattern[str]:
    """What texts of that template look like, its values as in _SHAPES but for those that are told."""
    pattern = re.escape(template)
    for name, shape in (_SHAPES | shapes).items():
        pattern = pattern.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{shape})", 1)
    return re.compile(pattern)


_PATTERNS = {
    "fr": _pattern(_FRENCH, amount="[0-9]+,[0-9]{2}", signed_on="[0-9]{2}/[0-9]{2}/[0-9]{4}"),
    "en": _pattern(_ENGLISH), _OLDER: _pattern(_FRENCH),
}  # fmt: skip
