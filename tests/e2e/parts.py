#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Where the time goes, against delays that the test makes itself on a real nginx: each cause of delay moves its own part
of a handshake's time, by what was injected, and no other part.

  parts.py --tlswhy build/tlswhy --loadgen build/tests/loadgen [--only NAME] [--long] [--list]

A line that begins with # gives a scenario's figures, in milliseconds: how far each part moved and, in brackets, what
was injected. Needs root.
"""
import argparse
import contextlib
import functools
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lab import moves, network, pki, rig, scenario, worker
from lab.bench import chosen, offer_choice
from lab.results import Results
import cases_path # pylint: disable=unused-import
import cases_delay # pylint: disable=unused-import
import cases_delay_upstream # pylint: disable=unused-import
import cases_parts_load # pylint: disable=unused-import
import cases_saturation # pylint: disable=unused-import

KEYS = {
    "ec": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "rsa": ("rsa:4096",),
    "long": ("rsa:6144",), # a signature takes so long that one can get in between
}
KEY_SECONDS = 300
LISTENER = """
    server {{
        listen {address}:{port} ssl;
        client_header_timeout {timeout};
        ssl_certificate {cert};
        ssl_certificate_key {key};
        return 200 "ok";
    }}
"""
PROXY = """
    server {{
        listen {address}:{port};
        location / {{
            proxy_pass https://{backend};
            proxy_ssl_protocols TLSv1.2 TLSv1.3;
            proxy_ssl_session_reuse off;
        }}
    }}
"""


class Lab:
    """What the tests are given: keys, and stands that are made when the first test asks for them."""

    def __init__(self, stack, options, directory):
        self.stack, self.options, self.dir = stack, options, directory
        self.tlswhy, self.loadgen = os.path.abspath(options.tlswhy), os.path.abspath(options.loadgen)
        self.ports = scenario.Ports()
        self.makers = {name: self._make_key(name) for name in KEYS}

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _make_key(self, name):
        algorithm, *options = KEYS[name]
        command = ["openssl", "req", "-x509", "-newkey", algorithm, *options, "-nodes", "-days", "30", "-subj",
                   "/CN=lab.test", "-keyout", self._path(name + ".key"), "-out", self._path(name + ".pem")]
        maker = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        self.stack.callback(maker.wait)
        self.stack.callback(maker.kill)
        return maker

    def keys(self, name):
        """(certificate, key), once it is made."""
        if self.makers[name].wait(KEY_SECONDS) != 0:
            raise RuntimeError(f"openssl could not make the key {name}")
        return self._path(name + ".pem"), self._path(name + ".key")

    def directory(self, name):
        made = self._path(name)
        os.mkdir(made, mode=0o755)
        return made

    @functools.cached_property
    def pki(self):
        return pki.Pki(self.directory("pki")).create()

    def _stand(self, name, keys, address="127.0.0.1", backend="127.0.0.1", place=None, timeout="60s"):
        ports = {port: self.ports.take() for port in (*keys, "proxy", "backend")}
        http = ""
        for key in keys:
            cert, secret = self.keys(key)
            http += LISTENER.format(address=address, port=ports[key], cert=cert, key=secret, timeout=timeout)
        http += PROXY.format(address=address, port=ports["proxy"], backend=f"{backend}:{ports['backend']}")
        made = moves.Stand(self.stack, self.tlswhy, self.directory(name), http, place)
        made.ports = ports
        return made

    @functools.cached_property
    def near(self):
        """On loopback."""
        return self._stand("near", ("ec", "rsa"))

    @functools.cached_property
    def long(self):
        """On loopback, with a key that takes long."""
        return self._stand("long", ("long",))

    @functools.cached_property
    def busy(self):
        """On loopback, with little patience."""
        return self._stand("busy", ("ec", "rsa"), timeout="1s")

    @functools.cached_property
    def apart(self):
        """In a network of its own, at one end of a path."""
        path = self.stack.enter_context(network.Path())
        made = self._stand("apart", ("ec",), network.NEAR, network.FAR, path.near)
        made.path = path
        return made


def parse_arguments():
    parser = argparse.ArgumentParser(description="tests of the parts of a handshake's time")
    parser.add_argument("--tlswhy", default="build/tlswhy", help="the program under test")
    parser.add_argument("--loadgen", default="build/tests/loadgen", help="the load generator")
    offer_choice(parser)
    return parser.parse_args()


def main():
    options = parse_arguments()
    tests = chosen(options)
    if options.list:
        print("\n".join(function.__name__ for function in tests))
        return 0
    rig.end_tidily()
    results = Results()
    worker.give_precedence()
    sys.setswitchinterval(0.0005) # a thread that carries packets must not wait for one that reads events
    with tempfile.TemporaryDirectory(prefix="tlswhy-parts-") as directory, contextlib.ExitStack() as stack:
        os.chmod(directory, 0o755)
        lab = Lab(stack, options, directory)
        for function in tests:
            start = time.monotonic()
            results.run(function, lab)
            print(f"# {function.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
