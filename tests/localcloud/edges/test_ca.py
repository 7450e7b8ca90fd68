"""The local certificate authority: OpenSSL's strictest checks accept what it issues."""

import datetime as dt
import ssl
import time
from pathlib import Path

import pytest

from deploytool.localcloud.edges.ca import CertificateAuthority

NOW = dt.datetime.fromtimestamp(time.time(), dt.UTC)


def shake_hands(
    server: ssl.SSLContext, ca: Path, name: str, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLObject:
    """Perform a TLS handshake in memory; the client trusts only this authority.

    Raises ssl.SSLError.
    """
    context = ssl.create_default_context(cafile=str(ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = most
    context.set_alpn_protocols(["h2", "http/1.1"])
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=name)
    host = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, host):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("ca") / "ca.pem", NOW)


def test_strict_client_accepts(authority: CertificateAuthority) -> None:
    """A strict client accepts every name, wildcards too, and uses HTTP/1.1 and TLS 1.3."""
    context = authority.context(("api.example.com", "*.example.org"))
    for name in ("api.example.com", "any.example.org"):
        connection = shake_hands(context, authority.path, name)
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_other_names_are_refused(authority: CertificateAuthority) -> None:
    """The certificate is not good for a name that it does not hold."""
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        shake_hands(authority.context(("api.example.com",)), authority.path, "example.com")


def test_long_names(authority: CertificateAuthority) -> None:
    """A name longer than a common name may be is still served."""
    name = f"{'a' * 60}.{'b' * 20}.example.com"
    assert shake_hands(authority.context((name,)), authority.path, name).version() == "TLSv1.3"


def test_old_tls_is_refused(authority: CertificateAuthority) -> None:
    """TLS 1.2 is the least that a server takes."""
    context = authority.context(("api.example.com",))
    assert (
        shake_hands(context, authority.path, "api.example.com", ssl.TLSVersion.TLSv1_2).version()
        == "TLSv1.2"
    )
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_other_authority_is_refused(authority: CertificateAuthority, tmp_path: Path) -> None:
    """Two clouds do not trust each other's certificates."""
    other = CertificateAuthority(tmp_path / "ca.pem", NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(authority.context(("api.example.com",)), other.path, "api.example.com")


def test_contexts_are_kept(authority: CertificateAuthority) -> None:
    """One certificate is issued for a set of names, and no key is written to disk."""
    assert authority.context(("kept.example",)) is authority.context(("kept.example",))
    assert [path.name for path in authority.path.parent.iterdir()] == ["ca.pem"]
    assert "PRIVATE KEY" not in authority.path.read_text(encoding="ascii")
