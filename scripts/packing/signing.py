"""Signatures of a feed. opkg wants those of usign (Ed25519), apk-tools those inside an ADB file (ECDSA, prime256v1).

Keys are PEM files made by `openssl genpkey`; which package manager one is for follows from its kind. `openssl` signs;
a key that has a passphrase is opened with the one in WANSPLIT_KEY_PASSPHRASE.
"""

import base64
import hashlib
import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .trouble import Trouble

PASSPHRASE = "WANSPLIT_KEY_PASSPHRASE"

# How a public key in DER begins; the key itself follows.
_ED25519 = bytes.fromhex("302a300506032b6570032100")
_PRIME256V1 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")

_SHA512 = 4  # apk-tools' number for it


@dataclass(frozen=True)
class OpkgKey:
    """Signs as usign does (the format of OpenBSD's signify)."""

    path: Path
    public: bytes

    @property
    def fingerprint(self) -> bytes:
        """usign makes it up when it makes the key, and only ever compares it; here it follows from the key."""
        return hashlib.sha256(self.public).digest()[:8]

    def sign(self, message: bytes) -> bytes:
        # Ed25519 reads its message twice, so openssl wants a file.
        with tempfile.NamedTemporaryFile() as file:
            file.write(message)
            file.flush()
            signature = _openssl(
                "pkeyutl", "-sign", "-rawin", "-inkey", str(self.path), "-in", file.name, key=self.path
            )
        return self._text(f"signed by key {self.fingerprint.hex()}", signature)

    def public_file(self) -> tuple[str, bytes]:
        """The name it must have below /etc/opkg/keys, and its content."""
        name = self.fingerprint.hex()
        return name, self._text(f"public key {name}", self.public)

    def _text(self, comment: str, data: bytes) -> bytes:
        return b"untrusted comment: %s\n%s\n" % (comment.encode(), base64.b64encode(b"Ed" + self.fingerprint + data))


@dataclass(frozen=True)
class ApkKey:
    """Signs as `apk adbsign` does (adb_sign_v0 in apk-tools' adb.h)."""

    path: Path
    public: bytes  # the point, uncompressed
    pem: bytes

    @property
    def identity(self) -> bytes:
        return hashlib.sha512(self.public).digest()[:16]

    def sign(self, schema: bytes, payload: bytes) -> bytes:
        """The payload of a signature block for an ADB block's payload."""
        header = struct.pack("<BB", 0, _SHA512) + self.identity
        message = schema + header + hashlib.sha512(payload).digest()
        return header + _openssl("dgst", "-sha512", "-sign", str(self.path), key=self.path, message=message)

    def public_file(self) -> tuple[str, bytes]:
        """A name for below /etc/apk/keys that no other key has, and its content."""
        return f"wansplit-{self.identity[:4].hex()}.pem", self.pem


def load(paths: list[Path]) -> tuple[OpkgKey | None, ApkKey | None]:
    """At most one key for each package manager."""
    opkg, apk = None, None
    for path in paths:
        if not path.is_file():
            raise Trouble(f"--sign-key {path}: there is no such file")
        public = _openssl("pkey", "-in", str(path), "-pubout", "-outform", "DER", key=path)
        if public.startswith(_ED25519) and opkg is None:
            opkg = OpkgKey(path, public[len(_ED25519) :])
        elif public.startswith(_PRIME256V1) and apk is None:
            pem = _openssl("pkey", "-in", str(path), "-pubout", key=path)
            apk = ApkKey(path, public[len(_PRIME256V1) :], pem)
        elif public.startswith((_ED25519, _PRIME256V1)):
            raise Trouble(f"--sign-key {path}: a second key of its kind; give one Ed25519 key and one of prime256v1")
        else:
            raise Trouble(
                f"--sign-key {path}: it must be an Ed25519 key (opkg) or one of prime256v1 (apk); see docs/feed.md"
            )
    return opkg, apk


def _openssl(command: str, *arguments: str, key: Path, message: bytes = b"") -> bytes:
    passphrase = ["-passin", f"env:{PASSPHRASE}"] if PASSPHRASE in os.environ else ["-passin", "pass:"]
    try:
        done = subprocess.run(["openssl", command, *arguments, *passphrase], input=message, capture_output=True)
    except FileNotFoundError:
        raise Trouble("openssl is not there: signing needs it (Debian: apt-get install openssl)") from None
    if done.returncode != 0:
        why = done.stderr.decode(errors="replace").strip()
        raise Trouble(f"--sign-key {key}: openssl {command} failed (a passphrase belongs into {PASSPHRASE}):\n{why}")
    return done.stdout
