# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of an nginx that runs out of memory inside a handshake: a preloaded library takes it away. Run by cli.py.
"""
import contextlib
import dataclasses
import os
import ssl

from cases_host import sibling
from lab import clients, preload
from lab.bench import require, test
from lab.results import Skip

SESSION_BYTES = (900, 940) # an SSL_SESSION of OpenSSL 3.0 has 928; nothing else in a handshake has about that size


def starving(bench, switch):
    """An nginx of one worker that has no memory for a session while the file `switch` exists. And its port."""
    library = preload.build(bench.rig.dir, "starve")
    low, high = map(str, SESSION_BYTES)
    environment = {**os.environ, "LD_PRELOAD": library, "LAB_STARVE": switch, "LAB_STARVE_FROM": low,
                   "LAB_STARVE_TO": high}
    return sibling(bench, "starving", environment=environment)


@test
def memory_exhausted_in_a_handshake(bench):
    if ssl.OPENSSL_VERSION_INFO[:2] != (3, 0):
        raise Skip("the size of an SSL_SESSION is known for OpenSSL 3.0")
    switch = os.path.join(bench.rig.dir, "starve")
    with contextlib.ExitStack() as stack:
        other, port = starving(bench, switch)
        stack.callback(other.stop)
        target, worker = dataclasses.replace(bench.target, port=port), other.worker_pids()
        watched = stack.enter_context(bench.tracing(other.pid))
        require(clients.tls()(target), "not served before memory ran out")
        with open(switch, "w"):
            pass
        with contextlib.suppress(OSError):
            clients.tls()(target)
        os.unlink(switch)
        require(clients.tls()(target), "not served after memory came back")
        require(watched.wait_events(lambda events: len(events) == 3), f"events {watched.events}")
        require(other.worker_pids() == worker, "the worker died")
        events = [event for _, event in watched.events]
    found = [(event["direction"], event["cause"]) for event in events]
    require(found == [("client", "ok"), ("client", "resource_exhausted"), ("client", "ok")], f"events {events}")
