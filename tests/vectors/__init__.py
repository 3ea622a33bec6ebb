"""Fixed inputs and their one right output, as data: the browser's code is tested against the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def messages() -> dict[str, Any]:
    """The contents of ``messages.json``."""
    loaded: dict[str, Any] = json.loads((Path(__file__).parent / "messages.json").read_text(encoding="utf-8"))
    return loaded
