"""The local certificate authority: one self-signed root a cloud, and leaf certificates for the
names that its edges serve.
"""

import datetime as dt
import os
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_BACKDATED = dt.timedelta(days=1)  # a client's clock may be behind
_VALID = dt.timedelta(days=397)  # the most that browsers and Apple's TLS take for a leaf
_USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
           "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip


def _key_usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in allowed for usage in _USAGES})


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class CertificateAuthority:
    """Makes its root at construction and writes the certificate (never the key) to `path`. EC P-256
    keys: fast to make.

    `now` is the wall-clock time from which certificates hold. Leaf contexts are made once for a set
    of names and kept.
    """

    def __init__(self, path: Path, now: dt.datetime) -> None:
        self.path = path
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        # One key serves every leaf: they all live in this process, and making keys is the slow
        # part.
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, "deploytool local cloud CA")]
        )
        self._certificate = self._root()
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}
        path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, names: tuple[str, ...]) -> ssl.SSLContext:
        """A server's TLS context (1.2 or newer, ALPN http/1.1) with a certificate for `names` (DNS
        names, wildcards allowed).
        """
        found = self._contexts.get(names)
        if found is None:
            found = self._contexts[names] = self.new_context(names)
        return found

    def new_context(self, names: tuple[str, ...]) -> ssl.SSLContext:
        """The same, made for one user who may change it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        chain = self._leaf(names).public_bytes(serialization.Encoding.PEM) + _pem(self._leaf_key)
        # The ssl module reads files only; this one is readable by its owner and gone as soon as it
        # is read.
        descriptor, name = tempfile.mkstemp(suffix=".pem")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(chain)
            context.load_cert_chain(name)
        finally:
            Path(name).unlink()
        return context

    def _root(self) -> x509.Certificate:
        public = self._key.public_key()
        return (
            self._builder(self._name, public)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _builder(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _BACKDATED)
            .not_valid_after(self._now - _BACKDATED + _VALID)
        )

    def _leaf(self, names: tuple[str, ...]) -> x509.Certificate:
        public = self._leaf_key.public_key()
        issuer = self._certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        ).value
        # An empty subject is allowed when the alternative names are critical; a common name is
        # limited to 64 characters.
        subject = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, names[0])] if len(names[0]) <= 64 else []
        )
        return (
            self._builder(subject, public)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]),
                critical=not list(subject),
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
