"""What a stranger meets first: the README's pictures and links are there, its plot is that of the figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import plot

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURES = ("till", "wallet", "reserve")


def test_the_plot_is_that_of_the_figures() -> None:
    for path, text in plot.drawn().items():
        assert path.read_text(encoding="utf-8") == text, f"older than the figures: {path.name}"


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_in_light_and_dark_are_small_and_shown(name: str) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        path = ROOT / "tests" / "pictures" / f"{name}-{scheme}.png"
        assert path.stat().st_size < 60_000
        with Image.open(path) as picture:
            assert picture.width <= 1_000
            shades[scheme] = sum(picture.convert("L").resize((16, 16)).getdata()) / 256
        assert f"tests/pictures/{path.name}" in README
    assert shades["dark"] < 90 < shades["light"]


def test_every_link_and_picture_of_the_front_pages_is_there() -> None:
    for page in (ROOT / "README.md", ROOT / "ledger" / "currency" / "audit" / "TRUST.md"):
        text = page.read_text(encoding="utf-8")
        found = re.findall(r"\]\(([^)#\s]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
        assert found
        for link in found:
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
