#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Makes the golden recordings anew, from real nginx and real failures: root. Rarely needed: an old recording that can
still be read is the better test. Afterwards run tests/golden/update and look at what changed.

  record.py --tlswhy build/tlswhy --loadgen build/tests/loadgen

  demo.rec   the demonstration's visitors, each twice
  spill.rec  a load while nobody empties a ring of 4096 bytes: most handshakes are rows of the spill map

former.rec and former_spill.rec were made so before a handshake's time had parts, and stay.
"""
import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

# pylint: disable=wrong-import-position
import demo
from lab import loadrig, pki, rig, tracer
from scenarios import BY_NAME

SETTLE_SECONDS = 1.6
# A host's name is in its recordings: these are of no real host.
NAMED = ("unshare", "--uts", "sh", "-c", 'hostname lab.test && exec "$@"', "sh")
LOAD = {"ok13": 3, "resumed13": 2, "no_shared_cipher": 1, "unknown_ca": 1, "close_mid": 1, "mtls_missing": 1}


def make_nameless(path):
    """Which machine it was is nobody's affair: its kernel and boot become others of the same length."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read().strip()
    with open(path, "rb") as file:
        data = file.read()
    for name, other in ((os.uname().release, "6.1.0"), (boot, "")):
        data = data.replace(name.encode(), other.encode().ljust(len(name), b"0")[:len(name)], 1)
    with open(path, "wb") as file:
        file.write(data)


class Recorder(tracer.Child):
    """`tlswhy record`, until it is left."""

    def __init__(self, arguments, name, pid, directory, options=()):
        self.path = path = os.path.join(HERE, name)
        if os.path.exists(path):
            os.unlink(path)
        super().__init__([*NAMED, os.path.abspath(arguments.tlswhy), "record", *tracer.NO_BUDGET, "-o", path, "-p",
                          str(pid), *options], os.path.join(directory, "record.err"))

    def __enter__(self):
        super().__enter__()
        self.wait_ready()
        return self

    def __exit__(self, *_):
        time.sleep(SETTLE_SECONDS)
        self.process.send_signal(signal.SIGINT)
        if self.process.wait(10):
            raise RuntimeError(self.stderr())
        make_nameless(self.path)


def record_demo(arguments, directory):
    with rig.Rig(directory, [BY_NAME[name] for name in demo.HEALTHY + demo.BROKEN]) as lab:
        with Recorder(arguments, "demo.rec", lab.nginx.pid, directory):
            for _ in range(2):
                rig.act_all(lab, lab.targets, 1)


def record_spill(arguments, directory):
    keys = pki.Pki(directory).create()
    stand = loadrig.Rig(directory, keys, arguments.loadgen)
    with stand, Recorder(arguments, "spill.rec", stand.nginx.pid, directory, ["--ring-bytes", "4096"]) as recorder:
        recorder.process.send_signal(signal.SIGSTOP)
        with stand.load(LOAD, count=600, concurrency=64) as load:
            load.wait()
        stand.wait_quiet()
        recorder.process.send_signal(signal.SIGCONT)


def main():
    parser = argparse.ArgumentParser(description="make the golden recordings anew")
    parser.add_argument("--tlswhy", default="build/tlswhy")
    parser.add_argument("--loadgen", default="build/tests/loadgen")
    arguments = parser.parse_args()
    for make in (record_demo, record_spill):
        with tempfile.TemporaryDirectory(prefix="tlswhy-golden-") as directory:
            make(arguments, directory)


if __name__ == "__main__":
    main()
