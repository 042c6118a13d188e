# SPDX-License-Identifier: BSD-2-Clause
"""
Scenarios made real: certificates, one nginx and a target for each, in one directory. Must not know: tlswhy.
"""
import concurrent.futures
import contextlib
import http.client
import os
import signal
import subprocess
import sys

from lab import backends, nginx, pki, scenario as model
from lab.place import Host


class Rig:
    """As a context manager its nginx runs from `with` to its end."""

    def __init__(self, directory, scenarios, workers=2, place=None):
        os.chmod(directory, 0o755)
        made = os.path.join(directory, "pki")
        os.makedirs(made, exist_ok=True)
        self.dir = directory
        self.pki = pki.Pki(made).create()
        self.place = place or Host()
        self.ports = self.place.run(model.Ports)
        self.targets = [self._target(scenario) for scenario in scenarios]
        self.nginx = nginx.Nginx(os.path.join(directory, "nginx"), workers=workers, place=self.place,
                                 shared=directory)
        self.nginx.write(**model.blocks(self.targets))

    def _target(self, scenario):
        host = "127.0.0.1"
        if "[::1]" in scenario.listen:
            host = "::1"
        elif scenario.listen.startswith("unix:"):
            host = self.pki.path("listener.socket")
        return model.Target(scenario, self.pki, self.ports.take(), self.ports.take(), host,
                            place=self.place, shared=self.dir)

    def __enter__(self):
        self.nginx.start()
        return self

    def __exit__(self, *_):
        self.nginx.stop()


def end_tidily():
    """Makes SIGTERM unwind the stack, so that what was started is ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def serve(stack, target):
    """Brings up the target's backend, if it has one, until the stack ends."""
    if not target.scenario.backend:
        return
    handler = target.scenario.backend(target.pki)
    for host in target.scenario.backend_hosts():
        stack.enter_context(backends.Backend(target.backend_port, handler, host))


def trigger(target):
    """Runs the trigger. Returns "" where it was served or need not be, else why not."""
    try:
        return "not served" if target.scenario.trigger(target) is False else ""
    except (OSError, EOFError, subprocess.SubprocessError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"


def act(target):
    """One scenario, backend and all. Returns "" or why the lab itself is wrong."""
    with contextlib.ExitStack() as stack:
        serve(stack, target)
        reason = trigger(target)
    must_succeed = all(expect.cause == "ok" for expect in target.scenario.expect)
    return f"lab: {reason}" if must_succeed and reason else ""


def act_all(lab, targets, jobs):
    """{name: complaint of the lab}"""
    with concurrent.futures.ThreadPoolExecutor(jobs, initializer=lab.place.enter) as pool:
        return dict(zip((target.scenario.name for target in targets), pool.map(act, targets)))
