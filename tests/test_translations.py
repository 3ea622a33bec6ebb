"""Every text that a member or a shopkeeper can see has its French, with the same placeholders.

The texts are found in the sources: ``_("...")`` and ``ngettext("...", "...", n)`` in Python (also as methods,
``self._("...")``, ``tr.ngettext(...)``), ``_()``, ``gettext()``, ``ngettext()`` and ``{% trans %}`` in templates,
and ``t("...")`` in the JavaScript of ``static/`` (``vendor`` folders aside).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_javascript
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from ledger.currency.errors import ERRORS
from ledger.i18n import read_catalog

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("wallet_cli", "merchants", "api")

TEMPLATES = (".html", ".jinja", ".j2", ".svg", ".txt")
_PLACEHOLDER = re.compile(r"\{[^{}\s]*\}|%\(\w+\)[a-zA-Z]|%[sd]")
_PO_LINE = re.compile(r'\s*|\s*#.*|\s*(?:(?:msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s+)?"(?:[^"\\]|\\.)*"\s*')


class Use(NamedTuple):
    """One text in one place; ``plural`` is None for a text that counts nothing."""

    where: str
    text: str
    plural: str | None


class NotLiteral(Exception):
    """A text put together at run time, which no catalog can hold."""


def python_texts(source: str, where: str) -> Iterator[Use]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", None)
        count = {"_": 1, "N_": 1, "gettext": 1, "ngettext": 2}.get(name or "")
        if count is None:
            continue
        place = f"{where}:{node.lineno}"
        arguments = node.args[:count]
        if any(isinstance(argument, (ast.JoinedStr, ast.BinOp, ast.Call)) for argument in arguments):
            raise NotLiteral(f"{place}: {name}(...) needs a plain string; fill placeholders in with .format()")
        texts = [a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if len(texts) != count:
            continue  # A look-up such as _(TEXTS[code]); its texts are marked with N_() where they stand.
        yield Use(place, texts[0], texts[1] if count == 2 else None)


def template_texts(source: bytes, where: str) -> Iterator[Use]:
    found = babel_extract(BytesIO(source), ("_", "gettext", "ngettext"), [], {"encoding": "utf-8", "silent": "false"})
    for line, function, message, _comments in found:
        texts = (message,) if isinstance(message, str) or message is None else tuple(message)
        count = 2 if function == "ngettext" else 1
        first, *rest = texts[:count]
        if first and (count == 1 or (rest and rest[0])):
            yield Use(f"{where}:{line}", first, rest[0] if rest else None)


def javascript_texts(source: bytes, where: str) -> Iterator[Use]:
    for line, _function, message, _comments in extract_javascript(BytesIO(source), {"t": None}, [], {}):
        found: object = message  # Babel's types say a list; it is the bare text of t("a"), a tuple for t("a", "b").
        first = found[0] if isinstance(found, tuple) else found
        if isinstance(first, str) and first:
            yield Use(f"{where}:{line}", first, None)


def texts_of(path: Path, where: str) -> Iterator[Use]:
    """The texts of one file; a file that holds none by its place or name gives none."""
    if "vendor" in path.parts or not path.is_file():
        return
    if path.suffix == ".py":
        yield from python_texts(path.read_text(encoding="utf-8"), where)
    elif path.suffix in (".js", ".mjs") and "static" in path.parts:
        yield from javascript_texts(path.read_bytes(), where)
    elif path.suffix in TEMPLATES and "templates" in path.parts:
        yield from template_texts(path.read_bytes(), where)


def placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def flaws(package: Path) -> list[str]:
    """Everything that is wrong with the French of one package, one line each."""
    path = package / "locale" / "fr.po"
    catalog = Catalog(locale="fr")
    found: list[str] = []
    if path.exists():
        # Babel reads a line with a lost quote as an empty one, so look at the lines first.
        found += [
            f"locale/fr.po:{n}: this line cannot be read"
            for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if not _PO_LINE.fullmatch(line)
        ]
        with path.open("rb") as source:
            catalog = read_po(source, locale="fr", charset="utf-8", abort_invalid=True)
    for file in sorted(package.rglob("*")):
        where = str(file.relative_to(package.parent))
        try:
            uses = list(texts_of(file, where))
        except NotLiteral as error:
            found.append(str(error))
            continue
        found += [f"{use.where}: {flaw}" for use in uses if (flaw := flaw_of(use, catalog))]
    return found


def flaw_of(use: Use, catalog: Catalog) -> str | None:
    """What is wrong with the translation of one text, or None."""
    message = catalog.get(use.text)  # A counted text is kept under its singular.
    if message is None:
        return f"not in locale/fr.po: {use.text!r}"
    if message.fuzzy:
        return f"marked fuzzy in locale/fr.po: {use.text!r}"
    plural = None if isinstance(message.id, str) else message.id[1]
    if use.plural is not None and use.plural != plural:
        return f"locale/fr.po has another plural, or none, for {use.text!r}"
    strings = [message.string] if isinstance(message.string, str) else list(message.string or ())
    if not strings or not all(string.strip() for string in strings):
        return f"no translation of {use.text!r}"
    for index, string in enumerate(strings):
        wanted = placeholders(use.text if plural is None else plural)
        # "un paiement" may leave the number out where the English singular does; nothing else may.
        least = wanted & placeholders(use.text) if plural is not None and index == 0 else wanted
        if not least <= placeholders(string) <= wanted:
            return f"placeholders of {string!r} are not those of {use.text!r}"
    return None


@pytest.mark.parametrize("package", PACKAGES)
def test_every_text_has_its_french(package: str) -> None:
    problems = flaws(ROOT / package) if (ROOT / package).is_dir() else []
    assert not problems, "\n" + "\n".join(problems)


def test_the_pages_have_one_kind_of_apostrophe() -> None:
    catalog = read_catalog("merchants", "fr")
    assert catalog is not None
    told = [
        text for one in catalog if one.id for text in (one.string if isinstance(one.string, tuple) else (one.string,))
    ]
    assert [text for text in told if re.search(r"\w'\w", str(text))] == []


def test_payouts_to_shops_are_virements_everywhere() -> None:
    for package in ("api", "merchants", "wallet_cli"):
        for one in read_catalog(package, "fr") or ():
            if "payout" in re.sub(r"`[^`]*`", "", str(one.id)).lower():
                assert not re.search(r"\b(paiement|versement)s?\b", str(one.string), re.IGNORECASE), one.id


def test_euros_for_units_are_a_change_everywhere() -> None:
    """But for the kinds of entries, and the reserve's page, which has the accountants' word and says what it means."""
    for package in ("api", "wallet_cli"):
        for one in read_catalog(package, "fr") or ():
            told = re.sub(r"`[^`]*`|\w+, conversion, \w+", "", str(one.string))
            assert not re.search(r"(?<!re)\bconversions?\b|approvisionn|recharges? mens", told, re.IGNORECASE), one.id


def test_the_meaning_of_every_refusal_has_its_french() -> None:
    """The command line says it before the English detail; `_(ERRORS[code][1])` is a look-up that `flaws` cannot see."""
    with (ROOT / "api/locale/fr.po").open("rb") as source:
        catalog = read_po(source, locale="fr", charset="utf-8", abort_invalid=True)
    problems = [flaw_of(Use(code, meaning, None), catalog) for code, (_status, meaning) in ERRORS.items()]
    assert [problem for problem in problems if problem] == []


# The rule itself is tried on a small package, so that an empty answer above means something.

CATALOG = """
msgid ""
msgstr ""
"Language: fr\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

