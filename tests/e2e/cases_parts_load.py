# SPDX-License-Identifier: BSD-2-Clause
"""
The parts of ten thousand handshakes, and of recordings that are cut in two and merged again.
"""
import collections
import contextlib
import json
import os
import statistics
import struct
import subprocess

from lab import loadrig, tracer, worker
from lab.bench import require, takes_long, test
from lab.moves import PARTS, sum_faults

HANDSHAKES, CONCURRENCY = 10000, 32
MIX = {"ok13": 2, "ok12": 1, "resumed13": 2, "resumed12": 1}
# With failures, of which some end in the middle.
WIDE_MIX = {"ok13": 2, "ok12": 1, "resumed13": 1, "no_shared_cipher": 1, "unknown_ca": 1, "close_mid": 1}
RECORDED = 2000
EACH, BOTH_MIX = 400, "ok13=2,ok12=1,no_shared_cipher=1"
WIDE_RING = ("--ring-bytes", str(64 << 20))
UNATTRIBUTED_RATIO = 0.05
PREAMBLE_BYTES, FRAME_BYTES, FRAME_RECORD = 32, 8, 17


def run_load(stand, mix, count):
    """What must have been counted."""
    stand.mark_log()
    with stand.load(mix, count=count, concurrency=CONCURRENCY) as load:
        result = load.wait()
    stand.wait_quiet()
    reasons = loadrig.void_reasons(result) + loadrig.log_reasons(result, stand.log_counts())
    require(not reasons, f"void: {reasons}")
    return loadrig.expected(result)


def told(events):
    """The same of events: {"ok", "failed", "resumed", "causes"}"""
    causes = collections.Counter(event["cause"] for event in events)
    passed = causes.pop("ok", 0)
    return {"ok": passed, "failed": sum(causes.values()), "causes": dict(causes),
            "resumed": sum(bool(event["resumed"]) for event in events)}


def shares(events):
    """Of the whole, in percent: each part at the median handshake, and of all together."""
    whole = sum(event["whole_seconds"] for event in events)
    for name in PARTS:
        values = [event["parts"][name + "_seconds"] or 0.0 for event in events]
        median = statistics.median(value / event["whole_seconds"] for value, event in zip(values, events))
        yield name, 100 * median, 100 * sum(values) / whole


@test
def ten_thousand_handshakes(lab):
    """Counted exactly, each adds up, and nearly nothing of them is unattributed."""
    with loadrig.Rig(lab.directory("many"), lab.pki, lab.loadgen) as stand:
        path = os.path.join(stand.nginx.dir, "trace.err")
        traced = tracer.Tracer(lab.tlswhy, stand.nginx.pid, path, WIDE_RING)
        with traced:
            traced.wait_ready()
            want = run_load(stand, MIX, HANDSHAKES)
            traced.wait_events(lambda events: len(events) >= want["begun"])
    events = [event for _, event in traced.events]
    wrong = [fault for event in events for fault in sum_faults(event)]
    require(not wrong, f"{len(wrong)} are wrong: {wrong[:2]}")
    found = told(events)
    require(found == {key: want[key] for key in found}, f"traced {found}, must be {want}")
    table = {name: (median, total) for name, median, total in shares(events)}
    print("# of the whole, at the median and of all: " +
          ", ".join(f"{name} {median:.2f} % {total:.2f} %" for name, (median, total) in table.items()), flush=True)
    require(table["unattributed"][0] <= 100 * UNATTRIBUTED_RATIO, f"unattributed: {table['unattributed'][0]:.1f} %")


def frames(data):
    """Where each frame behind the header begins, and its kind."""
    at = struct.unpack_from("<I", data, 12)[0]
    while at < len(data):
        size, kind = struct.unpack_from("<IH", data, at)
        yield at, kind
        at += FRAME_BYTES + size


