"""What others wait for a balance while one member has a hundred devices, each with eight screens open.

    .venv/bin/python -m benchmarks.devices [DEVICES] [STREAMS] [SECONDS]

Another member asks for a balance again and again, first alone, then while the first one's account pays some times a
second, then while all the screens show that account besides. Prints the median and the slowest of each, in
milliseconds, twice: with the caps of `ledger.currency.caps` lifted, so that all screens stay open, and with them as
they are. The server, the screens and whoever asks are processes of their own.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAYMENTS = 5
"""A second."""
LIFTED = 1_000_000


def main() -> None:
    """Make a town, and measure."""
    devices, streams, seconds = (int(arg) for arg in (*sys.argv[1:], *("100", "8", "8")[len(sys.argv) - 1 :]))
    print(f"{devices} devices with {streams} screens each, {PAYMENTS} payments a second")
    for lifted in (True, False):
        print("caps lifted" if lifted else "caps as they are")
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder) / "home", devices, streams, seconds, lifted)


def measure(home: Path, devices: int, streams: int, seconds: int, lifted: bool) -> None:
    """Print what the asking takes."""
    account, tokens, other, orders = town(home, devices, PAYMENTS * seconds * 4)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "benchmarks.devices", "serve", str(home), str(port), "lifted" if lifted else ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None and server.stdout.readline()
            quiet = ask(port, *other, seconds)
            show("alone", quiet)
            with paying(port, orders):
                show("payments", ask(port, *other, seconds), quiet)
            heard = multiprocessing.Value("q", 0)
            opened = multiprocessing.Event()
            every = [token for token in tokens for _ in range(streams)]
            screens = multiprocessing.Process(target=listen, args=(port, account, every, opened, heard), daemon=True)
            screens.start()
            assert opened.wait(300), "the screens were not opened"
            with paying(port, orders):
                time.sleep(1)
                before, began = heard.value, time.monotonic()
                show("payments, screens", ask(port, *other, seconds), quiet)
                told = (heard.value - before) / (time.monotonic() - began)
            print(f"    {told:7.0f} entries told a second")
            screens.terminate()
            screens.join()
        finally:
            server.kill()


def show(what: str, waits: list[float], quiet: list[float] | None = None) -> None:
    """One line."""
    median = statistics.median(waits)
    times = f"{median / statistics.median(quiet):6.2f} times" if quiet else ""
    print(
        f"    {what:<20} median {median:8.2f} ms, slowest {max(waits):8.1f} ms, {len(waits):5} asked {times}",
        flush=True,
    )


def town(home: Path, devices: int, payments: int) -> tuple[str, list[str], tuple[str, str], list[str]]:
    """An account, a token for each of its devices, another member's account and token, and orders of the first."""
    from api.home import found_home
    from ledger.core.ids import account_text
    from ledger.currency import conversion, parties, proofs
    from ledger.currency.keys import PrivateKey
    from ledger.currency.sessions import Sessions
    from tests import towns

    lift()
    made = found_home(home, towns.charter())
    alice = towns.member(made, "person", "Alice")
    bob = towns.member(made, "person", "Bob")
    conversion.convert(made, alice.party, 10_000_000, reserve=towns.BANK, reference="S-1")
    sessions = Sessions(made)

    def token(key: PrivateKey) -> str:
        challenge, _ = sessions.challenge()
        signature = proofs.sign_session(key, made.charter.network, challenge)
        return sessions.open(key.public, challenge, signature).token

    keys = [towns.key_of(f"device {number}") for number in range(devices)]
    for number, key in enumerate(keys):
        parties.join(made, parties.invite(made, alice.party, "member"), key.public, f"device {number}")
    tokens = [token(key) for key in keys]
    orders = [towns.order(made, alice, bob.account, 1, seconds=3_000).text for _ in range(payments)]
    other = account_text(bob.account), token(bob.key)
    made.book.close()
    return account_text(alice.account), tokens, other, orders


def lift() -> None:
    """Lift the caps of this process, where the program has any."""
    try:
        from ledger.currency import caps
    except ImportError:
        return
    caps.OFFICE = caps.OTHERS = caps.Caps(LIFTED, LIFTED, LIFTED)
    caps.STREAMS_PER_PARTY = caps.STREAMS = LIFTED


def serve(home: str, port: int, lifted: bool) -> None:
    """The server, until it is killed."""
    if lifted:
        lift()
    from api.home import open_town
    from api.server import serve

    serve(open_town(home), "127.0.0.1", port, ready=lambda: print("ready", flush=True))


def ask(port: int, account: str, token: str, seconds: int) -> list[float]:
    """How long each balance took, in milliseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    waits: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        connection.request("GET", f"/v1/accounts/{account}", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        assert answer.read() and answer.status == 200, answer.status
        waits.append((time.perf_counter() - began) * 1_000)
        time.sleep(0.005)
    return waits


@contextmanager
def paying(port: int, orders: list[str]) -> Iterator[None]:
    """Orders are sent meanwhile."""
    stop = threading.Event()
    thread = threading.Thread(target=pay, args=(port, orders, stop))
    thread.start()
    yield
    stop.set()
    thread.join()


def pay(port: int, orders: list[str], stop: threading.Event) -> None:
    """Send orders, one after another."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while not stop.wait(1 / PAYMENTS):
        connection.request(
            "POST", "/v1/payments", json.dumps({"order": orders.pop()}), {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        assert answer.read() and answer.status == 201, answer.status


def listen(port: int, account: str, tokens: list[str], opened: object, heard: object) -> None:
    """Keep a screen open for each token, and count what they are told."""
    asyncio.run(_listen(port, account, tokens, opened, heard))


async def _listen(port: int, account: str, tokens: list[str], opened: object, heard: object) -> None:
    async def screen(token: str) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET /v1/accounts/{account}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        await reader.readuntil(b": connected")
        _open.append(writer)
        return reader

    async def count(reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65_536):
            heard.value += data.count(b"event: entry")  # type: ignore[attr-defined]

    readers = []
    for start in range(0, len(tokens), 20):
        readers += await asyncio.gather(*map(screen, tokens[start : start + 20]))
    opened.set()  # type: ignore[attr-defined]
    await asyncio.gather(*map(count, readers), return_exceptions=True)


_open: list[asyncio.StreamWriter] = []

if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]), bool(sys.argv[4]))
    else:
        main()
