# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of recordings: what a live report and trace print is what their recording prints, totals and secrets, damage, a
full disk. Run by cli.py.
"""
import concurrent.futures
import contextlib
import json
import os
import signal
import struct
import subprocess
import tempfile
import time
import unittest.mock

import demo
from lab import clients, raw, rig, wire
from lab.bench import Bench, balanced, require, test
from scenarios import BY_NAME

FAILURE, USAGE = 1, 2
SETTLE_SECONDS = 1.3
# In no byte of certificates, names or numbers of the lab.
PLANTED = {"random": b"RANDOM-planted-1", "session id": b"SESSION-planted2", "ticket": b"TICKET-planted-3",
           "identity": b"PSK-ID-planted-4", "binder": b"BINDER-planted-5", "cookie": b"COOKIE-planted-6",
           "key share": b"KEYSHR-planted-7"}
EXT_TICKET, EXT_COOKIE = 35, 44


def require_same(got, want, what):
    if got == want:
        return
    at = next((i for i, pair in enumerate(zip(got, want)) if pair[0] != pair[1]), min(len(got), len(want)))
    require(False, f"{what}: differs at {at}: {got[at - 30:at + 30]!r}, live was {want[at - 30:at + 30]!r}")


def hello_of_secrets(cipher=0x1305):
    """
    A hello that offers to resume, with a marked value wherever one must not be kept. By default nginx refuses it at
    once, for its cipher.
    """
    extra = wire.extension(EXT_TICKET, PLANTED["ticket"] * 4)
    extra += wire.extension(EXT_COOKIE, wire.vector(PLANTED["cookie"] * 2, 2))
    extra += wire.pre_shared_key(PLANTED["identity"] * 4, PLANTED["binder"] * 2)
    with unittest.mock.patch.dict(wire.KEY_SHARES, {wire.X25519: PLANTED["key share"] * 2}):
        hello = wire.client_hello(versions=(wire.TLS13,), ciphers=(cipher,), groups=(wire.X25519,), extra=extra,
                                  sni="planted.test", session_id=PLANTED["session id"] * 2)
    return hello.replace(wire.RANDOM, PLANTED["random"] * 2)


def visit_in_many_ways(bench):
    """Good and bad, held and amended, and a hello full of what must not be kept."""
    for _ in range(3):
        bench.visit()
        clients.refuse(48)(bench.target)
    for hello in (hello_of_secrets(), wire.client_hello(versions=(wire.TLS13,), ciphers=(0x1305,))):
        sock = clients.connect(bench.target)
        sock.sendall(hello)
        raw.drain(sock)
        sock.close()
    sock = clients.connect(bench.target)
    sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
    raw.drain(sock)
    sock.close()


def recorded(bench, name, *arguments, option="--record"):
    """Runs a command that records while visitors come. (path of the recording, what the command printed)"""
    path = os.path.join(bench.rig.dir, name)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with bench.watching(*arguments, option, path) as process:
        visit_in_many_ways(bench)
        time.sleep(SETTLE_SECONDS)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    require(process.returncode == 0, f"{arguments}: exit code {process.returncode}")
    return path, output


def replay(bench, *arguments, code=0):
    done = bench.run(*arguments)
    require(done.returncode == code, f"{arguments}: exit code {done.returncode}: {done.stderr!r}")
    return done


@test
def replay_is_the_live_report(bench):
    for form in ("text", "json"):
        path, live = recorded(bench, "report.rec", "report", "--format", form)
        require(len(live) > 500, f"the live report is {live!r}")
        require_same(replay(bench, "report", "--format", form, "-i", path).stdout, live, f"report, {form}")


@test
def replay_is_the_live_trace(bench):
    for options in (("--format", "text"), ("--format", "json"), ("--live",)):
        path, live = recorded(bench, "trace.rec", "trace", *options)
        require(len(live.splitlines()) >= 8, f"the live trace is {live!r}")
        require_same(replay(bench, "trace", *options, "-i", path).stdout, live, f"trace {options}")


@test
def replay_of_the_demo(bench):
    """Many causes, both directions, held verdicts, amendments: one watch of each kind at the same time."""
    scenarios = [BY_NAME[name] for name in demo.HEALTHY + demo.BROKEN]
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="tlswhy-replay-"))
        lab = stack.enter_context(rig.Rig(directory, scenarios))
        watched = Bench(bench.tlswhy, lab)
        kinds = (("report", "text"), ("report", "json"), ("trace", "text"), ("trace", "json"))
        runs = [(kind, os.path.join(directory, "-".join(kind) + ".rec")) for kind in kinds]
        processes = [stack.enter_context(watched.watching(kind[0], "--format", kind[1], "--record", path))
                     for kind, path in runs]
        readers = [stack.enter_context(concurrent.futures.ThreadPoolExecutor(1)) for _ in runs]
        outputs = [reader.submit(process.stdout.read) for reader, process in zip(readers, processes)]
        rig.act_all(lab, lab.targets, 4)
        time.sleep(SETTLE_SECONDS)
        for process in processes:
            process.send_signal(signal.SIGINT)
        lives = [output.result(60) for output in outputs]
        for (kind, path), live in zip(runs, lives):
            require(len(live) > 2000, f"{kind}: the live output is {live!r}")
            require_same(replay(bench, kind[0], "--format", kind[1], "-i", path).stdout, live, " ".join(kind))


@test
def recording_from_standard_input(bench):
    """As `zstdcat x.rec.zst | tlswhy report -i -`, through a pipe, alone and beside a file."""
    path, live = recorded(bench, "piped.rec", "report", "--format", "json")
    piped = ("sh", "-c", 'path=$1; shift; cat "$path" | "$@"', "sh", path)
    done = bench.run("report", "--format", "json", "-i", "-", prefix=piped)
    require(done.returncode == 0, f"exit code {done.returncode}: {done.stderr!r}")
    require_same(done.stdout, live, "report of a pipe")
    twice = json.loads(bench.run("report", "--format", "json", "-i", path, "-i", "-", prefix=piped).stdout)
    begun = [report["totals"]["client"]["begun"] for report in (json.loads(live), twice)]
    require(begun[1] == 2 * begun[0] > 0, f"alone and twice: {begun}")
    cut = bench.run("report", "-i", "-", prefix=("sh", "-c", 'path=$1; shift; head -c 3000 "$path" | "$@"', "sh", path))
    require(cut.returncode == FAILURE and "'-', offset 3000: " in cut.stderr, f"cut off: {cut}")


@test
def replay_needs_no_privilege(bench):
    path, _ = recorded(bench, "mine.rec", "record", option="-o")
    os.chmod(path, 0o644)
    os.chmod(bench.rig.dir, 0o755)
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    report = json.loads(bench.run("report", "--format", "json", "-i", path, prefix=drop).stdout)
    require(report["exact"] is True, "the replayed report is not exact")
    totals = report["totals"]["client"]
    require(balanced(totals) and totals["begun"] == 9 and totals["ok"] == 3, f"totals {totals}")
    counted = sum(row["count"] for row in report["causes"])
    require(counted == totals["failed"] == 6, f"{counted} by cause, totals {totals}")


@test
def recording_is_for_its_owner(bench):
    path, _ = recorded(bench, "mine.rec", "record", option="-o")
    require(os.stat(path).st_mode & 0o777 == 0o600, f"mode {os.stat(path).st_mode:o}")


@test
def recording_replaces_nothing(bench):
    path = os.path.join(bench.rig.dir, "precious")
    with open(path, "w") as file:
        file.write("precious")
    link = os.path.join(bench.rig.dir, "link")
    os.symlink("elsewhere", link)
    for name in (path, link):
        done = bench.run("record", "-d", "1", "-o", name, "-p", bench.pid)
        require(done.returncode == FAILURE and name in done.stderr and "hint: " in done.stderr, f"{done}")
    with open(path) as file:
        require(file.read() == "precious", "it was written to")
    require(not os.path.exists(os.path.join(bench.rig.dir, "elsewhere")), "a symbolic link was followed")
    os.unlink(link)


@test
def failed_attach_leaves_no_file(bench):
    path = os.path.join(bench.rig.dir, "none.rec")
    done = bench.run("record", "-d", "1", "-o", path, "-p", str(os.getpid()))
    require(done.returncode == USAGE and not os.path.exists(path), f"{done}, left: {os.path.exists(path)}")


@test
def nothing_secret_is_kept(bench):
    """What a client sent and must not be kept is neither in the file nor in what is printed of it."""
    path, _ = recorded(bench, "secrets.rec", "record", option="-o")
    with open(path, "rb") as file:
        data = file.read()
    said = [replay(bench, command, "--format", form, "-i", path).stdout.encode()
            for command in ("report", "trace") for form in ("text", "json")]
    require(b"planted.test" in data and b"planted.test" in b"".join(said), "the hello itself is missing")
    require(all(value in hello_of_secrets() for value in PLANTED.values()), "the hello holds not all of it")
    found = [name for name, value in PLANTED.items() for place in (data, *said)
             if value in place or value.hex().encode() in place.lower()]
    require(not found, f"kept: {found}")


@test
def two_recordings_are_one_report(bench):
    paths = [recorded(bench, name, "record", option="-o")[0] for name in ("one.rec", "two.rec")]
    reports = [json.loads(replay(bench, "report", "--format", "json", "-i", path).stdout) for path in paths]
    arguments = [word for path in reversed(paths) for word in ("-i", path)]
    both = json.loads(replay(bench, "report", "--format", "json", *arguments).stdout)
    for direction, totals in both["totals"].items():
        sums = {key: sum(report["totals"][direction][key] for report in reports) for key in totals}
        require(totals == sums, f"{direction}: {totals}, the parts add up to {sums}")
    def causes(report):
        return {row["cause"]: row["count"] for row in report["causes"]}
    want = {cause: sum(causes(report).get(cause, 0) for report in reports) for cause in causes(reports[0])}
    require(causes(both) == want and both["exact"] is True, f"causes {causes(both)}, the parts add up to {want}")
    require(both["window"]["start"] == reports[0]["window"]["start"], f"window {both['window']}")
    seconds = sum(report["window"]["seconds"] for report in reports)
    require(both["window"]["seconds"] > seconds, "the window is no union")
    lines = [json.loads(line)["time"] for line in
             replay(bench, "trace", "--live", "--format", "json", *arguments).stdout.splitlines()]
    require(len(lines) == both["totals"]["client"]["begun"] and lines == sorted(lines), f"times {lines}")


@test
def damaged_recordings(bench):
    path, _ = recorded(bench, "whole.rec", "record", option="-o")
    with open(path, "rb") as file:
        data = file.read()
    header = struct.unpack("<I", data[12:16])[0]
    def damaged(content, *words):
        broken = os.path.join(bench.rig.dir, "broken.rec")
        with open(broken, "wb") as file:
            file.write(content)
        done = replay(bench, "report", "-i", broken, code=FAILURE)
        for word in (broken, *words):
            require(word in done.stderr, f"no {word!r} in {done.stderr!r}")
        return done.stdout
    said = damaged(data[:-200], f"offset {len(data) - 200}")
    require("settled handshakes" in said and "not exact" in said, f"of a cut file: {said!r}")
    require("not exact" in damaged(data[:header], f"offset {header}"), "a header alone")
    require(not damaged(data[:header - 1], f"offset {header - 1}"), "half a header")
    require(not damaged(b"GIF89a" + data, "offset 0", "not a recording"), "another kind of file")
    later = data[:8] + struct.pack("<I", 2) + data[12:]
    require(not damaged(later, "offset 8", "format 2"), "a later version")
    require(not damaged(b"", "offset 0"), "nothing")


@test
def usage_of_recordings(bench):
    for arguments in (["report", "-i", "x", "-p", "1"], ["report", "-i", "x", "-d", "1"],
                      ["trace", "-i", "x", "-p", "1"], ["trace", "-i", "x", "--record", "y"],
                      ["record", "-i", "x", "-o", "y"], ["record"], ["check", "-i", "x"],
                      ["trace", "-i", "-", "-i", "-"]):
        done = bench.run(*arguments)
        require(done.returncode == USAGE and "hint: " in done.stderr, f"{arguments}: {done}")


@contextlib.contextmanager
def small_disk(directory, size):
    os.makedirs(directory, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


@test
def full_disk(bench):
    """record ends with an error, report goes on and reports all; what is in the file can be read."""
    with small_disk(os.path.join(bench.rig.dir, "disk"), "8k") as disk:
        path = os.path.join(disk, "full.rec")
        with bench.watching("record", "-o", path) as process:
            for _ in range(40):
                bench.visit()
            process.wait(60)
        require(process.returncode == FAILURE, f"record: exit code {process.returncode}")
        size = os.path.getsize(path)
        done = replay(bench, "report", "-i", path, code=FAILURE)
        require(f"offset {size}" in done.stderr and "not exact" in done.stdout, f"{size} bytes: {done}")
        os.unlink(path)
        with bench.watching("report", "--format", "json", "--record", path) as process:
            for _ in range(40):
                bench.visit()
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        require(process.returncode == FAILURE, f"report: exit code {process.returncode}")
        report = json.loads(output)
        require(report["exact"] is True and report["totals"]["client"]["ok"] == 40, f"report {report['totals']}")
