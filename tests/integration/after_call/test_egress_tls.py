"""TLS of the guarded client: the address is pinned, the name is what the certificate must show."""

import datetime as dt
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dispatcher.egress import Egress, EgressFailed
from tests.integration.after_call.outside import HOST, Script, post, read_request, resolving


def a_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a self-signed certificate for a host and its key; return both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, key_pem = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, key_pem


@pytest.mark.parametrize(("host", "trusted"), [(HOST, True), ("other.example", False)])
def test_tls_is_checked_against_the_name_though_the_address_is_pinned(
    serve: Callable[[Script], int], tmp_path: Path, host: str, trusted: bool
) -> None:
    pem, key_pem = a_certificate(tmp_path, HOST)
    asked: list[str] = []
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem, key_pem)
    server.sni_callback = lambda _socket, name, _context: asked.append(name)

    def answer(connection: socket.socket) -> None:
        with server.wrap_socket(connection, server_side=True) as secure:
            read_request(secure)
            secure.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    context = ssl.create_default_context(cafile=str(pem))
    egress = Egress(allow_private=True, resolver=resolving(("127.0.0.1",)), ssl_context=context)
    url = f"https://{host}:{serve(answer)}/hook"
    if trusted:
        assert post(egress, url).status == 204
    else:
        with pytest.raises(EgressFailed, match="certificate"):
            post(egress, url)
    assert asked == [host]
