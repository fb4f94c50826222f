"""Certificates as operators have them, made with the openssl command."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


def openssl(*arguments, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, f"openssl {' '.join(map(str, arguments))}:\n{done.stderr.decode()}"
    return done.stdout


@dataclass
class Pair:
    """A chain (leaf first) and its key, with what a client must trust to accept it."""

    cert: Path
    key: Path
    ca: Path

    def __iter__(self):
        return iter((self.cert, self.key))


KEYS = {
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa": ["-newkey", "rsa:2048"],
}


def of_the_guide(folder: Path) -> Pair:
    """The command of the node runners' guide for secure WebSockets, with every question answered by Enter."""
    key, cert = folder / "selfsigned.key", folder / "selfsigned.crt"
    openssl("req", "-x509", "-nodes", "-days", "365", "-newkey", "rsa:2048", "-keyout", key, "-out", cert, stdin=b"\n" * 10)
    return Pair(cert, key, cert)


def self_signed(folder: Path, *names: str, kind: str = "ec", label: str = "") -> Pair:
    label = label or f"{names[0].replace('*', 'any')}-{kind}"
    key, cert = folder / f"{label}.key", folder / f"{label}.crt"
    alternatives = ",".join(("IP:" if name[0].isdigit() else "DNS:") + name for name in names)
    openssl(
        *("req", "-x509", "-nodes", "-days", "30", *KEYS[kind], "-keyout", key, "-out", cert),
        *("-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={alternatives}"),
    )
    return Pair(cert, key, cert)


def expired(folder: Path) -> Pair:
    """Self-signed for localhost, and out of date since 2020."""
    pair = self_signed(folder, "localhost", label="expired")
    request, config = folder / "expired.csr", folder / "expired.cnf"
    openssl("req", "-new", "-key", pair.key, "-out", request, "-subj", "/CN=localhost")
    for name in ("expired.index", "expired.index.attr"):
        (folder / name).write_text("")
    config.write_text(
        f"[ca]\ndefault_ca=here\n[here]\ndatabase={folder}/expired.index\nnew_certs_dir={folder}\nrand_serial=yes\n"
        "default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
    )
    openssl(
        *("ca", "-config", config, "-batch", "-selfsign", "-notext", "-keyfile", pair.key, "-in", request, "-out", pair.cert),
        *("-startdate", "20200101000000Z", "-enddate", "20200201000000Z"),
    )
    return pair


class Authority:
    """A root and an intermediate, that sign leaves as a public authority does: fullchain.pem and privkey.pem."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.root = folder / "root.crt"
        openssl(
            *("req", "-x509", "-nodes", "-days", "30", *KEYS["ec"], "-keyout", folder / "root.key", "-out", self.root),
            *("-subj", "/CN=Test Root", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        self._sign("intermediate", "/CN=Test Intermediate", "ec", "root", "basicConstraints=critical,CA:TRUE\n"
                   "keyUsage=critical,keyCertSign,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid")

    def _sign(self, label: str, subject: str, kind: str, by: str, extensions: str) -> None:
        request, text = self.folder / f"{label}.csr", self.folder / f"{label}.ext"
        text.write_text(extensions)
        openssl("req", "-new", "-nodes", *KEYS[kind], "-keyout", self.folder / f"{label}.key", "-out", request, "-subj", subject)
        openssl(
            *("x509", "-req", "-in", request, "-days", "20", "-extfile", text, "-out", self.folder / f"{label}.crt"),
            *("-CA", self.folder / f"{by}.crt", "-CAkey", self.folder / f"{by}.key", "-CAcreateserial"),
        )

    def issue(self, *names: str, kind: str = "ec") -> Pair:
        label = f"{names[0].replace('*', 'any')}-{kind}"
        alternatives = ",".join("DNS:" + name for name in names)
        self._sign(label, f"/CN={names[0]}", kind, "intermediate", f"subjectAltName={alternatives}\n"
                   "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n"
                   "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid")
        home = self.folder / label
        home.mkdir(exist_ok=True)
        chain = home / "fullchain.pem"
        chain.write_text((self.folder / f"{label}.crt").read_text() + (self.folder / "intermediate.crt").read_text())
        (home / "privkey.pem").write_text((self.folder / f"{label}.key").read_text())
        return Pair(chain, home / "privkey.pem", self.root)

    def ocsp(self, pair: Pair) -> Path:
        """A "good" answer for the leaf, signed by the intermediate, in DER."""
        intermediate, answer = self.folder / "intermediate", pair.cert.parent / "ocsp.der"
        index = self.folder / "index.txt"
        serial = openssl("x509", "-in", pair.cert, "-noout", "-serial").decode().strip().partition("=")[2]
        index.write_text(f"V\t401231235959Z\t\t{serial}\tunknown\t/CN=leaf\n")
        (self.folder / "index.txt.attr").write_text("unique_subject = no\n")
        request = self.folder / "ocsp.req"
        openssl("ocsp", "-issuer", f"{intermediate}.crt", "-cert", pair.cert, "-no_nonce", "-reqout", request)
        openssl(
            *("ocsp", "-index", index, "-CA", f"{intermediate}.crt", "-rsigner", f"{intermediate}.crt"),
            *("-rkey", f"{intermediate}.key", "-reqin", request, "-respout", answer, "-ndays", "7"),
        )
        return answer
