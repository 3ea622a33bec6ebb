"""QR codes: drawing them for screens, paper and terminals, and reading them back from a picture.

Level M, as small a version as the text allows: when a blurred camera is the limit, small modules hurt and more
error correction does not help. Upper-case text is held in alphanumeric mode, 5.5 bits a character; of a payment link
whose scheme and host are small, all that comes after them. A transfer's code for banking apps (`epc=True`:
`ledger.currency.bank.epc` makes its text) is held in bytes, as its standard asks. One library draws (`qrcode`, some 15
ms) and another reads (`zxing-cpp`), so that neither can be wrong alone.
"""

from __future__ import annotations

import io
import re
import warnings
from functools import lru_cache
from html import escape
from itertools import groupby
from typing import Literal, TypeAlias

import qrcode
import qrcode.exceptions
import zxingcpp
from PIL import Image
from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, QRData

QUIET_ZONE = 4
"""Light modules around a code that the standard asks for."""

EPC_BYTES = 331
"""What version 13, the largest that a transfer's code may have (EPC069-12), holds at level M."""

MAX_IMAGE_BYTES = 25_000_000
MAX_IMAGE_PIXELS = 50_000_000
MAX_SIDE = 20_000
"""Pixels: three times as many are what the reader takes at most."""

TerminalStyle: TypeAlias = Literal["ansi", "dark", "light"]

_SMALL_ORIGIN = re.compile(r"https?://[a-z0-9.:-]+(?=/P/[0-9A-Z]+\Z)", re.ASCII)
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_FORMATS = ("PNG", "JPEG", "WEBP")
_BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m"  # of the fixed 256 colours: themes change the first 16
_RESET = "\x1b[0m"
_HALF_BLOCKS = " ▄▀█"  # by 2 * upper + lower


class CodeError(ValueError):
    """A text that makes no code, or a picture that gives none. ``code`` is stable.

    ``code_text`` (only printable ASCII, at most about 3,000 characters; of a transfer: not one, or over 331 bytes),
    ``image_too_large``, ``image_unreadable`` and, as ``CodeNotFound``, ``code_not_found``.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class CodeNotFound(CodeError):
    """The picture was read, and there is no QR code in it."""

    def __init__(self) -> None:
        super().__init__(
            "code_not_found",
            "no QR code was found in this picture: it must be whole, sharp, and have a white margin around it",
        )


# --- drawing ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """The code of ``text`` as rows of modules, ``True`` for dark, without the quiet zone. Raises ``CodeError``."""
    if not text or not text.isascii() or not text.isprintable():
        raise CodeError("code_text", "a code holds printable ASCII characters, one at least")
    return _drawn(text)


@lru_cache(maxsize=256)
def epc_modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """The code of a transfer, which has several lines and any script, as ``modules`` does. Raises ``CodeError``."""
    if not text.startswith("BCD\n"):
        raise CodeError("code_text", "a transfer's code begins with BCD on a line of its own")
    if (size := len(text.encode())) > EPC_BYTES:
        raise CodeError("code_text", f"a transfer's code holds {EPC_BYTES} bytes, this text has {size}")
    return _drawn(text)  # in bytes, which is the one mode that has line ends


def _drawn(text: str) -> tuple[tuple[bool, ...], ...]:
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
    try:
        small = _SMALL_ORIGIN.match(text)
        if small is None:
            code.add_data(text, optimize=0)  # one segment, in the densest mode that holds the whole text
        else:
            code.add_data(QRData(small[0], mode=MODE_8BIT_BYTE))
            code.add_data(QRData(text[small.end() :], mode=MODE_ALPHA_NUM))
        code.make(fit=True)
    except (ValueError, qrcode.exceptions.DataOverflowError) as error:
        raise CodeError("code_text", f"{len(text)} characters are too many for a code") from error
    return tuple(tuple(bool(dark) for dark in row) for row in code.modules)


def version(text: str) -> int:
    """The code's version, 1 (21 by 21 modules) to 40; each is 4 modules larger than the one before."""
    return (len(modules(text)) - 17) // 4


def png(text: str, scale: int = 8, *, epc: bool = False) -> bytes:
    """A black-and-white PNG of the code with its quiet zone, ``scale`` (1 to 64) pixels a module."""
    if not 1 <= scale <= 64:
        raise ValueError(f"scale is 1 to 64 pixels a module, got {scale}")
    rows = _with_quiet_zone(text, epc)
    size = len(rows)
    image = Image.frombytes("L", (size, size), bytes(0 if dark else 255 for row in rows for dark in row))
    out = io.BytesIO()
    image.resize((size * scale, size * scale), Image.Resampling.NEAREST).convert("1").save(out, "PNG")
    return out.getvalue()


