# SPDX-License-Identifier: BSD-2-Clause
"""
A throw-away PKI, made by the openssl program: one CA to trust, one nobody trusts, and a leaf for every way in
which a certificate can be wrong. Each leaf lies about one thing only, so that a test knows why it is refused.

NAME.pem holds the leaf with its intermediates, NAME.key its key. Leaves are good for both ends of a
connection unless their name says otherwise. Must not know: nginx, scenarios.
"""
import base64
import dataclasses
import os
import shutil
import subprocess

HOST = "lab.test"
OTHER_HOST = "other.test"
SAN = f"DNS:{HOST},DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1"
BOTH = "serverAuth,clientAuth"
LONG_AGO, YESTERDAY = "20200101000000Z", "20200601000000Z"
FAR, FARTHER = "20480101000000Z", "20491231000000Z"

# RFC 2409, second Oakley group: a safe prime of 1024 bits, which security level 2 refuses.
WEAK_PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF", 16)

CONFIG = """\
[ca]
default_ca = lab
[lab]
database = {dir}/index.txt
new_certs_dir = {dir}/issued
serial = {dir}/serial
rand_serial = yes
crlnumber = {dir}/crlnumber
default_md = sha256
default_days = 3650
default_crl_days = 30
policy = any
unique_subject = no
email_in_dn = no
[any]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
CN = lab
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""

LEAF_SECTION = """\
basicConstraints = CA:FALSE
extendedKeyUsage = {usage}
subjectAltName = {san}
"""


@dataclasses.dataclass(frozen=True)
class Leaf:
    """One certificate: what its name says, and the one thing that is wrong with it."""
    name: str
    key: str = "ec"
    issuer: str = "ca"
    san: str = SAN
    usage: str = BOTH
    start: str = LONG_AGO
    end: str = FARTHER


LEAVES = (
    Leaf("leaf"),
    Leaf("rsa", key="rsa"),
    Leaf("expired", end=YESTERDAY),
    Leaf("notyet", start=FAR),
    Leaf("untrusted", issuer="otherca"),
    Leaf("selfsigned", issuer=""),
    Leaf("revoked"),
    Leaf("wronghost", san=f"DNS:{OTHER_HOST}"),
    Leaf("serveronly", usage="serverAuth"),
    Leaf("clientonly", usage="clientAuth"),
    Leaf("weak", key="weak"),
    Leaf("badsignature"),
    Leaf("deep", issuer="inter2"),
)
AUTHORITIES = (("ca", ""), ("otherca", ""), ("inter1", "ca"), ("inter2", "inter1"))
KEYS = {
    "ec": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "weak": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
}


class Pki:
    """The files of a PKI under one directory. Everything is made by create()."""

    def __init__(self, directory):
        self.dir = directory
        self.config = self.path("openssl.cnf")

    def path(self, name):
        return os.path.join(self.dir, name)

    def cert(self, name):
        return self.path(name + ".pem")

    def key(self, name):
        return self.path(name + ".key")

    def der(self, name):
        """The leaf itself."""
        with open(self.cert(name)) as file:
            first = file.read().split("-----END", 1)[0]
        return base64.b64decode(first.split("-----", 2)[2])

    def create(self):
        """All of it anew, or, where TLSWHY_PKI names a directory with one, as it is there."""
        if os.environ.get("TLSWHY_PKI"):
            shutil.copytree(os.environ["TLSWHY_PKI"], self.dir, dirs_exist_ok=True)
            return self
        os.makedirs(self.path("issued"), exist_ok=True)
        open(self.path("index.txt"), "w").close()
        with open(self.path("crlnumber"), "w") as number:
            number.write("01\n")
        with open(self.config, "w") as config:
            config.write(CONFIG.format(dir=self.dir))
        for kind, command in KEYS.items():
            self._openssl(*command, "-out", self.path(f"key-{kind}.pem"))
        for name, issuer in AUTHORITIES:
            self._authority(name, issuer)
        for leaf in LEAVES:
            self._leaf(leaf)
        self._chain("deep", ("inter2", "inter1"))
        self._break_signature("badsignature")
        self._revocations()
        self._weak_dh()
        self._permissions()
        return self

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr}")

    def _link_key(self, name, kind):
        os.symlink(self.path(f"key-{kind}.pem"), self.key(name))

    def _issue(self, name, issuer, start, end, extensions, subject):
        """One certificate request and its certificate. No issuer: self-signed."""
        request, extfile = self.path(name + ".csr"), self.path(name + ".ext")
        with open(extfile, "w") as file:
            file.write(extensions)
        self._openssl("req", "-new", "-config", self.config, "-key", self.key(name), "-subj", f"/CN={subject}",
                      "-out", request)
        signer = (["-cert", self.cert(issuer), "-keyfile", self.key(issuer)] if issuer
                  else ["-selfsign", "-keyfile", self.key(name)])
        self._openssl("ca", "-batch", "-notext", "-config", self.config, *signer, "-in", request,
                      "-startdate", start, "-enddate", end, "-extfile", extfile, "-out", self.cert(name))

    def _authority(self, name, issuer):
        # One key for each authority: a chain by key identifier alone would otherwise find the wrong issuer.
        self._openssl(*KEYS["ec"], "-out", self.key(name))
        extensions = CONFIG.split("[authority]\n", 1)[1]
        self._issue(name, issuer, LONG_AGO, FARTHER, extensions, f"lab {name}")

    def _leaf(self, leaf):
        self._link_key(leaf.name, leaf.key)
        extensions = LEAF_SECTION.format(usage=leaf.usage, san=leaf.san)
        self._issue(leaf.name, leaf.issuer, leaf.start, leaf.end, extensions, leaf.name)

    def _chain(self, name, intermediates):
        with open(self.cert(name), "a") as file:
            for authority in intermediates:
                with open(self.cert(authority)) as source:
                    file.write(source.read())

    def _break_signature(self, name):
        der = bytearray(self.der(name))
        der[-1] ^= 0x01
        write_pem(self.cert(name), "CERTIFICATE", bytes(der))

    def _revocations(self):
        """crl.pem revokes `revoked`; crl-stale.pem is too old; crl-other.pem is of the other authority."""
        signer = ["-cert", self.cert("ca"), "-keyfile", self.key("ca")]
        other = ["-cert", self.cert("otherca"), "-keyfile", self.key("otherca")]
        base = ["ca", "-batch", "-config", self.config]
        self._openssl(*base, *signer, "-revoke", self.cert("revoked"))
        self._openssl(*base, *signer, "-gencrl", "-out", self.path("crl.pem"))
        self._openssl(*base, *signer, "-gencrl", "-crl_lastupdate", LONG_AGO, "-crl_nextupdate", YESTERDAY,
                      "-out", self.path("crl-stale.pem"))
        self._openssl(*base, *other, "-gencrl", "-out", self.path("crl-other.pem"))

    def _permissions(self):
        """Workers load some keys themselves; secret.key is the one they may not read."""
        shutil.copyfile(self.path("key-ec.pem"), self.key("secret"))
        os.chmod(self.key("secret"), 0o600)
        for readable in (*(f"key-{kind}.pem" for kind in KEYS), "otherca.key"):
            os.chmod(self.path(readable), 0o644)

    def _weak_dh(self):
        write_pem(self.path("dh-weak.pem"), "DH PARAMETERS", der_sequence(der_integer(WEAK_PRIME), der_integer(2)))


def der_length(size):
    if size < 128:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def der_integer(value):
    octets = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + der_length(len(octets)) + octets


def der_sequence(*parts):
    body = b"".join(parts)
    return b"\x30" + der_length(len(body)) + body


def write_pem(path, label, der):
    text = base64.encodebytes(der).decode()
    with open(path, "w") as file:
        file.write(f"-----BEGIN {label}-----\n{text}-----END {label}-----\n")
