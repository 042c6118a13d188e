# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of what the probes meet besides nginx: processes that map the same library. Run by cli.py.

The handshakes of this process with itself are foreign ones; nginx has no part in them.
"""
import contextlib
import glob
import json
import os
import re
import signal
import ssl
import threading

from lab.bench import balanced, report_of, require, test

LIMIT_PERCENT = "0.05" # 100 hits a second: a handshake in memory is a dozen, and takes a millisecond
ENDED = re.compile(r"^tlswhy: the watch ends early: .* (\d+) times a second, about \S+ % of a core$", re.M)


def shake(server):
    """A handshake in memory; both sides are ours."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    waiting = [client.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)]
    while waiting:
        for side in list(waiting):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
                waiting.remove(side)


@contextlib.contextmanager
def shaking(bench):
    """Foreign handshakes without a pause."""
    server, stop = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), threading.Event()
    server.load_cert_chain(os.path.join(bench.rig.pki.dir, "leaf.pem"), os.path.join(bench.rig.pki.dir, "leaf.key"))
    shake(server)

    def run():
        while not stop.is_set():
            shake(server)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)


@test
def foreign_budget_ends_the_watch(bench):
    """Above the budget the watch ends and reports what it saw, exactly; without a limit it goes on."""
    arguments = ("report", "-d", "600", "--format", "json", "--foreign-budget")
    with bench.watching(*arguments, "0") as unlimited, bench.watching(*arguments, LIMIT_PERCENT) as limited:
        for _ in range(3):
            bench.visit()
        with shaking(bench):
            short = report_of(limited, 120)
        said = limited.said()
        require(unlimited.poll() is None, f"without a limit it ended with {unlimited.returncode}")
        unlimited.send_signal(signal.SIGINT)
        whole = report_of(unlimited)
        require("ends early" not in unlimited.said(), f"without a limit: {unlimited.said()!r}")
    found = ENDED.search(said)
    require(found and int(found[1]) > 100, f"stderr is {said!r}")
    require("\nhint: --foreign-budget PERCENT" in said, f"no hint: {said!r}")
    require(short["window"]["seconds"] < whole["window"]["seconds"] < 600, "it did not end before the other")
    for report in (short, whole):
        totals = report["totals"]["client"]
        require(report["exact"] is True and balanced(totals), f"not exact: {totals}")
        require((totals["begun"], totals["ok"]) == (3, 3), f"totals {totals}")


def mapped(pid, path):
    """What of a process's mappings is of such a file: {(device, inode)}."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/maps") as file:
        rows = [line.split() for line in file]
        return {(row[3], row[4]) for row in rows if row[4] != "0" and path in row[-1]}
    return set()


def sharing(bench):
    """Processes that map nginx's libssl or libcrypto, but nginx's own."""
    wanted = mapped(bench.pid, "/libssl.so.") | mapped(bench.pid, "/libcrypto.so.")
    own = {bench.rig.nginx.pid, *bench.rig.nginx.worker_pids()}
    pids = {int(path.split("/")[2]) for path in glob.glob("/proc/[0-9]*")} - own
    return {pid for pid in pids if mapped(pid, "/lib") & wanted}


@test
def check_lists_foreign_processes(bench):
    """Number and names. Others come and go on this host while it counts, ours do not."""
    before = sharing(bench)
    rows = json.loads(bench.run("check", "--format", "json", "-p", bench.pid).stdout)["requirements"]
    after = sharing(bench)
    [row] = [row for row in rows if row["requirement"] == "what else the probes meet"]
    match = re.fullmatch(r"(\d+) other process(?: maps|es map) this library: (.+?)(?: and (\d+) more)?", row["found"])
    require(row["met"] and not row["needed"] and match, f"{row}")
    named = {int(pid): name for name, pid in re.findall(r"(?:^|, )(.+?) \((\d+)\)", match[2])}
    count = int(match[1])
    require(os.getpid() in before, "this process does not share nginx's library: this test cannot see anything")
    require(len(before & after) <= count <= len(before | after), f"{before} or {after}, but {row['found']!r}")
    require(len(named) + int(match[3] or 0) == count and len(named) == min(count, 5), f"{row['found']!r}")
    require(set(named) <= before | after, f"{named} are not all of {before | after}")
    with open("/proc/self/comm") as file:
        require(count > 5 or named[os.getpid()] == file.read().strip(), f"{named}")
