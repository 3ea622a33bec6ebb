"""What ships for a server on the internet: a proxy in front of it, a unit for systemd, a bound on connections.

The proxy is a real Caddy with our file. What a machine of tests cannot show is left out: certificates, systemd at work.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.routes.devices import FAILED_JOINS
from ledger.currency.town import Town
from tests import towns
from tests.api.test_live import Listener
from tests.served import Cast, Served, answer, one_time, serving, shown

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "api" / "deploy"
FETCHED = ROOT / ".venv" / "proxy"
EXPOSURE = 20
"""Tenths: what `systemd-analyze security` may say at most; 100 is a service that may do all that its user may."""


def tool(name: str, *places: Path) -> str:
    found = next((str(place) for place in places if place.exists()), None) or shutil.which(name)
    if found is None and os.environ.get("PATARD_REQUIRE_CHECKERS") == "1":
        pytest.fail(f"{name} is required here and cannot be had")
    if found is None:
        pytest.skip(f"no {name} here")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def proxied(town: Town, people: Cast, tmp_path: Path) -> Iterator[str]:
    """The town behind Caddy; the address that the world sees."""
    caddy = tool("caddy", FETCHED / "usr" / "bin" / "caddy")
    with serving(town) as server:
        site = f"http://127.0.0.1:{free_port()}"
        env = {
            **os.environ, "PATARD_SITE": site, "PATARD_SERVER": server.removeprefix("http://"), "HOME": str(tmp_path),
            "XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "CADDY_ADMIN": f"127.0.0.1:{free_port()}",
        }  # fmt: skip
        run = [caddy, "run", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"]
        with (
            (tmp_path / "caddy.log").open("wb") as log,
            subprocess.Popen(run, env=env, stdout=log, stderr=log) as proxy,
        ):
            try:
                for _ in range(100):
                    try:
                        httpx.get(site + "/health")
                        break
                    except httpx.ConnectError:
                        assert proxy.poll() is None, (tmp_path / "caddy.log").read_text()
                        time.sleep(0.1)
                yield site
            finally:
                proxy.terminate()
                proxy.wait(20)


def test_pages_pass_as_they_are(proxied: str) -> None:
    page = httpx.get(proxied + "/till")
    assert page.status_code == 200 and "default-src 'none'" in page.headers["content-security-policy"]
    style = httpx.get(proxied + "/static/base.css")
    assert style.status_code == 200 and style.headers["etag"]
    assert httpx.get(proxied + "/static/base.css", headers={"If-None-Match": style.headers["etag"]}).status_code == 304


def test_a_payment_is_told_at_once(proxied: str, town: Town, people: Cast) -> None:
    with httpx.Client(base_url=proxied) as client:
        api = Served(town, client)
        listener = Listener(proxied, shown(people.shop), api.session(people.cashier))
        try:
            asked = one_time(town, people.shop, 420)
            began = time.monotonic()
            assert api.send(answer(town, people.alice, asked), asked).status_code == 201
            assert listener.next(5).at - began < 5
        finally:
            listener.hang_up()


def test_bodies_are_bounded_and_statements_may_be_large(proxied: str) -> None:
    many, statement = b'{"x":"' + b"x" * 20_000 + b'"}', b"x" * 1_000_000
    assert [httpx.post(proxied + "/v1/joins", content=many).status_code for _ in range(10)] == [413] * 10
    let = httpx.post(proxied + "/v1/bank/imports", content=statement, timeout=30)
    assert let.headers["content-type"] == "application/problem+json" and let.status_code != 413


def test_who_asks_is_told_by_the_proxy_alone(proxied: str, town: Town, people: Cast) -> None:
    """Wrong join codes are counted by address: one that a client claims for itself is not believed."""
    key = towns.key_of("somebody")
    codes = []
    for number in range(FAILED_JOINS.tries + 1):
        claimed = {"X-Forwarded-For": f"192.0.2.{number}", "Forwarded": f"for=192.0.2.{number}"}
        with httpx.Client(base_url=proxied, headers=claimed) as client:
            codes.append(Served(town, client).join(f"AAAAA-AAA{number:02}", key).json()["code"])
    assert codes == ["join_code_invalid"] * FAILED_JOINS.tries + ["rate_limited"], codes


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd here")
    text = (DEPLOY / "patard.service").read_text()
    assert "KillSignal=SIGINT" in text  # what leaves one whole book.db
    unit = tmp_path / "patard.service"
    unit.write_text(text.replace("/srv/patard/.venv/bin/patard", sys.executable))
    for arguments in (("verify",), ("security", "--offline=true", f"--threshold={EXPOSURE}")):
        ran = subprocess.run([analyze, *arguments, str(unit)], capture_output=True, text=True)
        said = [line for line in (ran.stdout + ran.stderr).splitlines() if unit.name in line]
        assert ran.returncode == 0, said
        assert arguments[0] != "verify" or not said, said


def test_the_bounds_on_connections_are_rules_that_the_kernel_takes() -> None:
    nft = tool("nft", FETCHED / "usr" / "sbin" / "nft")
    env = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, (FETCHED / "usr" / "lib").glob("*-linux-gnu")))}
    ran = subprocess.run([nft, "-c", "-f", str(DEPLOY / "nftables.conf")], capture_output=True, text=True, env=env)
    if "Operation not permitted" in ran.stderr:
        pytest.skip("only root may ask the kernel")
    assert ran.returncode == 0, ran.stderr
