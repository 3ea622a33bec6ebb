"""Takes the README's pictures of a demo that it starts and ends.

They are taken in English, beside an English README; each has few colours, so that a clone stays small.
"""

from __future__ import annotations

import html
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
SCHEMES = ("light", "dark")
CHROMIUM = os.environ.get("PATARD_CHROMIUM", "/usr/bin/chromium")
COLOURS = 96
_ANSI = re.compile(r"\x1b\[([0-9;]*)m")
_TERMINAL = """<!doctype html><meta charset="utf-8"><style>
  :root {{ color-scheme: {scheme} }}
  body {{ margin: 0; padding: 24px 28px; background: {back}; color: {front}; width: fit-content;
          font: 15px/1.45 "DejaVu Sans Mono", monospace }}
  pre {{ margin: 0; font: inherit }}  .typed {{ color: {typed} }}
</style><pre>{text}</pre>"""
_COLOURS = {
    "light": {"back": "#fbfaf7", "front": "#24292f", "typed": "#1a6f58"},
    "dark": {"back": "#16191d", "front": "#dfe5ea", "typed": "#6fd3b4"},
}


def demo(folder: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """A demo that runs, and the things to try in it."""
    env = {**os.environ, "PATARD_LANG": "en"}
    program = [str(Path(sys.executable).with_name("patard")), "demo", "--port", "0", "--folder", str(folder / "demo")]
    running = subprocess.Popen(program, env=env, cwd=folder, text=True, stdout=subprocess.PIPE)
    assert running.stdout is not None
    said = []
    for line in running.stdout:
        said.append(line)
        if line.startswith("ready: "):
            return running, json.loads((folder / "demo" / "next.json").read_text())
    raise SystemExit("".join(said))


def keep(page: Page, name: str, **what: Any) -> None:
    """A screenshot of what is seen, under that name."""
    picture = Image.open(io.BytesIO(page.screenshot(**what))).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(HERE / f"{name}.png", optimize=True)


def till(browser: Browser, things: dict[str, Any]) -> None:
    page = browser.new_page(viewport={"width": 900, "height": 640}, locale="en")
    page.goto(things["till_url"] + "?lang=en")
    page.locator("#pair-code").fill(things["pairing_code"])
    page.locator("#pair-label").fill("Counter")
    page.locator("#pair-go").click()
    page.locator("#line[data-up=yes]").wait_for()
    page.keyboard.type("4,20")
    page.keyboard.press("Enter")
    page.locator("#pane-code #qr[data-drawn]").wait_for()
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        keep(page, f"till-{scheme}")


def reserve(browser: Browser, things: dict[str, Any]) -> None:
    page = browser.new_page(viewport={"width": 900, "height": 640})
    page.goto(things["url"] + "/reserve?lang=en")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        keep(page, f"reserve-{scheme}")


def wallet(browser: Browser, folder: Path, things: dict[str, Any]) -> None:
    env = {**os.environ, "PATARD_LANG": "en", "COLUMNS": "80", "NO_COLOR": "1", "WALLET_HOME": things["wallet_home"],
           "WALLET_PASSPHRASE": things["wallet_passphrase"]}  # fmt: skip
    program = str(Path(sys.executable).with_name("wallet"))
    link = things["pay_command"].split(" pay ")[1].split()[0]
    text = []
    for shown, typed in (
        ("wallet balance", ["balance"]),
        ("wallet pay counter.png --amount 4,20 --yes", ["pay", link, "--amount", "4,20", "--yes"]),
        ("wallet history -n 4", ["history", "-n", "4"]),
    ):
        ran = subprocess.run([program, *typed], env=env, cwd=folder, text=True, capture_output=True, check=True)
        said = html.escape(_ANSI.sub("", ran.stdout.rstrip()))
        text.append(f'<span class="typed">$ {shown}</span>\n{said}')
    page = browser.new_page(viewport={"width": 900, "height": 480})
    for scheme in SCHEMES:
        page.set_content(_TERMINAL.format(scheme=scheme, text="\n\n".join(text), **_COLOURS[scheme]))
        size = page.evaluate("[document.body.offsetWidth, document.body.offsetHeight]")
        page.set_viewport_size({"width": max(760, size[0]), "height": size[1]})
        keep(page, f"wallet-{scheme}")


def main() -> None:
    """Take them all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        running, things = demo(folder)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                till(browser, things)
                reserve(browser, things)
                wallet(browser, folder, things)
                browser.close()
        finally:
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=30)


if __name__ == "__main__":
    main()
