"""Whom connectors trust over TLS: the web's authorities, or a company's own and no others."""

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.http import Http
from erp_bridge.connectors.pacing import Budget, Waiting
from tests.erp_bridge.doubles.server import Said, WebServer


@pytest.fixture(autouse=True)
def _loopback(permitted_loopback: None) -> None:
    """Doubles run on this machine."""


@pytest.fixture
def own_authority(tmp_path: Path) -> Iterator[tuple[WebServer, str]]:
    """A server whose certificate nobody but its company trusts, and that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Chestnut ERP")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "server.pem").write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with WebServer(lambda _asked: Said(b"well"), tls=context) as server:
        yield server, pem.decode()


def ask(url: str, ca_pem: str | None = None) -> str:
    """The answer, or the code of what went wrong."""
    waiting = Waiting(sleep=lambda _seconds: None)
    http = Http(url, Budget(per_second=1e9, per_day=1_000), ca_pem, waiting=waiting)
    try:
        return http.get("/x").text()
    except ConnectorError as error:
        return error.code
    finally:
        http.close()


def test_a_certificate_nobody_knows_is_refused_and_ones_own_authority_is_trusted(
    own_authority: tuple[WebServer, str],
) -> None:
    server, pem = own_authority
    assert ask(server.url) == "erp.tls_refused"
    assert ask(server.url, pem) == "well"


def test_a_certificate_holds_for_its_own_name_only(own_authority: tuple[WebServer, str]) -> None:
    server, pem = own_authority
    assert ask(f"https://localhost:{server.port}", pem) == "erp.tls_refused"
