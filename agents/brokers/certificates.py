"""Certificates for servers of our own on the loopback, made by OpenSSL when they are needed and valid for two days."""

import shutil
import subprocess
from pathlib import Path

from agents.brokers.process import BrokerError

DAYS = 2
TIMEOUT_S = 30
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """A certificate authority in a folder of its own. `cafile` is what a client trusts."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        """Make it. Raises BrokerError where OpenSSL is missing or fails."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.cafile = folder / "ca.pem"
        self._key = folder / "ca.key"
        _openssl(
            self._key, self.cafile, name, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"
        )

    def issue(self, name: str) -> Path:
        """A PEM file with key and certificate of a server or client on 127.0.0.1, whose common name is `name`."""
        key, certificate = self._folder / f"{name}.key", self._folder / f"{name}.crt"
        extensions = (
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=critical,digitalSignature",
            "extendedKeyUsage=serverAuth,clientAuth",
        )
        _openssl(key, certificate, name, *extensions, signed_by=(self.cafile, self._key))
        both = self._folder / f"{name}.pem"
        both.touch(mode=0o600)
        both.write_text(key.read_text() + certificate.read_text() + self.cafile.read_text())
        return both


def _openssl(
    key: Path, certificate: Path, name: str, *extensions: str, signed_by: tuple[Path, Path] | None = None
) -> None:
    program = shutil.which("openssl")
    if program is None:
        raise BrokerError("certificates are made by OpenSSL 3, which is not here (Debian: apt-get install openssl)")
    command = [program, "req", "-x509", *_KEY, "-days", str(DAYS), "-subj", f"/CN={name}"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    for extension in extensions:
        command += ["-addext", extension]
    if signed_by:
        command += ["-CA", str(signed_by[0]), "-CAkey", str(signed_by[1])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise BrokerError(f"OpenSSL made no certificate for {name}: {done.stderr.strip()[-300:]}")
