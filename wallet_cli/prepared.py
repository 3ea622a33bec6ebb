"""A wallet whose key was registered before the wallet was made: that of the demo. Run as a program of its own.

    python -m wallet_cli.prepared FOLDER < {"seed": HEX, "passphrase": TEXT, "settings": {...}}

`settings` are those of `home.Settings`, but for the key, which follows from the seed. Only for keys that are worth
nothing: this one has passed through a pipe.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.currency.keys import PrivateKey
from wallet_cli import files, keyfile
from wallet_cli.home import Home, Settings


def prepare(folder: Path, seed: bytes, passphrase: str, settings: dict[str, Any]) -> Settings:
    """Make the wallet of the key `seed` in `folder`, which must hold none."""
    home = Home(folder)
    home.make()
    key = PrivateKey.from_seed(seed)
    made = Settings(**settings, key=key.public.hex(), protected=True, pinned_at=datetime.now(UTC).isoformat())
    files.write(home.key_file, keyfile.seal(seed, passphrase), overwrite=False)
    home.save(made)
    return made


if __name__ == "__main__":
    given = json.load(sys.stdin)
    prepare(Path(sys.argv[1]), bytes.fromhex(given["seed"]), given["passphrase"], given["settings"])
