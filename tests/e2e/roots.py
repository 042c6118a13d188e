#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Tests with several nginx at once, each with its own OpenSSL: the host's and one in a container of each root.

  roots.py --tlswhy build/tlswhy --root DIR [--root DIR]... [--only NAME] [--list]

All containers use the same ports, and each has clients of its own address: what is counted for the wrong one shows.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from lab import clients, place, releases, rig, tracer, watch
from lab.bench import chosen, offer_choice, require, test
from lab.results import Results
from lab.scenario import Scenario, client

LISTENER = Scenario("roots", "http", clients.tls(), (client(),))
OK_OF_FIRST, REFUSED_OF_FIRST = 2, 5 # one more for each that follows, so that no two nginx have the same counts
NAMESPACES = ("mnt", "pid", "net", "ipc", "uts")
UNKNOWN_CA = "our_certificate_unknown_ca"


class Stand:
    """Places and how many labs were made of them; a lab is a Rig whose clients have an address of their own."""

    def __init__(self, tlswhy, directory, roots):
        self.tlswhy, self.dir = os.path.abspath(tlswhy), directory
        self.roots = roots
        self.made = 0
        self.labs = []

    @contextlib.contextmanager
    def lab(self, root=None):
        """A running nginx: of the host, or of a root as a container."""
        self.made += 1
        directory = os.path.join(self.dir, f"lab-{self.made}")
        os.mkdir(directory)
        with place.make(root) as where, rig.Rig(directory, [LISTENER], place=where) as made:
            made.targets[0].source = f"127.0.{self.made}.1"
            yield made

    @contextlib.contextmanager
    def watching(self, pids):
        """An attached trace and an attached report, of some nginx or (None) of all."""
        path = os.path.join(self.dir, "err")
        traced = tracer.Tracer(self.tlswhy, pids, path + ".trace")
        reporter = tracer.Reporter(self.tlswhy, pids, path + ".report")
        with traced, reporter:
            traced.wait_ready()
            reporter.wait_ready()
            yield traced, reporter

    def links(self, labs):
        """How many probes tlswhy places to watch labs."""
        with tracer.Tracer(self.tlswhy, [lab.nginx.pid for lab in labs], os.path.join(self.dir, "links")) as traced:
            traced.wait_ready()
            return sum(kind == "link" for kind, _ in watch.probes_of(traced.process.pid))


def counts_of(index):
    return {"ok": OK_OF_FIRST + index, UNKNOWN_CA: REFUSED_OF_FIRST + index}


def act(lab, index):
    """What the clients of the lab do, some well and some badly, in turn."""
    wanted = counts_of(index)
    for turn in range(max(wanted.values())):
        if turn < wanted["ok"]:
            require(lab.place.run(clients.tls(), lab.targets[0]), "nginx does not serve")
        if turn < wanted[UNKNOWN_CA]:
            lab.place.run(clients.refuse(48), lab.targets[0])


def act_all(labs):
    with concurrent.futures.ThreadPoolExecutor(len(labs)) as pool:
        for done in [pool.submit(act, lab, index) for index, lab in enumerate(labs)]:
            done.result()


def events_of(lab, events):
    workers = lab.nginx.worker_pids()
    return [event for event in events if event["pid"] in workers]


def await_events(traced, labs):
    """The events of each lab, once they are all there; what comes too much is seen by comparing."""
    wanted = [sum(counts_of(index).values()) for index in range(len(labs))]
    traced.wait_events(lambda events: [len(events_of(lab, events)) for lab in labs] == wanted)
    return [events_of(lab, [event for _, event in traced.events]) for lab in labs]


def require_events(labs, by_lab):
    """Counts, peers and ports of each nginx are its own."""
    for index, (lab, events) in enumerate(zip(labs, by_lab)):
        name = releases.dotted(lab.place.openssl)
        found = collections.Counter(event["cause"] for event in events)
        require(found == counts_of(index), f"OpenSSL {name}: {dict(found)}, not {counts_of(index)}")
        places = {(event["direction"], event["peer"], event["local_port"]) for event in events}
        expected = {("client", lab.targets[0].source, lab.targets[0].port)}
        require(places == expected, f"OpenSSL {name}: {places}, not {expected}")


