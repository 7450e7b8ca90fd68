"""The local certificate authority: one self-signed root, and certificates for the edges."""

import datetime as dt
import os
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_BACKDATED = dt.timedelta(days=1)  # a client's clock may be behind
# The longest validity that browsers and Apple's TLS accept for a leaf certificate.
_VALIDITY = dt.timedelta(days=397)
_COMMON_NAME_LENGTH = 64  # RFC 5280, upper bound ub-common-name
_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class CertificateAuthority:
    """Issues certificates under a root that it creates at construction.

    It writes the root's certificate (never a key) to `path`. `now` is the wall-clock time at which
    certificates are issued. Keys are on the EC curve P-256, which are fast to generate.
    """

    def __init__(self, path: Path, now: dt.datetime) -> None:
        self.path = path
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        # One key for every leaf: all of them stay in this process, and generating keys is slow.
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("deploytool local cloud CA")
        self._certificate = self._issue_root()
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}
        path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, names: tuple[str, ...]) -> ssl.SSLContext:
        """Return a server's TLS context with a certificate for `names`, shared by all its callers.

        Names are DNS names; wildcards are allowed. TLS is 1.2 or newer, with ALPN http/1.1.
        """
        if names not in self._contexts:
            self._contexts[names] = self.new_context(names)
        return self._contexts[names]

    def new_context(self, names: tuple[str, ...]) -> ssl.SSLContext:
        """Return the same as a new context, which the caller may change."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        certificate = self._issue_leaf(names).public_bytes(serialization.Encoding.PEM)

        # The ssl module reads only files. This one is readable by its owner alone and is deleted
        # once it has been read.
        descriptor, path = tempfile.mkstemp(suffix=".pem")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(certificate + _to_pem(self._leaf_key))
            context.load_cert_chain(path)
        finally:
            Path(path).unlink()
        return context

    def _issue_root(self) -> x509.Certificate:
        public_key = self._key.public_key()
        return (
            self._builder(self._name, public_key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _issue_leaf(self, names: Sequence[str]) -> x509.Certificate:
        public_key = self._leaf_key.public_key()

        # An empty subject is allowed when the alternative names are critical.
        has_subject = len(names[0]) <= _COMMON_NAME_LENGTH
        subject = _name(names[0]) if has_subject else x509.Name([])
        alternative_names = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        server_auth = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        issuer_id = self._certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        authority_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
            issuer_id.value
        )
        return (
            self._builder(subject, public_key)
            .add_extension(alternative_names, critical=not has_subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage("digital_signature"), critical=True)
            .add_extension(server_auth, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(authority_id, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _builder(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        """Return the start of a certificate that this authority issues."""
        valid_from = self._now - _BACKDATED
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(valid_from)
            .not_valid_after(valid_from + _VALIDITY)
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in allowed for usage in _KEY_USAGES})


def _to_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
