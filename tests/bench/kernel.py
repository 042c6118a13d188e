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

BPF_OBJ_GET_INFO_BY_FD, BPF_LINK_GET_FD_BY_ID, BPF_ENABLE_STATS = 15, 30, 32
LINK_UPROBE_MULTI, UPROBE_MULTI_RETURN = 12, 1
SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
LIBC = ctypes.CDLL(None, use_errno=True)


def bpftool(*arguments):
    done = subprocess.run(["bpftool", "--json", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout or "[]")


def bpf(command, attributes):
    """bpf(2): what it returns; raises where it fails."""
    result = LIBC.syscall(SYS_BPF, command, ctypes.byref(attributes), ctypes.sizeof(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf command {command}")
    return result


class LinkInfo(ctypes.Structure):
    """The part of struct bpf_link_info that uprobe_multi links fill (kernel commit e56fdbfb06e2, 6.8)."""
    _fields_ = [("type", ctypes.c_uint32), ("id", ctypes.c_uint32), ("prog_id", ctypes.c_uint32),
                ("hole", ctypes.c_uint32), ("path", ctypes.c_uint64), ("offsets", ctypes.c_uint64),
                ("ref_ctr_offsets", ctypes.c_uint64), ("cookies", ctypes.c_uint64), ("path_size", ctypes.c_uint32),
                ("count", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("pid", ctypes.c_uint32)]


class InfoRequest(ctypes.Structure):
    """The part of union bpf_attr that BPF_OBJ_GET_INFO_BY_FD reads."""
    _fields_ = [("fd", ctypes.c_uint32), ("size", ctypes.c_uint32), ("info", ctypes.c_uint64)]


def link_sites(number):
    """[(path, offset, is_return)] of a uprobe_multi link; empty where it is another."""
    path, offsets = ctypes.create_string_buffer(4096), (ctypes.c_uint64 * 256)()
    info = LinkInfo(path=ctypes.addressof(path), path_size=len(path), offsets=ctypes.addressof(offsets),
                    count=len(offsets))
    # Only a link of this type takes what it is given as addresses.
    plain = LinkInfo()
    descriptor = bpf(BPF_LINK_GET_FD_BY_ID, ctypes.c_uint32(number))
    try:
        bpf(BPF_OBJ_GET_INFO_BY_FD, InfoRequest(descriptor, ctypes.sizeof(plain), ctypes.addressof(plain)))
        if plain.type != LINK_UPROBE_MULTI:
            return []
        bpf(BPF_OBJ_GET_INFO_BY_FD, InfoRequest(descriptor, ctypes.sizeof(info), ctypes.addressof(info)))
    finally:
        os.close(descriptor)
    return [(path.value.decode(), offset, bool(info.flags & UPROBE_MULTI_RETURN)) for offset in offsets[:info.count]]


@contextlib.contextmanager
def statistics():
    """Runs of all programs are counted and timed, from `with` to its end; others may hold the same."""
    attributes = ctypes.create_string_buffer(128) # type 0: BPF_STATS_RUN_TIME
    descriptor = bpf(BPF_ENABLE_STATS, attributes)
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


def missed_runs(pid):
    """How often a program was not run, for the CPU was in the middle of it."""
    return sum({int(fields["prog_id"]): int(fields["recursion_misses"]) for fields in fdinfo(pid)
                if "recursion_misses" in fields}.values())


def program_names():
    return {program["id"]: program.get("name", "") for program in bpftool("prog", "show")}


def attached(pid):
    """Rows of what a process has attached to perf events and tracepoints: {"prog_id", "fd_type", ...}"""
    return [row for row in bpftool("perf", "show") if row["pid"] == pid]


def multi_sites(pid):
    """The same of what it has attached by uprobe_multi links: [(path, offset, is_return)]"""
    numbers = {int(fields["link_id"]) for fields in fdinfo(pid) if "link_id" in fields}
    return [site for number in sorted(numbers) for site in link_sites(number)]


def map_bytes(pid):
    """{map id: bytes of memory}"""
    return {int(fields["map_id"]): int(fields["memlock"]) for fields in fdinfo(pid) if "map_id" in fields}
