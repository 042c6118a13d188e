# SPDX-License-Identifier: BSD-2-Clause
"""
What the kernel says of a process that holds BPF programs: where they are attached, how often they ran and for how
long, what its maps weigh.

Must not know: whose process it is.
"""
import contextlib
import ctypes
import json
import os
import platform
import re
import subprocess

BPF_ENABLE_STATS = 32
SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
LIBC = ctypes.CDLL(None, use_errno=True)


def bpftool(*arguments):
    done = subprocess.run(["bpftool", "--json", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout or "[]")


@contextlib.contextmanager
def statistics():
    """Runs of all programs are counted and timed, from `with` to its end; others may hold the same."""
    attributes = ctypes.create_string_buffer(128) # type 0: BPF_STATS_RUN_TIME
    descriptor = LIBC.syscall(SYS_BPF, BPF_ENABLE_STATS, attributes, ctypes.sizeof(attributes))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "bpf_enable_stats")
    try:
        yield
    finally:
        os.close(descriptor)


def fdinfo(pid):
    """What each of a process's descriptors says: {key: value}"""
    directory = f"/proc/{pid}/fdinfo"
    for name in os.listdir(directory):
        with contextlib.suppress(FileNotFoundError), open(os.path.join(directory, name)) as info:
            yield dict(re.findall(r"^(\w+):\s+(\S+)$", info.read(), re.M))


def program_runs(pid):
    """{program id: (runs, nanoseconds)}; a program has one entry however many descriptors lead to it."""
    return {int(fields["prog_id"]): (int(fields["run_cnt"]), int(fields["run_time_ns"]))
            for fields in fdinfo(pid) if "run_cnt" in fields}


def program_names():
    return {program["id"]: program.get("name", "") for program in bpftool("prog", "show")}


def attached(pid):
    """Rows of what a process has attached to perf events and tracepoints: {"prog_id", "fd_type", ...}"""
    return [row for row in bpftool("perf", "show") if row["pid"] == pid]


def map_bytes(pid):
    """{map id: bytes of memory}"""
    return {int(fields["map_id"]): int(fields["memlock"]) for fields in fdinfo(pid) if "map_id" in fields}
