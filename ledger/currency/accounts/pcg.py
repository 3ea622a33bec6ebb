"""The French chart of accounts (PCG): what a number is called, and on which side its account grows.

Titles are those of ANC regulation 2014-03 as in force since 1 January 2025 (art. 1121-1), 754 and 756 those of the
associations' own (ANC 2018-06). A number that is not in the list is called as what it is a part of.
"""

from __future__ import annotations

from typing import Final

TITLES: Final = {
    "1": "Comptes de capitaux",
    "10": "Capital et réserves",
    "106": "Réserves",
    "11": "Report à nouveau",
    "110": "Report à nouveau (solde créditeur)",
    "119": "Report à nouveau (solde débiteur)",
    "12": "Résultat de l'exercice",
    "16": "Emprunts et dettes assimilées",
    "2": "Comptes d'immobilisations",
    "3": "Comptes de stocks et en-cours",
    "4": "Comptes de tiers",
    "40": "Fournisseurs et comptes rattachés",
    "41": "Clients et comptes rattachés",
    "411": "Clients",
    "419": "Clients créditeurs",
    "44": "État et autres collectivités publiques",
    "45": "Groupe et associés",
    "46": "Débiteurs divers et créditeurs divers",
    "467": "Divers comptes débiteurs et produits à recevoir",
    "468": "Divers comptes créditeurs et charges à payer",
    "47": "Comptes transitoires ou d'attente",
    "471": "Comptes d'attente",
    "472": "Comptes d'attente",
    "473": "Comptes d'attente",
    "474": "Comptes d'attente",
    "475": "Comptes d'attente",
    "48": "Comptes de régularisation",
    "487": "Produits constatés d'avance",
    "4871": "Produits constatés d'avance sur jetons émis",
    "5": "Comptes financiers",
    "50": "Valeurs mobilières de placement",
    "51": "Banques, établissements financiers et assimilés",
    "511": "Valeurs à l'encaissement",
    "512": "Banques",
    "53": "Caisse",
    "530": "Caisse",
    "58": "Virements internes",
    "6": "Comptes de charges",
    "627": "Services bancaires et assimilés",
    "658": "Pénalités et autres charges",
    "7": "Comptes de produits",
    "70": "Ventes de produits fabriqués, prestations de services, marchandises",
    "706": "Prestations de services",
    "708": "Produits des activités annexes",
    "75": "Autres produits de gestion courante",
    "754": "Ressources liées à la générosité du public",
    "756": "Cotisations",
    "758": "Indemnités et autres produits",
    "8": "Comptes spéciaux",
}

CARRIED: Final = {True: "110", False: "119"}
"""Where the results of the years before stand in a year's opening entry: a surplus (True) or a loss."""
DEBIT, CREDIT = 1, -1


def title(number: str) -> str:
    """What the chart of accounts calls `number`, or the account that it is a part of."""
    return next(TITLES[number[:size]] for size in range(len(number), 0, -1) if number[:size] in TITLES)


def is_result(number: str) -> bool:
    """Whether it is an account of expenses or income, which begins each year at nothing."""
    return number[0] in "67"


def side(number: str) -> int:
    """On which side the account grows: DEBIT for what is owned, owed to us or spent, else CREDIT."""
    receivable = number.startswith(("41", "467")) and not number.startswith("419")
    return DEBIT if receivable or number[0] in "2356" else CREDIT
