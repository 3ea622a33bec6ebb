"""The server that the HTTP benchmark loads: the shipped application, and one empty route beside it.

Run as `python -m benchmarks.http_server HOME PORT`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from api.app import create_app
from api.home import open_town


def main() -> None:
    """Serve until killed."""
    town = open_town(Path(sys.argv[1]))
    app = create_app(town)

    @app.get("/empty")
    async def empty() -> dict[str, str]:
        return {}

    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
