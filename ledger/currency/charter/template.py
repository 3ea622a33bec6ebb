"""The charter as a file for a treasurer: each key below a comment that says what it is for.

The comments are kept in French and English beside each other, since the file is written once, in the
language of the association, and then belongs to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

# Of each key: the French and the English comment. A line break here is a line break in the file.
_COMMENTS: Final[Mapping[str, tuple[str, str]]] = {
    "": (
        "La charte de la monnaie : ses règles, telles que l'association les a votées.\n"
        "Une ligne qui commence par # est une explication. Les montants s'écrivent entre guillemets, avec un point.",
        "The charter of the currency: its rules, as the association voted them.\n"
        "A line that begins with # is a comment. Amounts are written in quotes, with a point.",
    ),
    "code": (
        "Le nom court de l'unité dans les livres : 2 à 8 majuscules ou chiffres. Ne change plus ensuite.",
        "The short name of the unit in the books: 2 to 8 capitals or digits. It does not change afterwards.",
    ),
    "name": ("Le nom de la monnaie, pour tout le monde.", "The name of the currency, for everybody."),
    "symbol": ("Ce qui s'affiche après un montant.", "What is shown beside an amount."),
    "network": (
        "Ce qui distingue les messages de cette monnaie de ceux d'une autre. Ne change plus ensuite.",
        "What tells the messages of this currency from those of another. It does not change afterwards.",
    ),
    "decimals": ("Toujours 2 : des centimes, comme l'euro.", "Always 2: cents, as the euro has."),
    "timezone": (
        "Le fuseau horaire : à minuit ici, une nouvelle journée commence pour les caisses et les plafonds.",
        "The time zone: at midnight here, a new day begins for tills and limits.",
    ),
    "public_url": (
        "L'adresse du serveur, telle que les téléphones la voient. Courte (24 caractères au plus) : elle est dans\n"
        "chaque code affiché par une caisse.",
        "The address of the server, as phones see it. Short (24 characters at most): it stands in every code\n"
        "that a till shows.",
    ),
    "reconversion_fee_bp": (
        "Ce que coûte le retour aux euros, en centièmes de pour cent : 500 pour 5 %, 0 pour rien.",
        "What changing back to euros costs, in hundredths of a percent: 500 for 5 %, 0 for nothing.",
    ),
    "reconversion_by": (
        "Qui peut revenir aux euros : person (particulier), shop (commerce), association, public_body (collectivité).",
        "Who may change back to euros: person, shop, association, public_body.",
    ),
    "limits": (
        "Les plafonds. Sans la ligne per_payment ou per_day (ou avec un # devant), un payeur n'a pas de plafond.",
        "The limits. Without the line per_payment or per_day (or with a # before it), payers have no limit.",
    ),
    "per_payment": ("Pour un paiement.", "Of one payment."),
    "per_day": ("Pour un payeur, par jour.", "Of one payer, a day."),
    "session_hours": (
        "Au bout de combien d'heures un appareil doit s'identifier à nouveau.",
        "After how many hours a device has to identify itself again.",
    ),
    "request_seconds": (
        "Combien de secondes le code affiché par une caisse reste valable.",
        "For how many seconds the code that a till shows can be paid.",
    ),
    "cash_per_day": (
        "Ce qu'une personne de l'association change au plus par jour contre des espèces, avec un même appareil.",
        "What one person of the association converts in a day against cash, at most, with one device.",
    ),
    "ahead_per_day": (
        "De même pour les virements saisis à la main, avant le relevé qui les montre.",
        "The same for transfers that are typed by hand, ahead of the statement that shows them.",
    ),
    "ahead_days": (
        "Au bout de combien de jours un relevé doit montrer un virement saisi à la main.",
        "After how many days a statement must show a transfer that was typed by hand.",
    ),
    "reserve": (
        "Où sont les euros du fonds de garantie : un [[reserve]] par compte en banque (bank) ou caisse (cash).\n"
        "Les livres suivent un compte par son nom (name) : il ne change plus ensuite. L'IBAN n'est pas obligatoire ;\n"
        "avec lui, les virements et les relevés du compte sont reconnus. holder : le titulaire, tel que la banque le\n"
        "connaît. liquid = false : de l'argent placé. number : le numéro du plan comptable.",
        "Where the euros of the reserve are: one [[reserve]] for each bank account (bank) or cash box (cash).\n"
        "The books follow an account by its name, which does not change afterwards. The IBAN can be left out; with\n"
        "it, transfers and statements of the account are known. holder: the account's holder as the bank knows it.\n"
        "liquid = false: money that is placed. number: its number in the chart of accounts.",
    ),
    "bank": (
        "La banque. topup : le compte où les adhérents envoient leurs euros ; payout : celui d'où l'on paie les\n"
        "commerces. Au-delà de second_signature_above, deux personnes signent l'ordre de paiement ; les ordres plus\n"
        "petits qu'une même personne signe seule en 30 jours comptent ensemble.",
        "The bank. topup: the account to which members send their euros; payout: that from which shops are paid.\n"
        "Above second_signature_above, two people sign a payout file; smaller ones that one person signs alone within\n"
        "30 days count together.",
    ),
    "mandates": (
        "Le change mensuel par prélèvement SEPA. creditor_id : l'identifiant créancier (ICS) donné par la banque ;\n"
        "day : le jour du mois ; notice_days : combien de jours avant on prévient ; risk_days : combien de jours\n"
        "après l'arrivée des euros les unités sont remises (un prélèvement peut être contesté pendant 8 semaines).",
        "Monthly top-ups by SEPA direct debit. creditor_id: the creditor identifier (ICS) that the bank gave; day:\n"
        "the day of the month; notice_days: how long before it is announced; risk_days: how many days after the euros\n"
        "the units arrive (a direct debit can be disputed for 8 weeks).",
    ),
    "bookkeeping": (
        "La comptabilité : le SIREN de l'association, la fin de l'exercice (mois-jour), les numéros du plan comptable.",
        "The accounts: the association's SIREN, the end of its year (month-day), the numbers of its chart of accounts.",
    ),
}
_EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "bank": ('second_signature_above = "1000.00"',),
    "mandates": ('creditor_id = "FR72ZZZ123456"', "day = 5", "notice_days = 14", "risk_days = 56"),
    "bookkeeping": ('siren = "123456782"', 'year_end = "12-31"'),
}
"""What stands behind a # for tables that a charter does not have."""
_UNSET: Final = {"per_payment": "500.00", "per_day": "1000.00"}