def svg(text: str, title: str = "QR code", *, epc: bool = False) -> str:
    """A crisp SVG of the code on white with its quiet zone, one unit a module. By itself it is 8 pixels a module large;
    a page may say otherwise.

    ``title`` is what a screen reader says. The text is one ``<svg>`` element, to be put in a page as it is.
    """
    rows = _with_quiet_zone(text, epc)
    size = len(rows)
    path = []
    for y, row in enumerate(rows):
        x = 0
        for dark, run in groupby(row):
            width = len(list(run))
            if dark:
                path.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width
    said = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{8 * size}" height="{8 * size}" viewBox="0 0 {size} {size}" '
        f'role="img" aria-label="{said}" shape-rendering="crispEdges"><title>{said}</title>'
        f'<path fill="#fff" d="M0 0h{size}v{size}h-{size}z"/>'
        f'<path d="{"".join(path)}"/></svg>'
    )


def terminal(text: str, style: TerminalStyle = "ansi", *, epc: bool = False) -> str:
    """The code in half blocks, two rows of modules a line, each line ended with a newline.

    ``ansi`` sets black on white itself and is right on every terminal that knows colours. Without colours the blocks
    have the terminal's own: ``dark`` is for light text on a dark background, ``light`` for the reverse.
    """
    rows = _with_quiet_zone(text, epc)
    if len(rows) % 2:
        rows = (*rows, (False,) * len(rows[0]))
    start, end = (_BLACK_ON_WHITE, _RESET) if style == "ansi" else ("", "")
    ink = style != "dark"  # on a dark terminal the blocks are what is bright
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        blocks = [_HALF_BLOCKS[2 * (a is ink) + (b is ink)] for a, b in zip(upper, lower, strict=True)]
        lines.append(f"{start}{''.join(blocks)}{end}\n")
    return "".join(lines)


def _with_quiet_zone(text: str, epc: bool) -> tuple[tuple[bool, ...], ...]:
    inner = epc_modules(text) if epc else modules(text)
    side = (False,) * QUIET_ZONE
    blank = ((False,) * (len(inner) + 2 * QUIET_ZONE),) * QUIET_ZONE
    return (*blank, *((*side, *row, *side) for row in inner), *blank)


# --- reading ---------------------------------------------------------------------------------------------


def read(image: bytes) -> list[str]:
    """The texts of all QR codes in a PNG, JPEG or WebP: a screenshot or a photograph, turned, tilted or inverted.

    From top to bottom, each text once. Raises ``CodeNotFound`` when there is none, and ``CodeError`` with
    ``image_too_large`` (over 25 MB, 50 megapixels or 20,000 pixels a side, found before anything is unpacked) or
    ``image_unreadable``.
    """
    grey = _grey(image)
    texts = _scan(grey)
    if not texts and grey.width * grey.height <= 4_000_000:
        # Modules of two or three pixels, as in a thumbnail: what the reader cannot find, it finds in a larger copy.
        texts = _scan(grey.resize((grey.width * 3, grey.height * 3), Image.Resampling.BICUBIC))
    if not texts:
        raise CodeNotFound
    return texts


def _scan(grey: Image.Image) -> list[str]:
    found = zxingcpp.read_barcodes(grey, formats=_QR, text_mode=zxingcpp.TextMode.Plain)
    found.sort(key=lambda one: (one.position.top_left.y, one.position.top_left.x))
    return list(dict.fromkeys(one.text for one in found))


def _grey(data: bytes) -> Image.Image:
    """The picture in 8-bit grey on white."""
    if len(data) > MAX_IMAGE_BYTES:
        raise CodeError("image_too_large", f"a picture has at most {MAX_IMAGE_BYTES // 1_000_000} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit below is lower than the one that Pillow warns of
            image: Image.Image = Image.open(io.BytesIO(data), formats=_FORMATS)
        width, height = image.size
        if width * height > MAX_IMAGE_PIXELS or max(width, height) > MAX_SIDE:
            raise CodeError(
                "image_too_large",
                f"a picture has at most {MAX_IMAGE_PIXELS // 1_000_000} megapixels and {MAX_SIDE} pixels a side, this "
                f"one {width} by {height}",
            )
        if image.mode.startswith("I"):  # 16 bits a pixel: convert() would cut off, not scale
            image = image.point(lambda level: level / 256)
        elif image.has_transparency_data:
            image = image.convert("RGBA")
            white = Image.new("L", image.size, 255)
            white.paste(image.convert("L"), mask=image.getchannel("A"))
            return white
        return image.convert("L")
    except CodeError:
        raise
    except Image.DecompressionBombError as error:
        raise CodeError("image_too_large", "this picture is far too large") from error
    except Exception as error:  # a broken file makes the decoders raise all kinds
        raise CodeError("image_unreadable", "this is not a whole PNG, JPEG or WebP picture") from error
