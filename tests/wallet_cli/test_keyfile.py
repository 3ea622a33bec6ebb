"""The sealed file: nothing opens it but its passphrase, and nothing in it can be changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from wallet_cli import files, keyfile
from wallet_cli.errors import Exit, WalletError
from wallet_cli.keyfile import PassphraseWrong, SealedFileError

SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def sealed() -> dict[str, Any]:
    """A file with the parameters that are shipped."""
    found: dict[str, Any] = json.loads(keyfile.seal(SECRET, "motdepasse"))
    return found


def written(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


def test_the_form_is_the_documented_one(sealed: dict[str, Any]) -> None:
    assert list(sealed) == ["v", "kdf", "t", "m", "p", "salt", "nonce", "ct"]
    assert (sealed["v"], sealed["kdf"], sealed["t"], sealed["m"], sealed["p"]) == (1, "argon2id", 3, 65_536, 4)
    assert SECRET.hex() not in json.dumps(sealed)
    assert keyfile.unseal(written(sealed), "motdepasse") == SECRET


def test_each_file_has_its_own_salt_and_nonce(sealed: dict[str, Any]) -> None:
    other = json.loads(keyfile.seal(SECRET, "motdepasse"))
    assert all(other[name] != sealed[name] for name in ("salt", "nonce", "ct"))


@pytest.mark.parametrize("passphrase", ["", "motdepass", "motdepasse ", "Motdepasse", "motdepasse\0"])
def test_another_passphrase_opens_nothing(sealed: dict[str, Any], passphrase: str) -> None:
    with pytest.raises(PassphraseWrong):
        keyfile.unseal(written(sealed), passphrase)


def test_an_accent_may_be_typed_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyfile, "MEMORY_KIB", 64)
    assert keyfile.unseal(keyfile.seal(SECRET, "caf\u00e9"), "cafe\u0301") == SECRET


def flipped(text: str) -> str:
    """The same hex with its first bit changed."""
    return f"{int(text[0], 16) ^ 8:x}{text[1:]}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", 2), ("v", 0), ("v", True), ("v", "1"), ("kdf", "argon2i"), ("kdf", "scrypt"), ("kdf", None),
        ("t", 2), ("t", 4), ("t", 0), ("t", 10**9), ("t", 3.0), ("m", 32_768), ("m", 65_537), ("m", 2**40), ("m", 16),
        ("p", 1), ("p", 5), ("p", 0), ("p", 1_000),
        ("salt", flipped), ("salt", ""), ("salt", "zz" * 16), ("salt", lambda text: text.upper()),
        ("salt", lambda text: text + "00"), ("nonce", flipped), ("nonce", lambda text: text[2:]),
        ("ct", flipped), ("ct", lambda text: text[:-2]), ("ct", lambda text: text + "00"), ("ct", ""), ("ct", 7),
    ],
)  # fmt: skip
def test_no_field_can_be_changed(sealed: dict[str, Any], name: str, value: Any) -> None:
    changed = sealed | {name: value(sealed[name]) if callable(value) else value}
    assert written(changed) != written(sealed)
    with pytest.raises((PassphraseWrong, SealedFileError)):
        keyfile.unseal(written(changed), "motdepasse")


def test_every_bit_of_the_ciphertext_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyfile, "MEMORY_KIB", 64)
    monkeypatch.setattr(keyfile, "PASSES", 1)
    fields = json.loads(keyfile.seal(SECRET, "x"))
    raw = bytes.fromhex(fields["ct"])
    for bit in range(0, len(raw) * 8, 7):
        bent = bytearray(raw)
        bent[bit // 8] ^= 1 << bit % 8
        with pytest.raises(PassphraseWrong):
            keyfile.unseal(written(fields | {"ct": bent.hex()}), "x")


@pytest.mark.parametrize("name", ["v", "kdf", "t", "m", "p", "salt", "nonce", "ct"])
def test_no_field_may_be_missing_or_doubled(sealed: dict[str, Any], name: str) -> None:
    with pytest.raises(SealedFileError):
        keyfile.unseal(written({key: value for key, value in sealed.items() if key != name}), "motdepasse")
    twice = written(sealed)[:-1] + f', "{name}": {json.dumps(sealed[name])}}}'.encode()
    with pytest.raises(SealedFileError):
        keyfile.unseal(twice, "motdepasse")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"v":1}', b" " * 2_000_000]
)
def test_what_is_no_sealed_file_is_refused(data: bytes) -> None:
    with pytest.raises(SealedFileError):
        keyfile.unseal(data, "motdepasse")


def test_an_unknown_field_is_refused(sealed: dict[str, Any]) -> None:
    with pytest.raises(SealedFileError):
        keyfile.unseal(written(sealed | {"hint": "it is my cat"}), "motdepasse")


def test_the_layout_of_the_file_may_change(sealed: dict[str, Any]) -> None:
    """Whoever lays the JSON out anew, or sorts it, changes nothing."""
    assert keyfile.unseal(json.dumps(sealed, indent=3, sort_keys=True).encode(), "motdepasse") == SECRET


# --- files -----------------------------------------------------------------------------------------------


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        folder = tmp_path / "a" / "b"
        files.make_folder(folder)
        files.write(folder / "key.json", b"x")
    finally:
        os.umask(old)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "key.json").stat().st_mode & 0o777 == 0o600


def test_an_open_folder_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    files.make_folder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    files.write(tmp_path / "f", b"first", overwrite=False)
    with pytest.raises(FileExistsError):
        files.write(tmp_path / "f", b"second", overwrite=False)
    assert (tmp_path / "f").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(tmp_path / "f", b"first")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WalletError) as caught:
        files.write(tmp_path / "f", b"second")
    assert caught.value.exit_code is Exit.FILES
    assert (tmp_path / "f").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_one_lock_at_a_time(tmp_path: Path) -> None:
    with files.locked(tmp_path), pytest.raises(WalletError) as caught, files.locked(tmp_path, seconds=0.1):
        raise AssertionError
    assert caught.value.exit_code is Exit.LOCKED
    assert str(os.getpid()) in caught.value.message
    with files.locked(tmp_path, seconds=0):
        pass
