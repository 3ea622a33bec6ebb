"""QR codes: small enough, right on every surface, and read back from pictures as they come."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from ledger.currency.keys import PrivateKey
from ledger.currency.links import make_link, parse_link
from ledger.currency.messages import Request
from merchants import codes, screens
from merchants.codes import CodeError, CodeNotFound

ROOT = Path(__file__).parents[2]
TILL = PrivateKey.from_seed(bytes(range(32)))
SIGNED = Request(b"pata", 2**63 - 1, b"\xff" * 8, 2**32 - 1, 2**32 - 1, "Boulangerie-Midi-3", TILL.id).sign(TILL)
# The largest there is: the longest label, and a host of 24 characters.
LINK = make_link("https://patard.lille-sud.example", SIGNED)
OTHER = make_link("https://pay.patard.example", Request(b"pata", 7, bytes(8), 0, 0, "", TILL.id).sign(TILL))


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def picture(text: str = LINK, scale: int = 4) -> Image.Image:
    return Image.open(io.BytesIO(codes.png(text, scale))).convert("L")


# --- sizes ---


def test_the_largest_link_is_version_8() -> None:
    assert len(parse_link(LINK).origin) == len("https://") + 24
    assert len(LINK) == 221
    assert codes.version(LINK) == 8


# ISO/IEC 18004, table 7: characters that versions 1 to 10 hold at level M in alphanumeric mode.
FULL = [20, 38, 61, 90, 122, 154, 178, 221, 262, 311]


@pytest.mark.parametrize(("number", "most"), list(enumerate(FULL, start=1)))
def test_each_version_is_filled_to_what_the_standard_gives(number: int, most: int) -> None:
    """Smaller would not be level M, larger would not be alphanumeric mode."""
    assert codes.version("Z:" * (most // 2) + "Z" * (most % 2)) == number
    assert codes.version("Z:" * (most // 2) + "Z" * (most % 2) + "Z") == number + 1


def test_format_information_says_level_m() -> None:
    for text in (LINK, OTHER, "https://lower.case/needs-bytes", "A"):
        rows = codes.modules(text)
        # The 15 bits beside the upper left finder pattern, most significant first, with the standard's mask.
        places = [(8, x) for x in (0, 1, 2, 3, 4, 5, 7, 8)] + [(y, 8) for y in (7, 5, 4, 3, 2, 1, 0)]
        bits = int("".join(str(int(rows[y][x])) for y, x in places), 2) ^ 0b101010000010010
        assert bits >> 13 == 0b00  # M


def test_modules_have_the_shape_of_a_code() -> None:
    rows = codes.modules(LINK)
    assert len(rows) == 49 and all(len(row) == 49 for row in rows)
    finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
    for top, left in ((0, 0), (0, 42), (42, 0)):
        assert ["".join(str(int(dark)) for dark in row[left : left + 7]) for row in rows[top : top + 7]] == finder
    assert all(rows[6][x] == (x % 2 == 0) for x in range(8, 41))


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=200))
def test_any_printable_ascii_comes_back(text: str) -> None:
    assert codes.read(codes.png(text)) == [text]


@pytest.mark.parametrize("text", ["", "é", "a\nb", "\0", "\x7f", "Z" * 4000])
def test_texts_that_make_no_code(text: str) -> None:
    for draw in (codes.png, codes.svg, codes.terminal, codes.version):
        with pytest.raises(CodeError) as error:
            draw(text)
        assert error.value.code == "code_text"


# --- surfaces ---


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8, 16])
def test_png_at_every_size(scale: int) -> None:
    data = codes.png(LINK, scale)
    image = Image.open(io.BytesIO(data))
    assert image.size == (57 * scale, 57 * scale)
    assert image.mode == "1"
    assert len(data) < 4000
    assert codes.read(data) == [LINK]
    for wrong in (0, 65):
        with pytest.raises(ValueError, match="scale"):
            codes.png(LINK, wrong)


def test_svg_is_crisp_titled_and_right() -> None:
    text = codes.svg(LINK, 'Payer <12,50> & "merci"')
    root = ElementTree.fromstring(text)
    space = {"s": "http://www.w3.org/2000/svg"}
    assert root.get("viewBox") == "0 0 57 57"
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.findtext("s:title", namespaces=space) == 'Payer <12,50> & "merci"'
    assert root.get("shape-rendering") == "crispEdges"
    # By itself it has a size, so that a file of it can be opened; a page decides, under any policy.
    assert (root.get("width"), root.get("height")) == ("456", "456") and "style" not in root.attrib
    white, black = root.findall("s:path", space)
    assert white.attrib == {"fill": "#fff", "d": "M0 0h57v57h-57z"}
    image = Image.new("L", (57, 57), 255)
    drawn = ImageDraw.Draw(image)
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", black.attrib["d"])
    assert "".join("M{} {}h{}v1h-{}z".format(*run) for run in runs) == black.attrib["d"]
    for x, y, width, back in runs:
        assert width == back
        drawn.line([(int(x), int(y)), (int(x) + int(width) - 1, int(y))], fill=0)
    assert image.tobytes() == picture(LINK, 1).tobytes()


def _look_at(screen: str, ink: int, paper: int) -> Image.Image:
    """What half blocks look like on a terminal with those colours."""
    lines = screen.splitlines()
    image = Image.new("L", (len(lines[0]), 2 * len(lines)), paper)
    for y, line in enumerate(lines):
        for x, char in enumerate(line):
            image.putpixel((x, 2 * y), ink if char in "▀█" else paper)
            image.putpixel((x, 2 * y + 1), ink if char in "▄█" else paper)
    return image


def test_terminal_with_its_own_colours() -> None:
    screen = codes.terminal(LINK)
    assert screen.count("\n") == 29 and screen.endswith("\n")
    for line in screen.splitlines():
        found = re.fullmatch(r"\x1b\[38;5;16;48;5;231m([ ▄▀█]{57})\x1b\[0m", line)
        assert found, line  # each line starts and ends its colours, so that none runs over
    plain = re.sub(r"\x1b\[[0-9;]*m", "", screen)
    shown = _look_at(plain, 0, 255)
    assert shown.crop((0, 0, 57, 57)).tobytes() == picture(LINK, 1).tobytes()


@pytest.mark.parametrize(("style", "ink", "paper"), [("dark", 230, 20), ("light", 10, 250)])
def test_terminal_without_colours(style: codes.TerminalStyle, ink: int, paper: int) -> None:
    screen = codes.terminal(LINK, style)
    assert "\x1b" not in screen
    shown = _look_at(screen, ink, paper)
    assert shown.getpixel((0, 0)) == max(ink, paper)  # the quiet zone is the bright colour
    assert codes.read(encode(shown.resize((57 * 6, 58 * 6), Image.Resampling.NEAREST))) == [LINK]


class _Stream(io.StringIO):
    def __init__(self, tty: bool) -> None:
        super().__init__()
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


def test_every_terminal_without_colours_is_dark(monkeypatch: pytest.MonkeyPatch) -> None:
    """One helper for all commands: blocks without colours are the bright ones, as on most terminals."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert screens.terminal_code(LINK, _Stream(True)) == codes.terminal(LINK, "ansi")
    assert screens.terminal_code(LINK, _Stream(False)) == codes.terminal(LINK, "dark")
    monkeypatch.setenv("NO_COLOR", "1")
    assert screens.terminal_code(LINK, _Stream(True)) == codes.terminal(LINK, "dark")
    sources = [path for room in ("api", "wallet_cli") for path in (ROOT / room).rglob("*.py")]
    assert not [path for path in sources if "codes.terminal(" in path.read_text()]


