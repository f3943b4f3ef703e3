"""An authority of one deployment, and certificates of its servers: X.509, keys on the curve P-256."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS, SERVER_DAYS = 3_650, 397
BACKDATED = timedelta(minutes=5)
_BEFORE, _AFTER = "Throughline ", " authority"


def new_key() -> str:
    """Generate a private key, as PKCS #8 in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def authority(key: str, deployment: str) -> str:
    """Return the certificate of an authority, signed by its own key."""
    private, name = read_key(key), _name(f"{_BEFORE}{deployment}{_AFTER}")
    builder = _builder(name, name, private.public_key(), AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return _signed(builder, private)


def server_certificate(key: str, names: Sequence[str], authority_key: str, authority_certificate: str) -> str:
    """Return a certificate for a server that is reached under these names and addresses."""
    issuer = x509.load_pem_x509_certificate(authority_certificate.encode())
    builder = _builder(_name(names[0]), issuer.subject, read_key(key).public_key(), SERVER_DAYS)
    builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(digital_signature=True), critical=True)
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]  # members of a set are clients too
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return _signed(builder, read_key(authority_key))


def names(pem: str) -> list[str]:
    """Return the names and addresses that the first certificate of a file is for."""
    extensions = x509.load_pem_x509_certificate(pem.encode()).extensions
    return [str(name.value) for name in extensions.get_extension_for_class(x509.SubjectAlternativeName).value]


def belong_together(key: str, pem: str) -> bool:
    """Tell whether a private key is that of the first certificate of a file."""
    return read_key(key).public_key() == x509.load_pem_x509_certificate(pem.encode()).public_key()


def is_issued_by(pem: str, authorities: str) -> bool:
    """Tell whether one of the authorities in a file signed the first certificate of another."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return any(_signed_it(issuer, certificate) for issuer in x509.load_pem_x509_certificates(authorities.encode()))


def renewed_authority(key: str, present: str) -> str:
    """Return the certificate of an authority with another key, and the name of the present one."""
    return authority(key, _common_name(present).removeprefix(_BEFORE).removesuffix(_AFTER))


def first(pem: str) -> str:
    """Return the first certificate of a file, without what follows. Raises ValueError where there is none."""
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.PEM).decode()


def count(pem: str) -> int:
    """Return the number of certificates in a file."""
    return len(x509.load_pem_x509_certificates(pem.encode()))


def ends(pem: str) -> datetime:
    """Return when the first certificate in a file ends. Raises ValueError where there is none."""
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, key: CertificateIssuerPrivateKeyTypes) -> str:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    signed = builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def read_key(key: str) -> ec.EllipticCurvePrivateKey:
    """Read a private key. Raises ValueError where there is none, TypeError for one that is encrypted."""
    private = serialization.load_pem_private_key(key.encode(), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError("is no key on an elliptic curve")
    return private


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _signed_it(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _common_name(pem: str) -> str:
    subject = x509.load_pem_x509_certificate(pem.encode()).subject
    return str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(**granted: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: granted.get(name, False) for name in names})