msgid "paid by {name}"
msgstr "payé par {name}"

msgid "Sound on"
msgstr "Son activé"

msgid "one payment"
msgid_plural "{n} payments"
msgstr[0] "un paiement"
msgstr[1] "{n} paiements"
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for folder in ("locale", "templates", "static/vendor"):
        (tmp_path / "shop" / folder).mkdir(parents=True)
    (tmp_path / "shop/locale/fr.po").write_text(CATALOG, encoding="utf-8")
    (tmp_path / "shop/pages.py").write_text(
        'a = _("paid by " "{name}").format(name=1)\nb = tr.ngettext("one payment", "{n} payments", 3)\n'
    )
    (tmp_path / "shop/templates/till.html").write_text("<p title=\"{{ _('Sound on') }}\">{{ n }}</p>")
    (tmp_path / "shop/static/till.js").write_text(
        "// t('not a text')\nshow(t('Sound on'), t(`paid by {name}`, {name}));"
    )
    (tmp_path / "shop/static/vendor/other.js").write_text("t('of somebody else')")
    return tmp_path / "shop"


def test_a_translated_package_has_no_flaws(package: Path) -> None:
    assert flaws(package) == []
    assert sum(len(list(texts_of(path, ""))) for path in package.rglob("*")) == 5


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("new.py", '_("new text")', "new.py:1: not in locale/fr.po: 'new text'"),
        ("deep/new.py", 'x.y._("new text")', "not in locale/fr.po: 'new text'"),
        ("new.py", 'N_("new text")', "not in locale/fr.po"),
        ("new.py", 'ngettext("one payment", "{n} payment", 2)', "another plural"),
        ("new.py", 'ngettext("Sound on", "Sounds on", 2)', "another plural"),
        ("templates/new.html", "\n{{ _('new text') }}", "new.html:2: not in locale/fr.po: 'new text'"),
        ("templates/new.html", "{% trans %}new text{% endtrans %}", "not in locale/fr.po: 'new text'"),
        ("static/new.js", 'const a = t("new text");', "not in locale/fr.po: 'new text'"),
    ],
)
def test_a_text_without_french_is_found(package: Path, file: str, text: str, complaint: str) -> None:
    (package / file).parent.mkdir(exist_ok=True)
    (package / file).write_text(text)
    assert complaint in "\n".join(flaws(package))


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("payé par {name}", "payé par {nom}", "placeholders"),
        ("payé par {name}", "payé", "placeholders"),
        ("payé par {name}", "", "no translation"),
        ('"Son activé"', '"Son activé {x}"', "placeholders"),
        ('"{n} paiements"', '"paiements"', "placeholders"),
        ('"un paiement"', '""', "no translation"),
        ('msgid "Sound on"', '#, fuzzy\nmsgid "Sound on"', "fuzzy"),
        ('"Son activé"', '"Son activé', "cannot be read"),
    ],
)
def test_a_wrong_translation_is_found(package: Path, before: str, after: str, complaint: str) -> None:
    assert before in CATALOG
    (package / "locale/fr.po").write_text(CATALOG.replace(before, after), encoding="utf-8")
    assert complaint in "\n".join(flaws(package))


def test_a_package_without_a_catalog_is_found(package: Path) -> None:
    (package / "locale/fr.po").unlink()
    assert len(flaws(package)) == 5


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("new.py", '_(f"paid by {name}")'),
        ("new.py", '_("paid" + name)'),
        ("new.py", 'ngettext("one", f"{n} others", 2)'),
        ("new.py", '_("paid by {name}".format(name=name))'),
    ],
)
def test_a_text_made_at_run_time_is_refused(package: Path, file: str, text: str) -> None:
    (package / file).write_text(text)
    assert any("plain string" in flaw for flaw in flaws(package))


@pytest.mark.parametrize(
    ("file", "text"),
    [("new.py", "_(TEXTS[code])"), ("templates/new.html", "{{ _(name) }}"), ("static/new.js", "t(name); t(); at('x')")],
)
def test_a_look_up_of_texts_marked_elsewhere_is_fine(package: Path, file: str, text: str) -> None:
    (package / file).write_text(text)
    assert flaws(package) == []