# --- reading ---


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_modes(mode: str) -> None:
    if mode == "I;16":  # a low-contrast 16-bit grey, as scanners make it
        grey = b"".join(struct.pack("<H", 20_000 + 100 * level) for level in picture().tobytes())
        assert codes.read(encode(Image.frombytes(mode, picture().size, grey))) == [LINK]
    else:
        assert codes.read(encode(picture().convert(mode))) == [LINK]


def test_black_on_nothing_is_black_on_white() -> None:
    clear = Image.new("RGBA", picture().size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=picture().point(lambda level: 255 - level))
    assert codes.read(encode(clear)) == [LINK]
    assert codes.read(encode(clear.convert("P"))) == [LINK]


def test_inverted_as_dark_mode_shows_it() -> None:
    assert codes.read(encode(picture().point(lambda level: 255 - level))) == [LINK]


def test_jpeg_and_webp() -> None:
    assert codes.read(encode(picture().convert("RGB"), "JPEG", quality=40)) == [LINK]
    assert codes.read(encode(picture().convert("CMYK"), "JPEG", quality=70)) == [LINK]
    assert codes.read(encode(picture().convert("RGB"), "WEBP", quality=40)) == [LINK]


def _screenshot(scale: int = 4, size: tuple[int, int] = (1280, 900)) -> Image.Image:
    """A page with text, boxes and lines around a code."""
    page = Image.new("RGB", size, (245, 244, 240))
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, size[0], 60), fill=(20, 60, 50))
    for line in range(30):
        draw.text(
            (20 + line % 7 * 150, 80 + line * 26), "Boulangerie du Marche 12,50 EUR payé à 14:02", fill=(30, 30, 30)
        )
    for box in range(8):
        draw.rectangle((30 + 110 * box, 780, 120 + 110 * box, 860), outline=(0, 0, 0), width=3)
    code = picture(LINK, scale).convert("RGB")
    page.paste(code, ((size[0] - code.width) // 2, (size[1] - code.height) // 2 - 20))
    return page


def test_from_within_a_screenshot() -> None:
    assert codes.read(encode(_screenshot())) == [LINK]
    assert codes.read(encode(_screenshot(10, (2560, 1600)))) == [LINK]
    assert codes.read(encode(_screenshot().resize((1920, 1350), Image.Resampling.BICUBIC), "JPEG", quality=75)) == [
        LINK
    ]


@pytest.mark.parametrize("angle", [2, 7, -12, 45, 90, 180, 271])
def test_rotated(angle: int) -> None:
    assert codes.read(encode(_screenshot().rotate(angle, Image.Resampling.BICUBIC, expand=True))) == [LINK]


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.4])
def test_blurred_at_four_pixels_a_module(radius: float) -> None:
    assert codes.read(encode(_screenshot().filter(ImageFilter.GaussianBlur(radius)))) == [LINK]


