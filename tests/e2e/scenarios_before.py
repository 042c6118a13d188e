# SPDX-License-Identifier: BSD-2-Clause
"""
Somebody connects to a TLS listener of http and never gets as far as OpenSSL: nginx looks at the first byte, and answers
what is no TLS itself.
"""
import time

from lab import clients, raw, wire
from lab.clients import tls
from lab.scenario import Scenario, client

LEARNED_SECONDS = 2.0 # until a listener is known by a handshake that was seen on it
BAD_REQUEST = b"POST lab.test\r\n\r\n"
NO_TLS = {"version": None, "cipher": None, "server_name": None, "latency_seconds": None, "errors": [], "joined": False}


def before(name, trigger, *expect, **options):
    return Scenario(name, "http", trigger, expect, **options)


def after_a_handshake(*steps, end=raw.close):
    """A good client first, so that the listener is known to be one of TLS."""
    good, bad = tls(), clients.raw(lambda sock: time.sleep(LEARNED_SECONDS), *steps, end=end)

    def run(target):
        good(target)
        bad(target)
    return run


SCENARIOS = (
    before("before_plain_http", clients.raw(clients.GET), client("plain_http", peer="127.0.0.1", **NO_TLS)),
    before("before_plain_http_bad_request", clients.raw(BAD_REQUEST), client("plain_http", **NO_TLS)),
    before("before_plain_http_ipv6", clients.raw(clients.GET), client("plain_http", peer="::1"),
           listen="[::1]:@PORT@ ssl"),
    before("before_plain_http_mapped", clients.raw(clients.GET), client("plain_http", peer="127.0.0.1"),
           listen="[::]:@PORT@ ssl ipv6only=off"),
    before("before_plain_http_two_addresses", clients.raw(clients.GET), client("plain_http", peer="127.0.0.1"),
           listen="127.0.0.1:@PORT@ ssl; listen @PORT@"),
    before("before_plain_http_proxy_protocol", clients.raw(wire.proxy_v1(), clients.GET),
           client("plain_http", peer="192.0.2.7", proxied_by="127.0.0.1"),
           listen="127.0.0.1:@PORT@ ssl proxy_protocol"),
    before("before_not_tls", clients.raw(b"SSH-2.0-OpenSSH_9.2\r\n"), client("not_tls", **NO_TLS)),
    before("before_not_tls_proxy_header", clients.raw(wire.proxy_v1()), client("not_tls", **NO_TLS)),
    before("before_left", after_a_handshake(),
           client(), client("peer_closed_before_hello", peer="127.0.0.1", connection=None, **NO_TLS)),
    before("before_left_ipv6", after_a_handshake(), client(), client("peer_closed_before_hello", peer="::1"),
           listen="[::1]:@PORT@ ssl"),
    before("before_reset", after_a_handshake(end=raw.reset), client(), client("peer_reset", peer="127.0.0.1")),
)
