"""The pages that people open in a browser: the till, the office, payment links, join links, the list of shops.

Every page is whole without JavaScript but for the till and the office, which sign in the browser. Nothing comes from
another server, nothing runs that is not a file of `static/`, and no cookie is ever set. Texts from outside (names,
labels, codes) pass through the template engine's escaping, and a code from an address is only shown once it was
understood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ledger.core.ids import ALPHABET, account_text
from ledger.currency import invitations, join_codes, parties
from ledger.currency.errors import CurrencyError
from ledger.currency.links import in_capitals, make_link
from ledger.currency.messages import SignedRequest
from ledger.currency.money import format_cents
from ledger.currency.reserve import Keeper
from ledger.currency.town import Town
from ledger.i18n import LANGUAGES, Lang, Translator, from_accept_language, translator
from merchants import asked, codes
from merchants.reserve import page as reserve_page
from merchants.scripted import texts_of

HERE = Path(__file__).parent

HEADERS = {
    "Content-Security-Policy": "; ".join([
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "font-src 'self'",
        "connect-src 'self'", "manifest-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ]),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}  # fmt: skip
"""On everything that leaves here."""

_LANGUAGE_NAMES: Mapping[Lang, str] = {"fr": "Français", "en": "English"}
_LOCALES: Mapping[Lang, str] = {"fr": "fr_FR", "en": "en_GB"}
_CODE_CHARS = 10
_PICTURE_SECONDS = 3_600
_PICTURES = 256
"""Of each form, kept drawn; some 5 kB each."""


DOORS: Mapping[str, tuple[str, ...]] = {
    "cashier": ("till",), "member": ("wallet",), "owner": ("wallet",),
    "operator": ("office", "wallet"), "treasurer": ("office", "wallet"), "auditor": ("office", "wallet"),
}  # fmt: skip
"""What a code of each role is for, the most usual first."""


class Problem(NamedTuple):
    """What went wrong with a page, for a person."""

    status: int
    heading: str
    advice: str


class Guesses(Protocol):
    """Who guessed wrong too often, by address; see `api.limiter`."""

    def check(self, address: str) -> None: ...

    def count(self, address: str) -> None: ...


def routes(town: Town, keeper: Keeper | None = None, guesses: Guesses | None = None) -> list[BaseRoute]:
    """The routes of every page of `town`, to stand behind those of the API. `keeper` makes the reserve report."""
    pages = Pages(town, keeper or Keeper(town), guesses)
    return [
        Route("/", pages.home),
        Route("/till", pages.till),
        Route("/till.webmanifest", pages.manifest),
        Route("/office", pages.office),
        Route("/directory", pages.directory),
        Route("/reserve", pages.reserve),
        Route("/P/{text}.svg", pages.picture_svg),
        Route("/P/{text}.png", pages.picture_png),
        # Some programs write all of an address small.
        *(Route(f"/{letter}/{{text}}", pages.pay) for letter in "Pp"),
        *(Route(f"/{letter}/{{code}}", pages.join) for letter in "Jj"),
        Route("/favicon.ico", lambda request: RedirectResponse("/static/coin.svg", 301, HEADERS)),
        Mount("/static", _Static(directory=HERE / "static"), name="static"),
        _Nothing("/{path:path}", pages.nothing_here),
    ]


class Pages:
    """Renders the pages of one town. Every handler is an ordinary function: the server runs it in a thread."""

    def __init__(self, town: Town, keeper: Keeper, guesses: Guesses | None = None) -> None:
        self.town = town
        self.guesses = guesses
        self.keeper = keeper
        # A till's screen and its customer ask for the same few pictures.
        self._svg = lru_cache(_PICTURES)(lambda link: codes.svg(link).encode())
        self._png = lru_cache(_PICTURES)(codes.png)
        self.templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    # The pages

    def home(self, request: Request) -> Response:
        return self._page(request, "home.html")

    def till(self, request: Request) -> Response:
        return self._page(request, "till.html", private=True, scripted=_scripted(request, "till/main.js"))

    def office(self, request: Request) -> Response:
        """The association's back office: what it shows, its scripts ask for with the key of whoever sits there."""
        scripted = _scripted(request, "office/main.js")
        return self._page(
            request, "office.html", private=True, scripted=scripted, mandates=self.town.charter.mandates is not None
        )

    def manifest(self, request: Request) -> Response:
        """What a phone needs to put the till on its home screen."""
        name = self.town.charter.name
        icon = {"src": "/static/coin.svg", "sizes": "any", "type": "image/svg+xml"}
        content = {
            "name": name, "short_name": name[:12], "id": "/till", "start_url": "/till", "scope": "/till",
            "display": "standalone", "background_color": "#f4efe6", "theme_color": "#f4efe6", "icons": [icon],
        }  # fmt: skip
        return JSONResponse(content, headers=HEADERS, media_type="application/manifest+json")

    def directory(self, request: Request) -> Response:
        _ = _texts(request)
        headings = {
            "shop": _("Shops"),
            "association": _("Associations"),
            "public_body": _("Public bodies"),
        }
        listed = parties.every(self.town, kinds=frozenset(headings), open_only=True)
        groups = [
            (heading, [{"name": p.name, "account": account_text(p.account)} for p in listed if p.kind == kind])
            for kind, heading in headings.items()
        ]
        return self._page(request, "directory.html", groups=[group for group in groups if group[1]])

    def reserve(self, request: Request) -> Response:
        """What is out against what backs it: sums, for everybody; who brought which euro is for auditors."""
        report = self.keeper.report(seconds=reserve_page.FRESH_SECONDS)
        return self._page(request, "reserve.html", **reserve_page.values(report, self.town.charter, _texts(request)))

    def pay(self, request: Request) -> Response:
        """A payment link, opened by somebody who scanned a code with a plain camera."""
        _, charter = _texts(request), self.town.charter
        try:
            signed = SignedRequest.parse(in_capitals(request.path_params["text"]))
            found = asked.look(self.town, signed)
        except CurrencyError as error:
            return self._problem(request, _why_no_payment(_, error))
        what = signed.request
        until = datetime.fromtimestamp(what.expires_at, UTC).astimezone(ZoneInfo(charter.timezone))
        today = charter.local_date(self.town.now())
        return self._page(
            request, "pay.html", private=True, scripted=_copying(_),
            text=signed.text,
            link=make_link(charter.public_url, signed),
            payee=found.payee.name,
            state=found.state.value,
            static=what.is_static,
            amount=format_cents(what.amount, _.lang, charter.symbol) if what.amount else None,
            label=what.label,
            expires_at=what.expires_at,
            until=format_time(until, "short", locale=_LOCALES[_.lang]) if until.date() == today
            else format_datetime(until, "short", locale=_LOCALES[_.lang]),
        )  # fmt: skip

    def picture_svg(self, request: Request) -> Response:
        """The QR code of a payment link."""
        return self._picture(request, "image/svg+xml", self._svg)

    def picture_png(self, request: Request) -> Response:
        """The QR code of a payment link, for what cannot show SVG."""
        return self._picture(request, "image/png", self._png)

    def join(self, request: Request) -> Response:
        """A join link: the door that its code opens. Looking uses nothing up, and wrong looks count as wrong tries."""
        _ = _texts(request)
        code = join_codes.plain_code(request.path_params["code"])
        if len(code) != _CODE_CHARS or not set(code) <= set(ALPHABET):
            heading = _("This is not a join code")
            advice = _("A join code has ten digits and letters. Look at it again, or ask whoever gave it to you.")
            return self._problem(request, Problem(404, heading, advice))
        address = request.client.host if request.client else ""
        try:
            if self.guesses is not None:
                self.guesses.check(address)
        except CurrencyError:
            advice = _("Too many wrong codes came from here. Wait a minute, then open the link again.")
            return self._problem(request, Problem(429, _("One moment"), advice))
        invitation = invitations.find(self.town, code)
        if invitation is None:
            if self.guesses is not None:
                self.guesses.count(address)
            advice = _(
                "It is mistyped, was used already, or is older than a week. Ask whoever gave it to you for a new one."
            )
            return self._problem(request, Problem(404, _("This code opens nothing"), advice))
        shown = join_codes.shown_code(code)
        command = f"wallet join {shown} --server {self.town.charter.public_url}"
        return self._page(
            request, "join.html", private=True, scripted=_copying(_), code=shown, command=command,
            name=invitation.name, doors=DOORS[invitation.role],
        )  # fmt: skip

    def nothing_here(self, request: Request) -> Response:
        _ = _texts(request)
        heading = _("There is nothing at this address")
        advice = _("Perhaps a letter is missing. Scan the code again, or begin at the start page.")
        return self._problem(request, Problem(404, heading, advice))

    # What they share

    def _picture(self, request: Request, media_type: str, draw: Callable[[str], bytes]) -> Response:
        try:
            # Only what somebody here signed is drawn: a server that draws anything is a tool for others, and drawing
            # is the most that a stranger can make it do.
            signed = SignedRequest.parse(request.path_params["text"])
            asked.look(self.town, signed)
        except CurrencyError as error:
            return self._problem(request, _why_no_payment(_texts(request), error))
        content = draw(make_link(self.town.charter.public_url, signed))
        caching = {"Cache-Control": f"private, max-age={_PICTURE_SECONDS}, immutable"}
        return Response(content, headers={**HEADERS, **caching}, media_type=media_type)

    def _problem(self, request: Request, problem: Problem) -> Response:
        shown: dict[str, Any] = {"heading": problem.heading, "advice": problem.advice}
        return self._page(request, "error.html", status=problem.status, private=True, **shown)

    def _page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        private: bool = False,
        scripted: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """A page from its template. `private`: not for search engines; `scripted`: the texts that its scripts show."""
        _, charter = _texts(request), self.town.charter
        chosen = f"?lang={_.lang}" if request.query_params.get("lang") in LANGUAGES else ""
        other: Lang = "en" if _.lang == "fr" else "fr"
        currency = {
            "code": charter.code,
            "name": charter.name,
            "symbol": charter.symbol,
            "network": charter.network.hex(),
            "timezone": charter.timezone,
            "request_seconds": charter.limits.request_seconds,
            "per_payment_cents": charter.limits.per_payment,
        }
        content = self.templates.get_template(template).render(
            _=_,
            lang=_.lang,
            texts=None if scripted is None else {"": "", **scripted},
            currency=currency,
            private=private,
            url=lambda path: path + chosen,
            other_language={"code": other, "name": _LANGUAGE_NAMES[other], "url": f"?lang={other}"},
            **values,
        )
        headers = {**HEADERS, "Cache-Control": "no-store", "Content-Language": _.lang, "Vary": "Accept-Language"}
        return HTMLResponse(content, status, headers)


