# SPDX-License-Identifier: BSD-2-Clause
"""
Tests of ClientHellos on their way: large ones are kept as far as there is room, and what must not be kept is not even
in the running program's maps. Run by cli.py.
"""
import contextlib
import json
import os
import signal
import struct
import subprocess
import time

from cases_recording import PLANTED, SETTLE_SECONDS, hello_of_secrets
from lab import clients, nginx, raw, wire
from lab.bench import require, test

TAIL_BYTES_MAX = 2304 # EVENT_TAIL_LARGE
TAIL_CLIENT_HELLO = 1
FRAME_RECORD = 17
NO_SUCH_CIPHER = 0x1305
EXT_PADDING = 21
LAST = b"last-protocol"
CLIENT_KEY_EXCHANGE = 16
PREMASTER = b"PREMST-planted-8"


def large_hello(padding):
    """A hello of our time, key shares of a post-quantum group in front, that nginx refuses for its cipher."""
    extra = wire.extension(EXT_PADDING, bytes(padding)) + wire.alpn(("h2", LAST.decode()))
    return wire.client_hello(versions=(wire.TLS13,), ciphers=(NO_SUCH_CIPHER,), session_id=bytes(32),
                             groups=(wire.X25519MLKEM768, wire.X25519), extra=extra)


def hellos_of(path):
    """(bytes at the source, bytes kept) of every ClientHello in a recording."""
    with open(path, "rb") as file:
        data = file.read()
    found, place = [], 32
    while place < len(data):
        length, kind = struct.unpack_from("<IH", data, place)
        body = data[place + 8:place + 8 + length]
        if kind == FRAME_RECORD:
            size, _, _, tail_bytes, tail_kind, _, true_bytes = struct.unpack_from("<HBBHBBI", body)
            if tail_kind == TAIL_CLIENT_HELLO:
                found.append((true_bytes, body[size:size + tail_bytes]))
        place += 8 + length
    return found


def kept_of(bench, hello):
    """(bytes at the source, bytes kept) of a hello that nginx refuses, whose event must be right."""
    path = os.path.join(bench.rig.dir, "large.rec")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with bench.watching("trace", "--format", "json", "--record", path) as process:
        clients.raw(hello)(bench.target)
        time.sleep(SETTLE_SECONDS)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    events, hellos = [json.loads(line) for line in output.splitlines()], hellos_of(path)
    require(len(events) == len(hellos) == 1, f"events {events}, hellos {hellos}")
    report = json.loads(bench.run("report", "-i", path, "--format", "json").stdout)
    require(report["hellos_cut"] == (hellos[0][0] > len(hellos[0][1])), f"{report['hellos_cut']} cut of {hellos[0][0]}")
    require(events[0]["cause"] == "no_shared_cipher" and events[0]["server_name"] == "lab.test", f"event {events[0]}")
    return hellos[0]


@test
def post_quantum_hello_is_whole(bench):
    hello = large_hello(360)
    require(1750 <= len(hello) <= 1850, f"the hello has {len(hello)} bytes")
    true_bytes, kept = kept_of(bench, hello)
    body = len(hello) - 9 # record and message headers
    require(true_bytes == len(kept) == body, f"{len(kept)} bytes of {true_bytes} are kept, it had {body}")
    require(kept.endswith(LAST), f"its end is {kept[-40:]!r}")


@test
def hello_of_8_kb_is_cut(bench):
    hello = large_hello(8192 - len(large_hello(0)))
    require(len(hello) == 8192, f"the hello has {len(hello)} bytes")
    true_bytes, kept = kept_of(bench, hello)
    require(true_bytes == len(hello) - 9 and len(kept) == TAIL_BYTES_MAX, f"{len(kept)} bytes of {true_bytes} are kept")


def maps_of(pid):
    """Ids of the BPF maps that a process holds."""
    found = set()
    for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/fdinfo/{descriptor}") as file:
            found |= {int(line.split()[1]) for line in file if line.startswith("map_id:")}
    return found


def raw_bytes(value):
    """Every list of bytes in what bpftool says, in JSON, of a map."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key != "formatted":
                yield from raw_bytes(part)
    elif isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        yield bytes(int(part, 16) for part in value)
    elif isinstance(value, list):
        for part in value:
            yield from raw_bytes(part)


def dumped(map_id):
    """The bytes of a map; none for kinds that cannot be dumped, as a ring buffer."""
    done = subprocess.run(["bpftool", "-j", "map", "dump", "id", str(map_id)], capture_output=True, check=False)
    return b"\0".join(raw_bytes(json.loads(done.stdout))) if done.returncode == 0 else b""


def premaster_visit(target):
    """A TLS 1.2 client that sends marked bytes where its part of the premaster secret belongs."""
    point = wire.vector(b"\x04" + PREMASTER * 4, 1)
    key_exchange = wire.record(wire.HANDSHAKE, wire.message(CLIENT_KEY_EXCHANGE, point))
    clients.raw(wire.client_hello(), raw.flight, key_exchange)(target)


def reset_and_logged(bench, held):
    """Resets a connection; nginx has noticed."""
    def resets():
        with open(bench.rig.nginx.error_log, errors="replace") as log:
            return log.read().count("(104: Connection reset by peer)")
    before = resets()
    raw.reset(held)
    nginx.wait_until(lambda: resets() > before, 60, "nginx noticed the reset")


@test
def nothing_secret_is_in_a_map(bench):
    """Neither while a handshake with marked bytes is under way nor once it has ended."""
    path = os.path.join(bench.rig.dir, "maps.rec")
    with bench.watching("trace", "--live", "--record", path) as process:
        maps = maps_of(process.pid)
        held = bench.hold(hello_of_secrets(wire.AES128_GCM))
        require(held.recv(6)[5:6] == bytes([wire.SERVER_HELLO]), "nginx has not answered the hello")
        dumps = [dumped(one) for one in maps]
        clients.raw(hello_of_secrets())(bench.target)
        premaster_visit(bench.target)
        dumps += [dumped(one) for one in maps]
        reset_and_logged(bench, held)
        time.sleep(SETTLE_SECONDS)
        dumps += [dumped(one) for one in maps]
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    lines = output.splitlines() # a heading first
    require(len(lines) == 4 and "no_shared_cipher" in output and "peer_reset" in output, f"trace {output!r}")
    require(b"planted.test" in b"".join(dumps), "not even the server name was found: this test sees nothing")
    with open(path, "rb") as file:
        places = {"a map": b"".join(dumps), "the recording": file.read(), "the trace": output.encode()}
    found = [f"{name} in {place}" for name, value in {**PLANTED, "premaster": PREMASTER}.items()
             for place, data in places.items() if value in data]
    require(not found, f"kept: {found}")
