# SPDX-License-Identifier: BSD-2-Clause
"""
The row about what tlswhy holds in the kernel when a million connections are open.

So many cannot be opened here. Held connections tell which maps grow with them and by how many entries; a map of the
same shape as each of these is filled with a million times as many, and what the kernel has less then is read from its
own account of memory, for a map's leaves out what the allocator rounds up. Where a listener asks for a client
certificate, which nginx may still refuse after the handshake, a connection leaves more behind. Must not know: the
maps' names.
"""
import os
import re
import subprocess
import tempfile

import kernel
import rows
from stand import Stand, judged
from lab import nginx, watch, worker

IDS = ("kernel-memory", "kernel-memory-asking")
CONNECTIONS, HELD, WORKERS = 1000000, 1500, 8
LEAST_BYTES, LEAST_ENTRIES = 8, 0.5 # a connection, of a map that grows with them
LIMIT_MIB = 128
MIB = 1 << 20


def kernel_bytes():
    """Memory that only the kernel uses: slabs that cannot be reclaimed, per-CPU areas, vmalloc."""
    with open("/proc/meminfo") as file:
        text = file.read()
    return sum(int(re.search(rf"^{name}:\s+(\d+) kB$", text, re.M).group(1)) * 1024
               for name in ("SUnreclaim", "Percpu", "VmallocUsed"))


def held_bytes(pid):
    """What the maps and programs of a process say they weigh."""
    return {(kind, int(fields[kind])): int(fields["memlock"]) for fields in kernel.fdinfo(pid)
            for kind in ("map_id", "prog_id") if kind in fields and "memlock" in fields}


class Twin:
    """A map of the same shape, from `with` to its end."""

    def __init__(self, tools, number, entries):
        self.process = subprocess.Popen([tools.fill, str(number), str(entries)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if not self.process.stdout.readline().startswith("made"):
            raise RuntimeError(f"cannot make a map like {number}")

    def fill(self):
        """(entries, bytes by the kernel's account, bytes by the map's own)"""
        kernel_before, own_before = kernel_bytes(), sum(kernel.map_bytes(self.process.pid).values())
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        entries = int(self.process.stdout.readline().split()[1])
        own = sum(kernel.map_bytes(self.process.pid).values()) - own_before
        return entries, kernel_bytes() - kernel_before, own

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


def growing(stand, watched, port):
    """({map id: (entries, bytes) a held connection}, bytes of everything while none is held)"""
    pid = watched.process.pid
    empty = held_bytes(pid)
    with stand.start_load({"held13": 1}, "--count", HELD, "--concurrency", HELD, "--seconds", 300, port=port) as load:
        nginx.wait_until(lambda: stand.rig.active() == HELD, 60, "held connections")
        for pid_of_worker in stand.rig.nginx.worker_pids():
            worker.wait_idle(pid_of_worker)
        full = held_bytes(pid)
        grown = {number: (size - empty[kind, number]) / HELD for (kind, number), size in full.items()
                 if kind == "map_id" and size - empty[kind, number] > HELD * LEAST_BYTES}
        grown = {number: (len(kernel.bpftool("map", "dump", "id", str(number))) / HELD, each)
                 for number, each in grown.items()}
        judged(load.stop())
    stand.rig.wait_quiet()
    # One that has an entry a worker has grown too, but does not grow with connections.
    return {number: each for number, each in grown.items() if each[0] >= LEAST_ENTRIES}, sum(empty.values())


def told_by_check(tools, pid):
    """What `tlswhy check` says of it, if it does."""
    said = subprocess.run([tools.tlswhy, "check", "-v", "-p", str(pid)], capture_output=True, text=True, timeout=60,
                          check=False).stdout
    return " | ".join(line.strip() for line in said.splitlines() if re.search(r"kernel memory|MiB", line))


def fill_twin(tools, number, entries_each, bytes_each):
    """What a million connections' entries of a map weigh."""
    wanted = round(entries_each * CONNECTIONS)
    with Twin(tools, number, wanted) as twin:
        entries, used, own = twin.fill()
    return {"map": {row["id"]: row["name"] for row in kernel.bpftool("map", "show")}[number], "wanted": wanted,
            "entries": entries, "kernel_bytes": used, "own_bytes": own, "entries_each": entries_each,
            "bytes_each": bytes_each}


def notes_of(found, empty):
    yield f"{empty / MIB:.1f} MiB while nothing is open: maps and programs, by their own account"
    if not found:
        yield f"no map grew with {HELD} held connections"
    for row in found:
        yield (f"{row['map']}: {row['entries']} entries take {row['kernel_bytes'] / MIB:.1f} MiB, "
               f"{row['kernel_bytes'] / row['entries']:.0f} bytes each, {row['own_bytes'] / MIB:.1f} MiB by its own "
               f"account; of {HELD} held connections each has {row['entries_each']:.2f} entries, "
               f"{row['bytes_each']:.0f} bytes")
        if row["entries"] < row["wanted"]:
            yield (f"{row['map']} takes no more: {row['wanted']} were wanted; what nginx rejects later of those "
                   "without an entry is not seen, and counted")


def row_of(tools, stand, identity, what, port):
    with watch.Watch(tools.tlswhy, stand.pid) as watched:
        grown, empty = growing(stand, watched, port)
        found = [fill_twin(tools, number, *each) for number, each in grown.items()]
    total = empty + sum(row["kernel_bytes"] for row in found)
    notes = [*notes_of(found, empty), "check says: " + (told_by_check(tools, stand.pid) or "nothing of it")]
    return rows.Row(identity, what, f"<= {LIMIT_MIB} MiB", f"{total / MIB:.0f} MiB", "",
                    total <= LIMIT_MIB * MIB, tuple(notes), {"maps": found, "empty": empty, "bytes": total})


def run(tools, wanted, _quick):
    what = "kernel memory at 1 million open connections"
    with tempfile.TemporaryDirectory(prefix="tlswhy-bench-") as directory, \
            Stand(os.path.realpath(directory), tools.loadgen, workers=WORKERS, pinned=False) as stand:
        cases = zip(IDS, (what, what + " that were asked for a certificate"), (stand.rig.plain, stand.asking))
        return [row_of(tools, stand, *case) for case in cases if wanted(case[0])]
