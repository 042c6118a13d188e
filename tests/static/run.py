#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of what was linked statically: tlswhy as one file, and an nginx with OpenSSL inside that names its functions in
one way or another, or not at all.

  run.py --tlswhy build/static/tlswhy --nginx DIR [--root DIR]... [--only NAME]...

DIR is what make-nginx made.

The host is not changed: debug files and the empty root are seen by the processes of a mount namespace only.
"""
import argparse
import contextlib
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

# pylint: disable=wrong-import-position
from lab import clients, nginx, place, rig, tracer
from lab.bench import TESTS, Bench, balanced, require, test
from lab.results import Results
from lab.scenario import Scenario, client

SCENARIOS = (
    Scenario("static_ok", "http", clients.tls(times=3), (client(),)),
    Scenario("static_mtls", "http", clients.tls(), (client("peer_certificate_missing"),),
             conf="ssl_client_certificate @PKI@/ca.pem; ssl_verify_client on;"),
)
CAUSES = [("peer_certificate_missing", 1)]
# Arguments: a directory for the root, the program, the program's arguments. Only what the kernel gives is in there.
EMPTY_ROOT = """
mount -t tmpfs tmpfs "$1"
mkdir "$1/proc" "$1/sys"
mount --rbind /proc "$1/proc"
mount --rbind /sys "$1/sys"
cp "$2" "$1/tlswhy"
root=$1
shift 2
cd "$root"
exec chroot "$root" /tlswhy "$@"
"""
# The same with a root that is there, which stays as it is.
OTHER_ROOT = """
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
mount --rbind /proc "$1/root/proc"
mount --rbind /sys "$1/root/sys"
cp "$3" "$1/root/tlswhy"
root=$1/root
shift 3
cd "$root"
exec chroot "$root" /tlswhy "$@"
"""
# Arguments: a tree that appears in /usr/lib as well, a command.
WITH_LIB = 'mount -t overlay -o "lowerdir=$1:/usr/lib" overlay /usr/lib; shift; exec "$@"'


def in_namespace(script, *arguments):
    """A command in front of another: the script, in a mount namespace of its own. The PID stays."""
    return ["unshare", "--mount", "sh", "-euc", script, "sh", *arguments]


class Prefixed(place.Host):
    """The host, but nginx is started behind a command."""

    def __init__(self, program, prefix):
        super().__init__(program)
        self.prefix = prefix

    def start(self, command, directory, **streams):
        return super().start([*self.prefix, *command], directory, **streams)


class Stand:
    """What the tests need: the program, the nginx in its states, a directory of their own."""

    def __init__(self, tlswhy, programs, directory, roots=()):
        self.roots = [os.path.abspath(root) for root in roots]
        self.tlswhy = os.path.abspath(tlswhy)
        self.programs = os.path.abspath(programs)
        self.dir = directory

    @contextlib.contextmanager
    def bench(self, state=None, prefix=()):
        """A Bench of the nginx in one state, the host's where none is given."""
        where = Prefixed(os.path.join(self.programs, state) if state else "nginx", prefix)
        with tempfile.TemporaryDirectory(dir=self.dir) as directory, \
                rig.Rig(directory, SCENARIOS, workers=1, place=where) as lab:
            yield Bench(self.tlswhy, lab)

    def lib_with(self, debug_file):
        """A tree for WITH_LIB: debug_file lies where that of the hidden nginx would be."""
        [known] = glob.glob(os.path.join(self.programs, "debug", ".build-id", "*", "*.debug"))
        tree = tempfile.mkdtemp(dir=self.dir)
        os.chmod(tree, 0o755)
        wanted = os.path.join(tree, "debug", os.path.relpath(known, os.path.join(self.programs, "debug")))
        os.makedirs(os.path.dirname(wanted))
        shutil.copy(debug_file or known, wanted)
        return tree


def counts_exactly(bench, command):
    """The scenarios' handshakes as a report of the command sees them."""
    reporter = tracer.Reporter(bench.tlswhy, bench.rig.nginx.pid, os.path.join(bench.rig.dir, "report.err"))
    reporter.command = [*command, *reporter.command[1:]]
    with reporter:
        reporter.wait_ready()
        complaints = rig.act_all(bench.rig, bench.rig.targets, 2)
        nginx.wait_until(lambda: not connections(bench), 10, "nginx has let go of its connections")
        report = reporter.report()
    require(not any(complaints.values()), f"lab: {complaints}")
    seen = report["totals"]["client"]
    require((seen["begun"], seen["ok"], seen["failed"]) == (4, 3, 1) and balanced(seen), f"totals: {seen}")
    causes = [(cause["cause"], cause["count"]) for cause in report["causes"]]
    require(report["exact"] and causes == CAUSES, f"exact: {report['exact']}, causes: {causes}")
    return report


def connections(bench):
    ports = {f":{target.port:04X}" for target in bench.rig.targets}
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return [row for row in rows if row[3] == "01" and row[1][-5:] in ports]


def unseen(bench):
    """What check says of a library of which nothing is known; the handshakes are counted all the same."""
    report = counts_exactly(bench, [bench.tlswhy])
    [target] = report["targets"]
    require(target["layout"] == "none", f"{target}")
    checked = bench.run("check", "-p", bench.pid)
    match = re.search(r"^yes  nginx: .*through nginx's own functions, no TLS error or version: (.+)$", checked.stdout,
                      re.MULTILINE)
    require(checked.returncode == 0 and match, f"{checked.returncode}: {checked.stdout}")
    return match[1]