def require_targets(labs, report):
    """Every nginx is a target of its own with the library it runs."""
    versions = {target["master_pid"]: target["library_version"] for target in report["targets"]}
    for lab in labs:
        wanted = f"OpenSSL {releases.dotted(lab.place.openssl)}"
        found = versions.get(lab.nginx.pid)
        require(found and found.startswith(wanted), f"nginx {lab.nginx.pid} has {wanted}, targets are {versions}")


def require_report(labs, report):
    """The sums over all nginx, to the last one, and every client of each."""
    total = sum((collections.Counter(counts_of(index)) for index in range(len(labs))), collections.Counter())
    found = {row["cause"]: row["count"] for row in report["causes"]}
    require(found == {UNKNOWN_CA: total[UNKNOWN_CA]}, f"causes {found}, not {dict(total)}")
    require(report["totals"]["client"]["ok"] == total["ok"], f"totals {report['totals']}, not {dict(total)}")
    peers = {row["address"]: row["count"] for row in report["causes"][0]["peers"]["top"]}
    wanted = {lab.targets[0].source: counts_of(index)[UNKNOWN_CA] for index, lab in enumerate(labs)}
    require(peers == wanted, f"peers {peers}, not {wanted}")
    require(report["exact"] and not any(report["losses"].values()), f"exact {report['exact']}: {report['losses']}")
    require(not watch.sum_faults(report), "; ".join(watch.sum_faults(report)))


def namespaces(pid):
    return {name: os.readlink(f"/proc/{pid}/ns/{name}") for name in NAMESPACES}


@test
def containers_are_containers(stand):
    """What the other tests rest on: nothing is shared with the host but the kernel."""
    host = namespaces(os.getpid())
    for lab in stand.labs[1:]:
        own = namespaces(lab.nginx.pid)
        shared = [name for name in NAMESPACES if own[name] == host[name]]
        require(not shared, f"namespaces {shared} are the host's")
        with open(f"/proc/{lab.nginx.pid}/status") as file:
            numbers = next(line.split()[1:] for line in file if line.startswith("NSpid:"))
        require(numbers[-1] == "1", f"the container knows its nginx by {numbers}")
    found = {lab.place.openssl for lab in stand.labs}
    require(len(found) >= len(stand.roots) > 1, f"OpenSSL versions {found} are not several")


@test
def several_libraries_by_pid(stand):
    with stand.watching([lab.nginx.pid for lab in stand.labs]) as (traced, reporter):
        act_all(stand.labs)
        by_lab = await_events(traced, stand.labs)
        report = reporter.report()
    require_events(stand.labs, by_lab)
    require_targets(stand.labs, report)
    require_report(stand.labs, report)
    require(sum(map(len, by_lab)) == len(traced.events), "events of nobody")


@test
def several_libraries_of_the_whole_host(stand):
    """Without -p. Another nginx of this host may add to the sums, not to these."""
    with stand.watching(None) as (traced, reporter):
        act_all(stand.labs)
        by_lab = await_events(traced, stand.labs)
        report = reporter.report()
    require_events(stand.labs, by_lab)
    require_targets(stand.labs, report)


@test
def two_containers_of_one_image(stand):
    """One file below two overlays: it is probed once, and each container has its own counts."""
    for root in stand.roots:
        with stand.lab(root) as first, stand.lab(root) as second:
            labs = [first, second]
            alone, together = stand.links(labs[:1]), stand.links(labs)
            require(alone == together > 0, f"{root}: {alone} probes for one container, {together} for two")
            with stand.watching([lab.nginx.pid for lab in labs]) as (traced, reporter):
                act_all(labs)
                by_lab = await_events(traced, labs)
                report = reporter.report()
            require_events(labs, by_lab)
            require_report(labs, report)


def main():
    parser = argparse.ArgumentParser(description="tests of tlswhy with several nginx and OpenSSL at once")
    parser.add_argument("--tlswhy", default="build/tlswhy", help="the program under test")
    parser.add_argument("--root", action="append", metavar="DIR", help="a root; several")
    offer_choice(parser)
    arguments = parser.parse_args()
    tests = chosen(arguments)
    if arguments.list:
        print("\n".join(function.__name__ for function in tests))
        return 0
    if not arguments.root:
        parser.error("--root is missing")
    rig.end_tidily()
    results = Results()
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="tlswhy-roots-"))
        os.chmod(directory, 0o755)
        stand = Stand(arguments.tlswhy, directory, arguments.root)
        stand.labs = [stack.enter_context(stand.lab(root)) for root in (None, *arguments.root)]
        for function in tests:
            results.run(function, stand)
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
