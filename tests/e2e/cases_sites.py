# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of where the probes are: what `check -v` says, what the files have there, and where the kernel's breakpoints are
in a worker's memory. Run by cli.py.
"""
import json
import os

from lab import nginx
from lab.bench import require, test

BREAKPOINT = b"\xcc"
KEYS = {"file", "function", "part", "probe", "offset", "file_offset", "instruction", "emulated", "reason"}


def told(bench):
    """The rows of `check -v`, which without it are not told."""
    done = bench.run("check", "--format", "json", "-p", bench.pid)
    require("sites" not in json.loads(done.stdout), "check tells sites unasked")
    done = bench.run("check", "-v", "--format", "json", "-p", bench.pid)
    require(done.returncode == 0, f"check: {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)["sites"]


def is_emulated(code):
    """Instructions that arch/x86/kernel/uprobes.c emulates: push of a register, nop, jumps."""
    if code[0] == 0x41:
        return 0x50 <= code[1] <= 0x57
    if code[0] == 0x0f:
        return 0x80 <= code[1] <= 0x8f
    return 0x50 <= code[0] <= 0x57 or 0x70 <= code[0] <= 0x7f or code[0] in (0x90, 0xe9, 0xeb)


def code_at(row, count):
    with open(row["file"], "rb") as file:
        return os.pread(file.fileno(), count, row["file_offset"])


def address_in(pid, row):
    """Where a process has the byte of a file."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            fields = line.split()
            start, end = (int(number, 16) for number in fields[0].split("-"))
            offset = int(fields[2], 16)
            if fields[-1] == os.path.realpath(row["file"]) and offset <= row["file_offset"] < offset + end - start:
                return start + row["file_offset"] - offset
    return None


def byte_in(pid, address):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        return os.pread(memory.fileno(), 1, address)


@test
def sites_are_told(bench):
    """Each probe's place, with what the file has there; one on SSL_free, two on SSL_do_handshake at one place."""
    rows = told(bench)
    for row in rows:
        require(set(row) == KEYS, f"keys: {sorted(row)}")
        require(row["emulated"] == (row["reason"] is None), f"{row}")
        if os.uname().machine == "x86_64":
            require(row["emulated"] == is_emulated(code_at(row, 2)), f"{row}: {code_at(row, 8).hex()}")
    at = {(row["function"], row["probe"]): row["file_offset"] for row in rows}
    require(len(at) == len(rows), f"a probe is told twice: {rows}")
    require(("SSL_free", "entry") in at, f"{sorted(at)}")
    require(at["SSL_do_handshake", "entry"] == at["SSL_do_handshake", "return"], "two breakpoints where one does")
    text = bench.run("check", "-v", "-p", bench.pid).stdout
    require(sum(" entry: '" in line or " return: '" in line for line in text.splitlines()) == len(rows), text)
    require("Where the probes" not in bench.run("check", "-p", bench.pid).stdout, "the text tells sites unasked")


@test
def breakpoints_are_where_it_says(bench):
    """In a worker's memory there is a breakpoint at each place while tlswhy watches, and none at the entries beside."""
    rows = told(bench)
    worker = bench.rig.nginx.worker_pids()[0]
    places = {address_in(worker, row): row for row in rows}
    require(None not in places, f"{rows}: not mapped")
    entries = {address - row["offset"] for address, row in places.items()} - set(places)

    def bytes_now():
        return {address: byte_in(worker, address) for address in [*places, *entries]}

    nginx.wait_until(lambda: BREAKPOINT not in bytes_now().values(), 10, "free of breakpoints")
    before = bytes_now()
    with bench.tracing() as traced:
        for address, row in places.items():
            require(byte_in(worker, address) == BREAKPOINT, f"no breakpoint: {row}")
        for address in entries:
            require(byte_in(worker, address) == before[address], f"a breakpoint at the entry {address:#x}")
        bench.visit()
        require(traced.wait_events(lambda events: len(events) == 1), "the handshake was not seen")
    nginx.wait_until(lambda: bytes_now() == before, 10, "free of breakpoints again")