@test
def program_needs_no_library(stand):
    said = subprocess.run(["readelf", "-lWd", stand.tlswhy], check=True, capture_output=True, text=True).stdout
    require("INTERP" not in said and "(NEEDED)" not in said, said)
    require("(FLAGS_1)" in said and "PIE" in said, f"its address is not random: {said}")
    print(f"# {os.path.getsize(stand.tlswhy) / 2**20:.1f} MiB, {stripped_size(stand) / 2**20:.1f} MiB stripped",
          flush=True)


def stripped_size(stand):
    path = os.path.join(stand.dir, "stripped")
    subprocess.run(["strip", "-o", path, stand.tlswhy], check=True)
    return os.path.getsize(path)


@test
def version_says_what_is_missing(stand):
    with stand.bench() as bench:
        first, *missing = bench.run("--version").stdout.splitlines()
        require(re.fullmatch(r"tlswhy \d+\.\d+\.\d+", first), first)
        require(any(line.startswith("without export --listen: ") for line in missing), f"{missing}")
        for arguments in ((), ("--listen", "127.0.0.1:0")):
            done = bench.run("export", *arguments, "-p", bench.pid)
            require(done.returncode == 2 and "no HTTP server" in done.stderr and "--textfile" in done.stderr,
                    f"{done.returncode}: {done.stderr}")


@test
def everything_else_runs(stand):
    with stand.bench() as bench, tempfile.TemporaryDirectory(dir=stand.dir) as directory:
        recording, metrics = os.path.join(directory, "recording"), os.path.join(directory, "metrics.prom")
        for command in (("check", "-p", bench.pid), ("record", "-d", "1", "-o", recording, "-p", bench.pid),
                        ("report", "-i", recording), ("trace", "-i", recording),
                        ("export", "-d", "1", "--textfile", metrics, "-p", bench.pid)):
            done = bench.run(*command)
            require(done.returncode == 0, f"{command[0]}: {done.returncode}: {done.stdout}{done.stderr}")
        with open(metrics) as file:
            require("tlswhy_handshakes_total" in file.read(), "nothing in the text file")


@test
def runs_where_there_is_nothing_else(stand):
    with stand.bench() as bench, tempfile.TemporaryDirectory(dir=stand.dir) as root:
        alone = in_namespace(EMPTY_ROOT, root, stand.tlswhy)
        done = subprocess.run([*alone, "check", "-p", bench.pid], capture_output=True, text=True, timeout=60,
                              check=False)
        require(done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}")
        counts_exactly(bench, alone)


@test
def runs_in_other_roots(stand):
    require(stand.roots, "no roots: --root DIR")
    for root in stand.roots:
        with stand.bench() as bench, tempfile.TemporaryDirectory(dir=stand.dir) as directory:
            inside = in_namespace(OTHER_ROOT, directory, root, stand.tlswhy)
            done = subprocess.run([*inside, "check", "-p", bench.pid], capture_output=True, text=True, timeout=60,
                                  check=False)
            require(done.returncode == 0, f"{root}: {done.returncode}: {done.stdout}{done.stderr}")
            counts_exactly(bench, inside)


def follows(stand, state, lib=None, library_is_host=False):
    """An nginx in a state is traced; lib is seen by nginx, or by tlswhy alone."""
    beside = in_namespace(WITH_LIB, lib) if lib else ()
    with stand.bench(state, () if library_is_host else beside) as bench:
        report = counts_exactly(bench, [*(beside if library_is_host else ()), bench.tlswhy])
        [target] = report["targets"]
        require(target["library"] == target["exe"] == os.path.join(stand.programs, state), f"{target}")
        require(target["library_version"].startswith("OpenSSL "), f"{target}")


@test
def linked_in_with_symbols(stand):
    follows(stand, "symbols")


@test
def linked_in_and_stripped(stand):
    follows(stand, "stripped")


@test
def linked_in_with_local_symbols(stand):
    follows(stand, "hidden-symbols")


@test
def debug_file_in_the_root_of_nginx(stand):
    follows(stand, "hidden", stand.lib_with(None))


@test
def debug_file_on_the_host(stand):
    follows(stand, "hidden", stand.lib_with(None), library_is_host=True)


@test
def hidden_is_said(stand):
    with stand.bench("hidden") as bench:
        said = unseen(bench)
        require("TLS library linked in and hides" in said and os.path.join(stand.programs, "hidden") in said, said)
        require(re.search(r"'/usr/lib/debug/\.build-id/../[0-9a-f]{38}\.debug': there is none$", said), said)


@test
def debug_file_of_another_build_is_refused(stand):
    other = os.path.join(stand.programs, "symbols")
    with stand.bench("hidden", in_namespace(WITH_LIB, stand.lib_with(other))) as bench:
        said = unseen(bench)
        require(said.endswith("what is there is of another build"), said)


def main():
    parser = argparse.ArgumentParser(description="tests of what was linked statically")
    parser.add_argument("--tlswhy", default="build/static/tlswhy", help="the static program")
    parser.add_argument("--nginx", required=True, metavar="DIR", help="what make-nginx made")
    parser.add_argument("--root", action="append", default=[], help="a root directory that the program must run in")
    parser.add_argument("--only", action="append", default=[], help="a test's name or its beginning")
    arguments = parser.parse_args()
    rig.end_tidily()
    results = Results()
    with tempfile.TemporaryDirectory(prefix="tlswhy-static-") as directory:
        os.chmod(directory, 0o755)
        stand = Stand(arguments.tlswhy, arguments.nginx, directory, arguments.root)
        for function in TESTS:
            if not arguments.only or any(function.__name__.startswith(start) for start in arguments.only):
                results.run(function, stand)
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
