"""The help pages of both commands: one mood, whole summaries, and an example wherever there is much to choose from."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from typing import Any, NamedTuple

import pytest
from typer.main import get_command

from api.cli import app as patard
from wallet_cli.main import app as wallet

LANGUAGES = ("fr", "en")
MUCH = 5
"""Options that one chooses from without an example; --help is none."""
INFINITIVE = re.compile(r"[^\W\d_]+(er|ir|re)\b")
# A noun that an imperative could be taken for is none of ours: each of these says what the command does.
IMPERATIVE = re.compile(
    r"(Accept|Admit|Answer|Ask|Change|Check|Close|Collect|Copy|Decide|Draw|End|Enter|Export|Find|Found|Give|Hold|List|"
    r"Make|Move|Pay|Place|Refuse|Say|Serve|Show|Shut|Sign|Strike|Take|Tell|Top|Turn|Undo|Withdraw|Write)\b"
)

DUMP = """
import json
from typer import Context
from typer.main import get_command
from api.cli import app as patard
from wallet_cli.main import app as wallet

def under(words, one):
    commands = getattr(one, "commands", {})
    options = [p.opts[0] for p in one.params if p.param_type_name == "option"]
    listed = one.get_help(Context(one, info_name=words[-1], terminal_width=80, max_content_width=80))
    yield [words, one.help or "", options, one.epilog or "", listed, list(commands)]
    for name, command in commands.items():
        yield from under([*words, name], command)

print(json.dumps([page for name, app in (("patard", patard), ("wallet", wallet)) for page in
                  under([name], get_command(app))]))
"""


class Page(NamedTuple):
    """One command or group: as typed, what its help says, its options, what the help ends with, and all of the help."""

    words: list[str]
    help: str
    options: list[str]
    epilog: str
    whole: str
    commands: list[str]


@cache
def pages(lang: str) -> list[Page]:
    env = {**os.environ, "PATARD_LANG": lang}
    told = subprocess.run([sys.executable, "-c", DUMP], capture_output=True, text=True, env=env, check=True).stdout
    return [Page(*page) for page in json.loads(told)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_command_says_what_it_does(lang: str) -> None:
    found = [page for page in pages(lang) if len(page.words) > 1]
    assert len(found) > 60
    for page in found:
        assert page.help.endswith("."), page.help
        assert (INFINITIVE if lang == "fr" else IMPERATIVE).match(page.help), page.help


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_summary_is_cut_in_a_terminal_of_80_columns(lang: str) -> None:
    for page in pages(lang):
        lines = page.whole.split("\n")
        assert max(map(len, lines)) <= 80, page.words
        for name in page.commands:
            (line,) = [line for line in lines if re.match(rf"  {name}  +\S", line)]
            assert line.rstrip().endswith(".") and not line.rstrip().endswith("..."), line


def test_much_to_choose_from_comes_with_an_example_that_can_be_typed() -> None:
    apps: dict[str, Any] = {"patard": get_command(patard), "wallet": get_command(wallet)}
    shown = {lang: {" ".join(page.words): page for page in pages(lang)} for lang in LANGUAGES}
    seen = 0
    for typed, page in shown["en"].items():
        if page.commands or (len(page.options) <= MUCH and not page.epilog):
            continue
        seen += 1
        assert page.epilog, f"{typed} has {len(page.options)} options and no example"
        line = page.epilog.split("\n")[-1].strip()
        assert line in shown["fr"][typed].epilog
        assert line in " ".join(page.whole.split("\n")) and line.startswith(typed)
        # The parser takes it, every option and value of it; nothing is run.
        command, words = apps[page.words[0]], shlex.split(line)[1:]
        for word in page.words[1:]:
            assert words.pop(0) == word
            command = command.commands[word]
        with command.make_context(page.words[-1], words) as context:
            assert context.params and not context.args
    assert seen >= 9
