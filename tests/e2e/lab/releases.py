# SPDX-License-Identifier: BSD-2-Clause
"""
What differs between releases of nginx and OpenSSL: directives that an nginx does not know yet, and behaviour that a
scenario expects otherwise. A place is asked for its versions, never for its name. Must not know: tlswhy.
"""
import dataclasses
import re

# The nginx that brought a directive; others here are older than any nginx of the tests.
DIRECTIVES = {
    "ssl_ocsp": (1, 19, 0),
    "ssl_reject_handshake": (1, 19, 4),
    "ssl_conf_command": (1, 19, 4),
    "proxy_ssl_conf_command": (1, 19, 4),
    "ssl_alpn": (1, 21, 4),
}
QUIC = (1, 25, 0)
QUIC_CLIENT = (3, 5, 0) # the openssl program that speaks it as our scenarios do
NAME = re.compile(r"(?:^|;)\s*(\w+)")


def dotted(version):
    return ".".join(map(str, version))


def missing(scenario, place):
    """Why a scenario cannot be set up on a place's nginx; "" where it can."""
    for name in NAME.findall(scenario.conf):
        if place.nginx < DIRECTIVES.get(name, ()):
            return f"{name} came with nginx {dotted(DIRECTIVES[name])}, this is {dotted(place.nginx)}"
    if scenario.is_quic and place.nginx < QUIC:
        return f"HTTP/3 came with nginx {dotted(QUIC)}, this is {dotted(place.nginx)}"
    if scenario.is_quic and place.openssl < QUIC_CLIENT:
        return f"no client: QUIC came with OpenSSL {dotted(QUIC_CLIENT)}, this is {dotted(place.openssl)}"
    return ""


def fitted(scenario, place):
    """The scenario with what is expected of this place's releases."""
    before = scenario.before
    if before and (place.nginx < before.nginx or place.openssl < before.openssl):
        return dataclasses.replace(scenario, expect=before.expect)
    return scenario
