"""French and English for people: which language to speak, and the words in it.

Texts stand in English in the code; their French stands in ``<package>/locale/fr.po``, which is read as it
is, without a build step. A text without a translation is shown in English rather than not at all; a test
(``tests/test_translations.py``) sees to it that this does not happen.
"""

from __future__ import annotations

import gettext
import io
import os
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

Lang = Literal["fr", "en"]
LANGUAGES: Final[tuple[Lang, ...]] = ("fr", "en")
DEFAULT_LANG: Final[Lang] = "fr"

_MAX_HEADER: Final = 1_000


class Translator:
    """The texts of one package in one language; ``_ = translator("merchants", "fr"); _("paid")``.

    Placeholders are filled in afterwards (``_("paid by {name}").format(name=name)``), so that the text in
    the code is the text in the catalog.
    """

    def __init__(self, lang: Lang, texts: gettext.NullTranslations, plain: Mapping[str, str]) -> None:
        self.lang: Final = lang
        self._texts = texts
        self._plain = plain

    def __call__(self, message: str) -> str:
        # The empty message is the catalog's own header, which nobody means to show.
        return self._texts.gettext(message) if message else ""

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The form that goes with ``n``: French says "0 paiement", English says "0 payments"."""
        return self._texts.ngettext(singular, plural, n)

    def messages(self) -> dict[str, str]:
        """The texts without plural forms, English to translation: what a page hands to its JavaScript."""
        return dict(self._plain)


@lru_cache(maxsize=64)
def translator(package: str, lang: Lang) -> Translator:
    """The texts of ``package`` (an importable name) in ``lang``; each catalog is read once.

    A package without a catalog for the language gets the English of the code. A catalog that cannot be
    parsed raises ``babel.messages.pofile.PoFileError``.
    """
    catalog = read_catalog(package, lang)
    if catalog is None:
        return Translator(lang, gettext.NullTranslations(), {})
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    plain = {
        message.id: message.string
        for message in catalog
        if isinstance(message.id, str) and message.id and isinstance(message.string, str) and message.string
        if not message.fuzzy
    }
    return Translator(lang, gettext.GNUTranslations(compiled), plain)


def read_catalog(package: str, lang: str) -> Catalog | None:
    """The catalog ``locale/<lang>.po`` of a package, or None if it has none."""
    path = files(package) / "locale" / f"{lang}.po"
    if not path.is_file():
        return None
    with path.open("rb") as source:
        return read_po(source, locale=lang, charset="utf-8", abort_invalid=True)


def from_accept_language(header: str | None) -> Lang:
    """The language of a browser, from its Accept-Language header (RFC 9110, 12.5.4).

    The supported language with the highest weight, the first of equals; French for whoever asks for
    neither, and for a header that makes no sense.
    """
    best: Lang = DEFAULT_LANG
    best_weight = 0.0
    for part in (header or "")[:_MAX_HEADER].split(","):
        tag, _, parameter = part.partition(";")
        lang = _language(tag)
        weight = _weight(parameter)
        if lang is not None and weight > best_weight:
            best, best_weight = lang, weight
    return best


def from_environment(environ: Mapping[str, str] | None = None) -> Lang:
    """The language of a terminal: the first of PATARD_LANG, LC_ALL, LC_MESSAGES and LANG that is set.

    French unless that one clearly says English (``en``, ``en_GB.UTF-8``); ``C`` and ``POSIX`` say nothing.
    """
    environ = os.environ if environ is None else environ
    for name in ("PATARD_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name, "").strip():
            return _language(value) or DEFAULT_LANG
    return DEFAULT_LANG


def format_day(day: date, lang: str = "fr") -> str:
    """A day for a person: ``16/11/2026`` in French, ``2026-11-16`` in English, as sums in ``money.format_cents``."""
    return day.isoformat() if lang == "en" else f"{day:%d/%m/%Y}"


def format_month(month: str, lang: str = "fr") -> str:
    """A month YYYY-MM for a person: ``décembre 2026``, ``December 2026``."""
    from babel.dates import format_date

    return format_date(date.fromisoformat(f"{month}-01"), "MMMM y", locale="en" if lang == "en" else "fr")


def _language(tag: str) -> Lang | None:
    """``fr`` or ``en`` out of a language tag or a locale name: ``en-GB``, ``fr_FR.UTF-8@euro``."""
    primary = tag.strip().lower().replace("_", "-").partition("@")[0].partition(".")[0].partition("-")[0]
    return next((lang for lang in LANGUAGES if lang == primary), None)


def _weight(parameter: str) -> float:
    """The q value of a language range, 1 where there is none and 0 (not wanted) where it is nonsense."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    value = value.strip()
    # Checked by hand because float() would also read "nan", "1e9" and digits of other scripts.
    if name.strip().lower() != "q" or not value.isascii() or not value.replace(".", "", 1).isdigit():
        return 0.0
    weight = float(value)
    return weight if weight <= 1 else 0.0
