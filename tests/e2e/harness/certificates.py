"""Certificates as operators have them, made with the openssl command."""

import subprocess
import time
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


DAY_S = 86_400
KEYS = {
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa": ["-newkey", "rsa:2048"],
}


def of_the_guide(folder: Path) -> Pair:
    """The command of the node runners' guide for secure WebSockets, with every question answered by Enter."""
    key, cert = folder / "selfsigned.key", folder / "selfsigned.crt"
    openssl(
        "req", "-x509", "-nodes", "-days", "365", "-newkey", "rsa:2048", "-keyout", key, "-out", cert, stdin=b"\n" * 10
    )
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


def sign(folder: Path, label: str, by: str, starts_s: int, lasts_s: int, extensions: str = "") -> Path:
    """LABEL.csr signed with BY.key, by BY.crt or by itself where both are the same; from `starts_s` after now on.

    With `openssl ca`, since older versions can set the dates in no other way.
    """
    (folder / f"{label}.index").write_text("")
    (folder / f"{label}.index.attr").write_text("")
    config, cert = folder / f"{label}.cnf", folder / f"{label}.crt"
    config.write_text(
        f"[ca]\ndefault_ca=here\n[here]\ndatabase={folder}/{label}.index\nnew_certs_dir={folder}\nrand_serial=yes\n"
        f"default_md=sha256\npolicy=any\nx509_extensions=ext\n[any]\ncommonName=supplied\n[ext]\n{extensions}\n"
    )
    start, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + t)) for t in (starts_s, starts_s + lasts_s))
    signer = ["-selfsign"] if by == label else ["-cert", folder / f"{by}.crt"]
    openssl(
        *("ca", "-config", config, "-batch", "-notext", "-keyfile", folder / f"{by}.key", *signer),
        *("-in", folder / f"{label}.csr", "-out", cert, "-startdate", start, "-enddate", end),
    )
    return cert


def expired(folder: Path) -> Pair:
    """Self-signed for localhost, and out of date since yesterday."""
    pair = self_signed(folder, "localhost", label="expired")
    openssl("req", "-new", "-key", pair.key, "-out", folder / "expired.csr", "-subj", "/CN=localhost")
    sign(folder, "expired", "expired", -30 * DAY_S, 29 * DAY_S)
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
        self._sign(
            "intermediate",
            "/CN=Test Intermediate",
            "ec",
            "root",
            "basicConstraints=critical,CA:TRUE\n"
            "keyUsage=critical,keyCertSign,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid",
        )

    def _sign(self, label: str, subject: str, kind: str, by: str, extensions: str) -> None:
        """Valid from an hour ago, as public authorities do it for clocks that are behind."""
        key, request = self.folder / f"{label}.key", self.folder / f"{label}.csr"
        openssl("req", "-new", "-nodes", *KEYS[kind], "-keyout", key, "-out", request, "-subj", subject)
        sign(self.folder, label, by, -3600, 20 * DAY_S, extensions)

    def issue(self, *names: str, kind: str = "ec") -> Pair:
        label = f"{names[0].replace('*', 'any')}-{kind}"
        alternatives = ",".join("DNS:" + name for name in names)
        self._sign(
            label,
            f"/CN={names[0]}",
            kind,
            "intermediate",
            f"subjectAltName={alternatives}\n"
            "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n"
            "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid",
        )
        home = self.folder / label
        home.mkdir(exist_ok=True)
        chain = home / "fullchain.pem"
        chain.write_text((self.folder / f"{label}.crt").read_text() + (self.folder / "intermediate.crt").read_text())
        (home / "privkey.pem").write_text((self.folder / f"{label}.key").read_text())
        return Pair(chain, home / "privkey.pem", self.root)

    def ocsp(self, pair: Pair, delegated: bool = False) -> Path:
        """A "good" answer for the leaf in DER: of the issuer itself, or of a responder that the issuer appointed.

        As authorities make them: the issuer's own certificate is not in it, a responder's has to be.
        """
        issuer = self.folder / "intermediate"
        signer = issuer
        if delegated:
            signer = self.folder / "responder"
            self._sign(
                "responder",
                "/CN=Test Responder",
                "ec",
                "intermediate",
                "basicConstraints=CA:FALSE\n"
                "keyUsage=digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=yes\n"
                "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid",
            )
        index, request = self.folder / "index.txt", self.folder / "ocsp.req"
        answer = pair.cert.parent / f"ocsp-{signer.name}.der"
        serial = openssl("x509", "-in", pair.cert, "-noout", "-serial").decode().strip().partition("=")[2]
        index.write_text(f"V\t401231235959Z\t\t{serial}\tunknown\t/CN=leaf\n")
        (self.folder / "index.txt.attr").write_text("unique_subject = no\n")
        openssl("ocsp", "-issuer", f"{issuer}.crt", "-cert", pair.cert, "-no_nonce", "-reqout", request)
        openssl(
            *("ocsp", "-index", index, "-CA", f"{issuer}.crt", "-rsigner", f"{signer}.crt", "-rkey", f"{signer}.key"),
            *("-reqin", request, "-respout", answer, "-ndays", "7", *([] if delegated else ["-resp_no_certs"])),
        )
        return answer