def test_photographed_a_little_askew() -> None:
    page = _screenshot(5)
    seen = page.transform(
        page.size, Image.Transform.QUAD, (30, 20, 0, 890, 1270, 860, 1230, 0), Image.Resampling.BICUBIC
    )
    assert codes.read(encode(seen.filter(ImageFilter.GaussianBlur(0.8)), "JPEG", quality=80)) == [LINK]


@pytest.mark.parametrize("pixels", [1.5, 2.0, 2.6, 3.3])
def test_thumbnails(pixels: float) -> None:
    size = int(57 * pixels)
    assert codes.read(encode(picture(LINK, 16).resize((size, size), Image.Resampling.BILINEAR))) == [LINK]


def test_several_codes_from_top_to_bottom_each_once() -> None:
    page = Image.new("L", (900, 900), 255)
    page.paste(picture(OTHER), (20, 20))
    page.paste(picture(LINK), (450, 300))
    page.paste(picture(OTHER), (20, 640))
    assert codes.read(encode(page)) == [OTHER, LINK]


@pytest.mark.parametrize(
    "image",
    [
        encode(Image.new("L", (300, 300), 255)),
        encode(Image.effect_noise((300, 300), 90)),
        encode(Image.new("RGBA", (1, 1))),
        encode(picture().crop((0, 0, 140, 228))),
    ],
    ids=["white", "noise", "one pixel", "half a code"],
)
def test_no_code(image: bytes) -> None:
    with pytest.raises(CodeNotFound) as error:
        codes.read(image)
    assert error.value.code == "code_not_found"


def test_a_bar_code_is_no_qr_code() -> None:
    import zxingcpp

    drawn: Any = zxingcpp.create_barcode("PATARD", zxingcpp.BarcodeFormat.Code128).to_image(scale=3)
    image = Image.frombytes("L", drawn.shape[::-1], bytes(memoryview(drawn)))
    with pytest.raises(CodeNotFound):
        codes.read(encode(image))


# --- hostile files ---


def _png_of(width: int, height: int, data: bytes) -> bytes:
    """A PNG that claims a size, with whatever data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(7072, 7072), (20_000, 20_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1)])
def test_too_many_pixels_are_refused_before_they_are_unpacked(width: int, height: int) -> None:
    with pytest.raises(CodeError) as error:
        codes.read(_png_of(width, height, zlib.compress(bytes(1000))))
    assert error.value.code == "image_too_large"


def test_a_bomb_in_truth() -> None:
    bomb = _png_of(30_000, 30_000, zlib.compress(bytes(50_000_000), 9))
    assert len(bomb) < 100_000
    with pytest.raises(CodeError) as error:
        codes.read(bomb)
    assert error.value.code == "image_too_large"


def test_too_many_bytes() -> None:
    with pytest.raises(CodeError) as error:
        codes.read(codes.png(LINK) + bytes(codes.MAX_IMAGE_BYTES))
    assert error.value.code == "image_too_large"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"not a picture",
        LINK.encode(),
        codes.svg(LINK).encode(),
        b"%PDF-1.7 ...",
        b"\xff\xd8\xff\xe0" + bytes(100),
        encode(picture(), "GIF"),
        encode(picture(), "BMP"),
        _png_of(10, 10, b"no zlib"),
        _png_of(0, 0, zlib.compress(b"")),
    ],
)
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(CodeError) as error:
        codes.read(data)
    assert error.value.code == "image_unreadable"
    assert "picture" in str(error.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_cut_files_give_a_named_error_or_a_right_answer(kind: str) -> None:
    whole = encode(picture().convert("RGB"), kind)
    for end in range(0, len(whole), max(1, len(whole) // 60)):
        try:
            assert codes.read(whole[:end]) == [LINK]
        except CodeError as error:
            assert error.code in ("image_unreadable", "code_not_found")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_never_surprise(data: st.DataObject) -> None:
    whole = bytearray(encode(picture(LINK, 2).convert("L"), data.draw(st.sampled_from(["PNG", "JPEG", "WEBP"]))))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert codes.read(bytes(whole))
    except CodeError:
        pass


def test_a_picture_that_is_too_long_says_so() -> None:
    """As damaged headers make them: the reader takes 65,535 pixels a side, and three times the picture at most."""
    for size in ((20_001, 2), (2, 20_001)):
        kept = io.BytesIO()
        Image.new("L", size).save(kept, "PNG")
        with pytest.raises(codes.CodeError) as caught:
            codes.read(kept.getvalue())
        assert caught.value.code == "image_too_large"