def render(document: Mapping[str, Any], lang: str) -> str:
    """The values of a charter file as its text, with comments in English if ``lang`` is "en", else French."""
    lines = _comment("", lang)
    for key, value in document.items():
        if not isinstance(value, dict) and key != "reserve":
            lines += ["", *_comment(key, lang), f"{key} = {_value(value)}"]
    lines += ["", *_comment("limits", lang), "[limits]"]
    for key in ("per_payment", "per_day", "session_hours", "request_seconds", "cash_per_day", "ahead_per_day",
                "ahead_days"):  # fmt: skip
        value = document["limits"].get(key)
        lines += _comment(key, lang)
        lines.append(f"# {key} = {_value(_UNSET[key])}" if value is None else f"{key} = {_value(value)}")
    for name, example in _EXAMPLES.items():
        lines += ["", *_comment(name, lang)]
        if name in document:
            lines += [f"[{name}]", *(f"{key} = {_value(value)}" for key, value in document[name].items())]
        else:
            lines += [f"# [{name}]", *(f"# {line}" for line in example)]
    lines += ["", *_comment("reserve", lang)]
    for account in document["reserve"]:
        values = {**account, "iban": _grouped(account["iban"])} if "iban" in account else account
        lines += ["[[reserve]]", *(f"{key} = {_value(value)}" for key, value in values.items()), ""]
    return "\n".join(lines)


def _comment(key: str, lang: str) -> list[str]:
    french, english = _COMMENTS[key]
    return [f"# {line}" for line in (english if lang == "en" else french).split("\n")]


def _grouped(iban: str) -> str:
    """An IBAN in groups of four, as banks print it."""
    return " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))


def _value(value: str | int | list[str]) -> str:
    # What JSON writes for text (without control characters), whole numbers and lists of text is TOML too.
    return json.dumps(value, ensure_ascii=False)
