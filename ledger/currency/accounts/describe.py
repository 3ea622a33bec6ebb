"""The description that goes with a FEC: what stands in it, in French, for whoever reads it without this program.

Art. A47 A-1 of the LPF asks for it: fields and their meaning, codes, separator, character set.
"""

from __future__ import annotations

from ledger.currency.accounts import pcg
from ledger.currency.accounts.entries import KINDS, OPENING
from ledger.currency.accounts.export import Written
from ledger.currency.accounts.fec import COLUMNS, file_name, form_of
from ledger.currency.accounts.mapping import OTHERS, PAYMENTS, RECONVERSIONS
from ledger.currency.accounts.plan import ROLES

_FIELDS = (
    "code du journal",
    "intitulé du journal",
    "numéro de l'écriture : continu dans chaque journal, sans trou, précédé du code du journal",
    "date de l'écriture : le jour de l'opération (date de la banque pour une ligne de relevé)",
    "numéro de compte du plan comptable général",
    "intitulé du plan comptable général, suivi de l'usage du compte",
    "numéro du compte d'adhérent, pour le compte {holders}{before}",
    "nature de l'adhérent et numéro de son compte ; les noms sont au fichier des adhérents",
    "bordereau de caisse, ligne de relevé de banque, ou fin de l'identifiant de l'opération",
    "date de la pièce",
    "nature de l'opération",
    "montant au débit, en euros",
    "montant au crédit, en euros",
    "vide : pas de lettrage",
    "vide : pas de lettrage",
    "date à laquelle le registre, où rien ne se modifie ni ne s'efface, a pris l'opération",
    "vide : tout est en euros",
    "vide : tout est en euros",
)
_RULES = """\
Le registre de la monnaie est une suite d'opérations, que rien ne modifie ni n'efface. Chaque opération y est une
écriture, dans l'ordre du registre, qui est celui de la validation. Les à nouveaux viennent en premier.

Une unité de la monnaie locale vaut un euro et est une dette de l'association : les comptes d'unités des adhérents
sont les auxiliaires du compte {holders}. Le compte de circulation et le fonds de garantie du registre, qui sont
l'image l'un de l'autre, ne font qu'un, le compte {guarantee} : il ne bouge que lorsque des unités et des euros
n'entrent ou ne sortent pas ensemble.

Le compte {fees} reçoit les contributions au moment où la reconversion est acceptée. Lorsque leurs euros quittent la
réserve, ils passent au compte {operations} ; ce que la banque prélève est au compte {charges}. Les écritures de
clôture des comptes de charges et de produits ne sont pas dans le fichier ; le résultat des exercices antérieurs est
repris au compte {surplus} (excédent) ou {loss} (perte), dans l'attente de son affectation.

Une opération connue après la clôture de l'exercice auquel elle se rapporte est dans l'exercice ouvert, au jour où le
registre l'a prise ; la date de sa pièce est restée la sienne.
"""


def description(written: Written) -> str:
    """The description of a FEC that was just written, as a text in UTF-8."""
    books = written.books
    plan, period = books.plan, books.period
    numbers = {role: getattr(plan, role) for role in ROLES}
    places = numbers | {"surplus": pcg.CARRIED[True], "loss": pcg.CARRIED[False]}
    places["before"] = ", précédé de celui de ce compte" if form_of(books) > 1 else ""
    name = file_name(plan.siren or "SIREN", period.end)
    state = "clos" if period.closing else "ouvert : le fichier est provisoire"
    journals = [(OPENING, "À nouveaux"), *books.accounts.reserve_journals(), PAYMENTS, RECONVERSIONS, OTHERS]
    used = sorted((account.number, account.label) for account in plan.uses())
    parts = [
        f"Description du fichier des écritures comptables {name}",
        f"{books.town.charter.name}\nExercice du {period.start:%d/%m/%Y} au {period.end:%d/%m/%Y} ({state})\n"
        f"{written.entries} écritures, {written.lines} lignes, {written.size} octets\nSHA-256 : {written.sha256}",
        "Forme\n\nTexte en UTF-8. Un en-tête, puis une ligne par mouvement. Champs séparés par une tabulation,\nlignes "
        "terminées par CR LF, dates AAAAMMJJ, montants à deux décimales après une virgule, sans "
        "séparateur de\nmilliers.",
        "Champs\n\n" + "\n".join(
            f"{n:>2}  {field:<14} {text.format(**places)}" for n, (field, text) in
            enumerate(zip(COLUMNS, _FIELDS, strict=True), 1)
        ),
        "Journaux\n\n" + "\n".join(f"{code:<12} {title}" for code, title in journals),
        "Comptes\n\n" + "\n".join(f"{number:<12} {label}" for number, label in used),
        "Natures des opérations\n\n" + "\n".join(f"{kind:<22} {text}" for kind, text in KINDS.items()),
        "Règles\n\n" + _RULES.format(**places).rstrip(),
    ]  # fmt: skip
    return "\n\n\n".join(parts) + "\n"