def cut(path, parts):
    """
    The recording as two, cut behind half of its records: each has the header, the second the end, so of the first a
    reader says that it was cut.
    """
    with open(path, "rb") as file:
        data = file.read()
    starts = list(frames(data))
    records = [at for at, kind in starts if kind == FRAME_RECORD]
    middle = records[len(records) // 2]
    for part, body in zip(parts, (data[starts[0][0]:middle], data[middle:])):
        with open(part, "wb") as file:
            file.write(data[:starts[0][0]] + body)
    return len(records)


def replay(lab, paths):
    words = [word for path in paths for word in ("-i", path)]
    done = subprocess.run([lab.tlswhy, "report", "--format", "json", *words], capture_output=True, text=True,
                          timeout=60, check=False)
    require(done.stdout, f"report of {paths}: {done.returncode} {done.stderr}")
    return json.loads(done.stdout)


def histograms(value, path=""):
    """{where: histogram} of a report, rows of a list by what names them."""
    if isinstance(value, dict):
        if "buckets" in value:
            return {path: {key: value[key] for key in ("count", "sum", "max", "buckets")}}
        items = value.items()
    elif isinstance(value, list):
        names = ("direction", "cause", "version", "cipher", "pid", "generation", "kind", "authentication", "resumed")
        items = ((" ".join(str(row[name]) for name in names if name in row) if isinstance(row, dict) else str(index),
                  row) for index, row in enumerate(value))
    else:
        return {}
    found = {}
    for key, item in items:
        found |= histograms(item, f"{path}/{key}")
    return found


@contextlib.contextmanager
def recording(lab, path, pids):
    """From attached to the end of the recording."""
    command = [lab.tlswhy, "record", "-o", path, *tracer.only(pids), *tracer.NO_BUDGET, *WIDE_RING]
    with tracer.Child(command, path + ".err") as child:
        child.wait_ready()
        yield
        require(child.stop() == 0, f"record: {child.stderr()}")


@test
def recordings_merge_exactly(lab):
    """One recording, and the same as two: every histogram is the same, to the count."""
    with loadrig.Rig(lab.directory("merged"), lab.pki, lab.loadgen) as stand:
        whole, *halves = (os.path.join(stand.nginx.dir, name) for name in ("whole", "first", "second"))
        with recording(lab, whole, stand.nginx.pid):
            want = run_load(stand, WIDE_MIX, RECORDED)
        records = cut(whole, halves)
        one, two = replay(lab, [whole]), replay(lab, halves)
    require(records >= want["begun"], f"{records} records of {want['begun']} handshakes")
    wanted, found = histograms(one), histograms(two)
    require(wanted and wanted.keys() == found.keys(), f"histograms differ: {wanted.keys() ^ found.keys()}")
    count = sum(value["count"] for where, value in wanted.items() if where.endswith("/latency_seconds"))
    require(count >= want["begun"], f"{count} latencies of {want['begun']} handshakes")
    different = [f"{where}: {found[where]}, not {wanted[where]}" for where in wanted if wanted[where] != found[where]]
    print(f"# {records} records, {len(wanted)} histograms", flush=True)
    require(not different, f"{len(different)} differ: {different[:1]}")


@test
@takes_long
def two_recordings_are_one_of_both(lab):
    """
    Two nginx, each recorded alone and both together, at once: merged, the two count what the third one counts. Each
    takes its own times, so the counts are compared, not the buckets.
    """
    stands, pids = (lab.near, lab.busy), [stand.nginx.pid for stand in (lab.near, lab.busy)]
    first, second, both = (os.path.join(lab.dir, name) for name in ("first", "second", "both"))
    with recording(lab, first, pids[0]), recording(lab, second, pids[1]), recording(lab, both, pids):
        for stand in stands:
            command = [lab.loadgen, "--port", stand.ports["ec"], "--count", EACH, "--mix", BOTH_MIX]
            load = json.loads(subprocess.run(map(str, command), stdout=subprocess.PIPE, check=True, timeout=60).stdout)
            require(load["carried"] == EACH, f"void: {load}")
            worker.wait_idle(stand.worker)
    merged, one = (replay(lab, paths) for paths in ([first, second], [both]))
    counts = [{where: value["count"] for where, value in histograms(report).items()} for report in (merged, one)]
    require(counts[0] == counts[1], f"{counts[0]} merged, {counts[1]} as one")
    require(merged["totals"] == one["totals"], f"{merged['totals']} merged, {one['totals']} as one")
    require(one["totals"]["client"]["begun"] == 2 * EACH, f"totals {one['totals']}")
