"""Bugs, planted one at a time: does a test turn red for each?

    make planted                         # all of them; prints the count, fails when one stays unseen
    .venv/bin/python -m tests.planted limit floor      # those whose name holds a word
    .venv/bin/python -m tests.planted --list

Each (`tests/bugs` holds them) is a substitution in the source, made in a copy of the tree in a temporary folder, where
the tests that ought to notice are run. First the copy is tested as it is: a test that is red anyway sees nothing.
`tests/test_planted.py` holds that every substitution still fits the source, so that this script cannot rot.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from tests.bugs import Bug, every

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("ledger", "merchants", "api", "wallet_cli", "tests", "pyproject.toml")
SECONDS = 900
"""A test that hangs has noticed too; but it should not take all day."""


BUGS = every()


class Outcome(NamedTuple):
    """What became of one bug: `red` (seen), `green` (unseen), or what went wrong with the try itself."""

    bug: Bug
    colour: str
    seconds: float
    said: str


def plant(tree: Path, one: Bug) -> dict[Path, str]:
    """Make the substitutions in `tree`; the files as they were. Raises ValueError where the text is not there once."""
    before: dict[Path, str] = {}
    for name, old, new in one.edits:
        path = tree / name
        text = path.read_text()
        before.setdefault(path, text)
        if text.count(old) != 1:
            raise ValueError(f"{one.name}: {old!r} stands {text.count(old)} times in {name}")
        path.write_text(text.replace(old, new))
    return before


def copy_of_the_tree(folder: Path) -> Path:
    """A copy of the sources and tests in `folder`."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def run_tests(tree: Path, arguments: str) -> tuple[int | None, str]:
    """pytest's exit code in `tree` (None: it hung) and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:cacheprovider", *shlex.split(arguments)],
        cwd=tree,
        # Compiled files are recognised by second and size, which a substitution may leave as they are.
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
        return process.returncode, said
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        return None, said


def try_one(one: Bug, trees: SimpleQueue[Path]) -> Outcome:
    """Plant one bug in a free copy and run its tests."""
    tree, began = trees.get(), time.monotonic()
    try:
        before = plant(tree, one)
        try:
            code, said = run_tests(tree, one.tests)
        finally:
            for path, text in before.items():
                path.write_text(text)
        # 1: tests failed. Anything else (nothing collected, a syntax error) would be the plant's own mistake.
        colour = {1: "red", 0: "green", None: "red (hangs)"}.get(code, f"pytest ended with {code}")
        return Outcome(one, colour, time.monotonic() - began, said)
    finally:
        trees.put(tree)


def choose(words: Sequence[str]) -> list[Bug]:
    """The bugs whose name holds one of the words; all without any."""
    return [one for one in BUGS if not words or any(word.lower() in one.name.lower() for word in words)]


def clean_first(chosen: list[Bug], trees: SimpleQueue[Path], jobs: int) -> list[Outcome]:
    """Run the same tests without any bug; those outcomes that are not green."""
    files = sorted({word for one in chosen for word in shlex.split(one.tests) if word.startswith("tests/")})
    runs = [Bug("no bug", " ".join(files[number::jobs]), ()) for number in range(min(jobs, len(files)))]
    with ThreadPoolExecutor(jobs) as pool:
        return [o for o in pool.map(lambda one: try_one(one, trees), runs) if o.colour != "green"]


def main() -> int:
    """Try the bugs and print what became of each."""
    parser = argparse.ArgumentParser(prog="tests.planted", description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("words", nargs="*", help="only bugs whose name holds one of these")
    parser.add_argument("--list", action="store_true", help="say which bugs there are")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at once")
    parser.add_argument("--trust", action="store_true", help="do not run the tests without a bug first")
    given = parser.parse_args()
    chosen = choose(given.words)
    if given.list:
        print("\n".join(one.name for one in chosen))
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="patard-planted-") as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(given.jobs):
            tree = Path(folder) / str(number)
            tree.mkdir()
            trees.put(copy_of_the_tree(tree))
        os.chmod(folder, 0o755)
        for outcome in clean_first(chosen, trees, given.jobs) if not given.trust else []:
            print(f"Red without any bug: pytest {outcome.bug.tests}\n{outcome.said[-2_000:]}")
            return 2
        unseen = []
        with ThreadPoolExecutor(given.jobs) as pool:
            for outcome in pool.map(lambda one: try_one(one, trees), chosen):
                print(f"{outcome.colour:<12}{outcome.seconds:6.1f} s  {outcome.bug.name}", flush=True)
                if not outcome.colour.startswith("red"):
                    unseen.append(outcome)
    for outcome in unseen:
        print(f"\n{outcome.bug.name}: {outcome.colour}; ran pytest {outcome.bug.tests}\n{outcome.said[-2_000:]}")
    seen = len(chosen) - len(unseen)
    print(f"{seen} of {len(chosen)} planted bugs turned a test red ({time.monotonic() - began:.0f} s).")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
