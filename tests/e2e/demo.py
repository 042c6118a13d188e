#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
See it work, within a minute: a throw-away nginx on loopback, healthy visitors, a dozen broken clients and
backends, and what tlswhy says about them. Everything it starts it ends; nothing else on the host is touched.

  demo.py --tlswhy build/tlswhy [--seconds 12]
"""
import argparse
import contextlib
import dataclasses
import itertools
import os
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lab import rig, tracer
from scenarios import BY_NAME

HEALTHY = ("http_ok_tls13", "http_ok_tls12", "http_ok_resumed_tls13", "http_ok_http2", "mtls_ok_tls13",
           "up_ok_verified", "stream_ok_tls13")
BROKEN = ("http_version_too_old", "http_no_shared_cipher_tls12", "http_client_unknown_ca_tls13",
          "http_client_expired_tls13", "http_unrecognized_name", "http_closed_mid_tls13", "http_reset_mid",
          "mtls_missing_tls13", "mtls_expired", "up_certificate_expired", "up_client_certificate_required_tls13",
          "up_missing_sni_112", "up_plain_http", "up_weak_dh", "stream_plain_http", "stream_timeout_before_hello")
HEALTHY_PAUSE, BROKEN_PAUSE = 0.15, 0.6 # seconds between two visits
GRACE_SECONDS = 120                     # at most, for tlswhy to attach and to print


def visit(target, pause, stop):
    """Plays one scenario again and again, each time as another client, until stop is set."""
    sources = itertools.cycle(range(1, 24))
    while not stop.is_set():
        rig.trigger(dataclasses.replace(target, source=f"127.0.7.{next(sources)}"))
        stop.wait(pause)


def play(lab, stack, stop):
    """Starts backends and visitors; they end after stop is set, when the stack does."""
    for target in lab.targets:
        rig.serve(stack, target)
        pause = HEALTHY_PAUSE if target.scenario.name in HEALTHY else BROKEN_PAUSE
        thread = threading.Thread(target=visit, args=(target, pause, stop), daemon=True)
        stack.callback(thread.join, 5)
        thread.start()
    stack.callback(stop.set)


def report(arguments, master_pid):
    """tlswhy's own output goes to the terminal as it is. Returns its exit code."""
    command = [arguments.tlswhy, "report", "-d", str(arguments.seconds), *tracer.NO_BUDGET, "-p", str(master_pid)]
    print("$ " + " ".join(command), flush=True)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            return process.wait(arguments.seconds + GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            print("demo.py: tlswhy did not end in time", file=sys.stderr)
            return 1


def main():
    parser = argparse.ArgumentParser(description="a demonstration of tlswhy")
    parser.add_argument("--tlswhy", default="build/tlswhy", help="the program to show")
    parser.add_argument("--seconds", type=int, default=12, help="how long to watch")
    arguments = parser.parse_args()
    rig.end_tidily()
    stop = threading.Event()
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="tlswhy-demo-"))
        lab = stack.enter_context(rig.Rig(directory, [BY_NAME[name] for name in HEALTHY + BROKEN]))
        play(lab, stack, stop)
        print(f"nginx {lab.nginx.pid}: {len(HEALTHY)} healthy and {len(BROKEN)} broken kinds of visitors", flush=True)
        return report(arguments, lab.nginx.pid)


if __name__ == "__main__":
    sys.exit(main())
