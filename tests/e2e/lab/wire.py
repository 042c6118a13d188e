# SPDX-License-Identifier: BSD-2-Clause
"""
TLS on the wire, as far as the lab needs it: records, alerts, ClientHello and ServerHello byte by byte.

Builders never check sense: a test must be able to say anything. Numbers are IANA's. Must not know: sockets.
"""
import struct

TLS10, TLS11, TLS12, TLS13 = 0x0301, 0x0302, 0x0303, 0x0304
ALERT, HANDSHAKE, APPLICATION_DATA = 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE, FINISHED = 1, 2, 11, 12, 20

ECDHE_ECDSA_AES128, ECDHE_RSA_AES128, ECDHE_RSA_AES128_SHA = 0xC02B, 0xC02F, 0xC013
AES128_GCM, AES256_GCM = 0x1301, 0x1302
FALLBACK_SCSV, RENEGOTIATION_SCSV = 0x5600, 0x00FF
P256, P384, P521, X25519 = 23, 24, 25, 29
X25519MLKEM768 = 0x11EC
ECDSA_P256, RSA_PSS, RSA_PKCS1, ED25519 = 0x0403, 0x0804, 0x0401, 0x0807

EXT_SNI, EXT_GROUPS, EXT_POINT_FORMATS, EXT_SIGALGS, EXT_ALPN = 0, 10, 11, 13, 16
EXT_EMS, EXT_PSK, EXT_VERSIONS, EXT_PSK_MODES, EXT_KEY_SHARE, EXT_RENEGOTIATION = 23, 41, 43, 45, 51, 0xFF01

ALL_CIPHERS = (AES128_GCM, AES256_GCM, ECDHE_ECDSA_AES128, ECDHE_RSA_AES128, RENEGOTIATION_SCSV)
ALL_SIGALGS = (ECDSA_P256, RSA_PSS, RSA_PKCS1)
RANDOM = bytes(range(32))

# Public keys that are valid points; nobody here needs the private half.
P256_GENERATOR = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
KEY_SHARES = {P256: P256_GENERATOR, X25519: bytes([9]) + bytes(31), X25519MLKEM768: bytes(1216)}


def vector(data, octets):
    """Data with its length in front, as RFC 8446 section 3.4 writes a vector."""
    return len(data).to_bytes(octets, "big") + data


def numbers(values):
    return b"".join(struct.pack("!H", value) for value in values)


def record(kind, body, version=TLS12):
    return struct.pack("!BH", kind, version) + vector(body, 2)


def fragments(whole, size):
    """A record cut into records of at most size bytes of body each."""
    body = whole[5:]
    return [record(whole[0], body[at:at + size], TLS10) for at in range(0, len(body), size)]


def alert(number, level=2):
    return record(ALERT, bytes([level, number]))


def message(kind, body):
    return bytes([kind]) + vector(body, 3)


def extension(kind, body):
    return struct.pack("!H", kind) + vector(body, 2)


def server_name(name):
    return extension(EXT_SNI, vector(b"\0" + vector(name if isinstance(name, bytes) else name.encode(), 2), 2))


def alpn(protocols):
    return extension(EXT_ALPN, vector(b"".join(vector(name.encode(), 1) for name in protocols), 2))


def key_shares(groups):
    entries = b"".join(struct.pack("!H", group) + vector(KEY_SHARES[group], 2) for group in groups)
    return extension(EXT_KEY_SHARE, vector(entries, 2))


def pre_shared_key(identity, binder):
    identities = vector(identity, 2) + bytes(4)
    return extension(EXT_PSK, vector(identities, 2) + vector(vector(binder, 1), 2))


def hello_extensions(versions, groups, sigalgs, shares, sni, protocols):
    parts = []
    if sni:
        parts.append(server_name(sni))
    if groups:
        parts.append(extension(EXT_GROUPS, vector(numbers(groups), 2)))
        parts.append(extension(EXT_POINT_FORMATS, b"\x01\x00"))
    if sigalgs:
        parts.append(extension(EXT_SIGALGS, vector(numbers(sigalgs), 2)))
    if protocols:
        parts.append(alpn(protocols))
    if versions:
        parts.append(extension(EXT_VERSIONS, vector(numbers(versions), 1)))
        parts.append(extension(EXT_PSK_MODES, b"\x01\x01"))
        parts.append(key_shares(shares))
    return b"".join(parts)


def client_hello(versions=(), legacy=TLS12, ciphers=ALL_CIPHERS, groups=(X25519, P256), sigalgs=ALL_SIGALGS,
                 shares=None, sni="lab.test", protocols=(), extra=b"", compression=b"\0", session_id=b""):
    """
    A ClientHello in one record. Without versions it is a TLS 1.2 (or, by legacy, older) hello; with versions it
    carries supported_versions and a key share for each of shares (groups, where shares is None). extra is
    appended to the extensions as it is.
    """
    shares = [group for group in groups if group in KEY_SHARES] if shares is None else shares
    extensions = hello_extensions(versions, groups, sigalgs, shares, sni, protocols) + extra
    body = struct.pack("!H", legacy) + RANDOM + vector(session_id, 1) + vector(numbers(ciphers), 2)
    body += vector(compression, 1) + vector(extensions, 2)
    return record(HANDSHAKE, message(CLIENT_HELLO, body), TLS10)


def server_hello(version=TLS12, cipher=ECDHE_ECDSA_AES128, extensions=extension(EXT_RENEGOTIATION, b"\0"),
                 session_id=b"", compression=0):
    body = struct.pack("!H", version) + RANDOM + vector(session_id, 1) + struct.pack("!HB", cipher, compression)
    body += vector(extensions, 2)
    return record(HANDSHAKE, message(SERVER_HELLO, body))


def server_hello_tls13(hello):
    """The answer to a ClientHello (its record): TLS 1.3, with a key share whose private half nobody has."""
    share = struct.pack("!H", X25519) + vector(KEY_SHARES[X25519], 2)
    extensions = extension(EXT_VERSIONS, struct.pack("!H", TLS13)) + extension(EXT_KEY_SHARE, share)
    session_id = hello[44:44 + hello[43]] # after record, message header, version and random
    return server_hello(cipher=AES128_GCM, extensions=extensions, session_id=session_id)


def certificate(der):
    return record(HANDSHAKE, message(CERTIFICATE, vector(vector(der, 3), 3)))


def server_key_exchange(group, point, sigalg):
    """ECDHE parameters under a signature that verifies nowhere."""
    body = struct.pack("!BH", 3, group) + vector(point, 1) + struct.pack("!H", sigalg) + vector(bytes(64), 2)
    return record(HANDSHAKE, message(SERVER_KEY_EXCHANGE, body))


def sslv2_hello():
    """What a client of the last century says: version 2, one cipher, a challenge of 16 bytes."""
    body = b"\x01\x00\x02" + struct.pack("!HHH", 3, 0, 16) + b"\x01\x00\x80" + bytes(range(16))
    return struct.pack("!H", 0x8000 | len(body)) + body


def proxy_v1(address="192.0.2.7", port=4711, to="127.0.0.1", to_port=443):
    return f"PROXY TCP4 {address} {to} {port} {to_port}\r\n".encode()
