# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of libraries that are damaged, hostile or gone: each is named in one line, and a healthy nginx beside it is
watched as ever. Run by cli.py.

No nginx could run with such a library; a process that only maps the file stands for it.
"""
import contextlib
import os
import shutil
import struct
import subprocess
import tempfile
import time

from lab import clients, container, nginx
from lab.bench import require, takes_long, test

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lab", "impostor.c")
TITLE = "nginx: master process impostor"
EHDR = "<16sHHIQQQIHHHHHH"
SHOFF, SHNUM, SHSTRNDX = 6, 12, 13


def real(name):
    return next(path for path in container.libraries_of("/usr/sbin/nginx") if name in path)


def whole():
    with open(real("libssl"), "rb") as file:
        return file.read()


def with_header(change):
    """libssl with other numbers in its ELF header."""
    data = whole()
    header = list(struct.unpack_from(EHDR, data))
    change(header)
    return struct.pack(EHDR, *header) + data[struct.calcsize(EHDR):]


def with_sections(change):
    """libssl with other section headers: change(index, [name, type, flags, addr, offset, size, link, ...])."""
    data = bytearray(whole())
    header = struct.unpack_from(EHDR, data)
    for index in range(header[SHNUM]):
        place = header[SHOFF] + index * 64
        section = list(struct.unpack_from("<IIQQQQIIQQ", data, place))
        change(index, section)
        struct.pack_into("<IIQQQQIIQQ", data, place, *section)
    return bytes(data)


def sections_beyond_the_end(header):
    header[SHOFF] = 1 << 62


def sizes_without_end(_, section):
    section[5] = (1 << 64) - 1


def links_in_a_circle(index, section):
    section[6] = index


def no_such_symbol_size(_, section):
    section[9] = 0 # sh_entsize: a division by it


FILES = {
    "empty": lambda: b"\0" * 4096,
    "text": lambda: b"#!/bin/sh\n" * 1000,
    "cut_short": lambda: whole()[:70000],
    "header_only": lambda: whole()[:64] + bytes(4032),
    "sections_beyond_the_end": lambda: with_header(sections_beyond_the_end),
    "sizes_without_end": lambda: with_sections(sizes_without_end),
    "links_in_a_circle": lambda: with_sections(links_in_a_circle),
    "no_such_symbol_size": lambda: with_sections(no_such_symbol_size),
}


@contextlib.contextmanager
def impostor(program, library):
    """One that maps the file, under the name of a master. Its pid."""
    with subprocess.Popen([TITLE, library, real("libcrypto")], executable=program, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as process:
        try:
            require(process.stdout.readline() == b"mapped\n", "the impostor cannot map its files")
            yield process.pid
        finally:
            process.kill()


@contextlib.contextmanager
def workshop():
    """A directory, and the impostor's program in it."""
    with tempfile.TemporaryDirectory(prefix="tlswhy-hostile-") as directory:
        os.chmod(directory, 0o755)
        program = os.path.join(directory, "impostor")
        subprocess.run(["gcc", "-std=gnu17", "-O1", "-rdynamic", "-o", program, SOURCE], check=True)
        yield directory, program


def require_refused(bench, pid, path):
    """Alone it is a missing requirement; beside a healthy nginx it is one line, and the nginx is watched."""
    done = bench.run("check", "-p", str(pid))
    require(path in done.stdout, f"check says {done.stdout!r} {done.stderr!r}")
    done = bench.run("report", "-d", "1", "-p", str(pid))
    require(done.returncode == 3 and path in done.stderr, f"{done.returncode}: {done.stderr!r}")
    with bench.watching("report", "-d", "60", "--format", "json", "-p", str(pid)) as process:
        bench.visit()
        clients.refuse(48)(bench.target)
        process.terminate()
        output, _ = process.communicate(timeout=30)
    require('"ok": 1' in output and "our_certificate_unknown_ca" in output, f"the healthy one: {output!r}")


@test
@takes_long
def damaged_libraries(bench):
    with workshop() as (directory, program):
        for name, make in FILES.items():
            path = os.path.join(directory, name, "libssl.so.3")
            os.mkdir(os.path.dirname(path))
            with open(path, "wb") as file:
                file.write(make())
            with impostor(program, path) as pid:
                require_refused(bench, pid, path)


@test
@takes_long
def damaged_after_it_was_mapped(bench):
    """Cut short and unlinked under the process; and a FIFO in its place, which must not make anybody wait."""
    with workshop() as (directory, program):
        path = os.path.join(directory, "libssl.so.3")
        shutil.copy(real("libssl"), path)
        with impostor(program, path) as pid:
            os.truncate(path, 5000)
            require_refused(bench, pid, path)
            os.unlink(path)
            require_refused(bench, pid, path)
            os.mkfifo(path)
            begin = time.monotonic()
            require_refused(bench, pid, path)
            require(time.monotonic() - begin < 60, "somebody waited")


@test
@takes_long
def hostile_one_comes_while_watching(bench):
    """It is told in one line, once, and whatever else comes is watched."""
    with workshop() as (directory, program), bench.watching_all("report", "-d", "600") as (process, said):
        path = os.path.join(directory, "libssl.so.3")
        with open(path, "wb") as file:
            file.write(with_sections(sizes_without_end))
        with impostor(program, path) as pid:
            nginx.wait_until(lambda: f"not watched: nginx (master {pid}): " in said(), 30, "the refusal")
            require(path in said(), f"not named: {said()!r}")
            with impostor(program, path) as second:
                nginx.wait_until(lambda: f"(master {second})" in said(), 30, "the second refusal")
        require(process.poll() is None, "tlswhy ended")
        require(said().count(f"(master {pid})") == 1, f"told again: {said()!r}")