class _Static(StaticFiles):
    """Files as they are, asked for again on each visit (304 where nothing changed), so that a new version is whole."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        response.headers["Cache-Control"] = "no-cache"
        return response


class _Nothing(Route):
    """An address that leads nowhere, opened in a browser. Programs get the application's own answer."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and not scope["path"].startswith("/v1/"):
            accepted = dict(scope["headers"]).get(b"accept", b"")
            if scope["method"] in ("GET", "HEAD") and b"text/html" in accepted:
                return super().matches(scope)
        return Match.NONE, {}


def _texts(request: Request) -> Translator:
    """The language that the address asks for, else the one that the browser prefers."""
    wanted = request.query_params.get("lang")
    lang = next((lang for lang in LANGUAGES if lang == wanted), None)
    return translator("merchants", lang or from_accept_language(request.headers.get("Accept-Language")))


def _scripted(request: Request, entry: str) -> dict[str, str]:
    """The texts of the scripts that a page runs, in its language."""
    texts, said = texts_of(entry), _texts(request).messages()
    return {text: said[text] for text in sorted(texts & said.keys())}


def _copying(_: Translator) -> dict[str, str]:
    """The texts of a button that copies."""
    return {text: _(text) for text in ("Copied", "Select the text to copy it")}


def _why_no_payment(_: Translator, error: CurrencyError) -> Problem:
    """What to tell somebody whose payment link cannot be paid."""
    if error.code == "message_wrong_network":
        heading = _("This code belongs to another currency")
        advice = _("It cannot be paid here. Ask the shop which currency its code is for.")
    elif error.code == "request_signature_invalid":
        heading = _("Do not pay this code")
        advice = _("It was not made by a till of this shop, or that till was revoked. Ask the shop for a new code.")
    elif error.code == "payee_unknown":
        heading = _("Nobody can be paid with this code")
        advice = _("Whoever it names does not take part in this currency, or no longer does.")
    else:
        heading = _("This code cannot be read")
        advice = _("It was cut or mistyped on its way. Scan it again, or ask the shop for a new one.")
    return Problem(404, heading, advice)
