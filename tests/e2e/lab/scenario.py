# SPDX-License-Identifier: BSD-2-Clause
"""
What a scenario is, and how a table of them becomes one nginx configuration: every scenario owns a listener's
port and a backend's port, so that its events are told from everyone else's by port alone.
"""
import dataclasses
import socket
import typing

from lab import pki

FIRST_PORT, LAST_PORT, PORT_STEP = 20000, 32000, 500 # below the ephemeral range


BOTH_HOSTS = "both"


@dataclasses.dataclass(frozen=True)
class Expect:
    """One handshake that must be told. fields: event key -> value; `error` and `retried` are looked up inside."""
    direction: str
    cause: str
    fields: dict = dataclasses.field(default_factory=dict)


def client(cause="ok", **fields):
    return Expect("client", cause, fields)


def upstream(cause="ok", **fields):
    return Expect("upstream", cause, fields)


@dataclasses.dataclass(frozen=True)
class Before:
    """What releases older than these do instead, and why."""
    why: str
    expect: tuple
    nginx: tuple = ()
    openssl: tuple = ()


@dataclasses.dataclass(frozen=True)
class Scenario:
    """
    module: http, stream, mail (a TLS listener), proxy, grpc_proxy, uwsgi_proxy (http to a TLS backend) or stream_proxy.
    conf: directives of its server block; @PKI@, @PORT@, @BACKEND@ are replaced. certificate: the listener's, ""
    for none. trigger(target): what happens. backend(pki): its handler; BOTH_HOSTS gives nginx two
    addresses to try. hold: the verdict may wait up to 1 s. before: what an older release does.
    """
    name: str
    module: str
    trigger: typing.Callable
    expect: tuple
    conf: str = ""
    certificate: str = "leaf"
    listen: str = "127.0.0.1:@PORT@ ssl"
    backend: typing.Optional[typing.Callable] = None
    backend_host: str = "127.0.0.1"
    hold: bool = False
    before: typing.Optional[Before] = None

    @property
    def is_quic(self):
        return " quic" in self.listen

    def backend_hosts(self):
        """Addresses the backend listens on."""
        return ("127.0.0.1", "::1") if self.backend_host == BOTH_HOSTS else (self.backend_host.strip("[]"),)


@dataclasses.dataclass
class Target:
    """
    Where a trigger acts. source: the address clients come from, "" for the default. place: where nginx lives, shared:
    the directory that a program started there may use.
    """
    scenario: Scenario
    pki: pki.Pki
    port: int
    backend_port: int
    host: str = "127.0.0.1"
    source: str = ""
    place: typing.Any = None
    shared: str = ""


class Ports:
    """A range of ports that no other lab on this host uses: whoever holds its first port owns it."""

    def __init__(self):
        self.lock = None
        for base in range(FIRST_PORT, LAST_PORT, PORT_STEP):
            lock = socket.socket()
            try:
                lock.bind(("127.0.0.1", base))
                lock.listen(1)
            except OSError:
                lock.close()
                continue
            self.lock, self.next = lock, base
            return
        raise RuntimeError("no free range of ports")

    def take(self):
        self.next += 1
        return self.next


BODIES = {
    "http": '        location / {{ return 200 "ok\\n"; }}\n',
    "stream": '        return "ok\\n";\n',
    "mail": "        protocol imap;\n",
    "proxy": "        location / {{ proxy_pass https://{backend}; {conf} }}\n",
    "grpc_proxy": "        location / {{ grpc_pass grpcs://{backend}; {conf} }}\n",
    "uwsgi_proxy": "        location / {{ uwsgi_pass suwsgi://{backend}; {conf} }}\n",
    "stream_proxy": "        proxy_pass {backend}; proxy_ssl on;\n",
}
GROUP = ("    upstream group-@PORT@ { server 127.0.0.1:@BACKEND@ max_fails=0;\n"
         "        server [::1]:@BACKEND@ max_fails=0; }\n")
BLOCK = {"http": "http", "proxy": "http", "grpc_proxy": "http", "uwsgi_proxy": "http", "stream": "stream",
         "stream_proxy": "stream", "mail": "mail"}
IN_LOCATION = ("proxy", "grpc_proxy", "uwsgi_proxy") # what a location holds and its server block does not


def server_block(target):
    """The server block of one scenario."""
    scenario = target.scenario
    is_proxy = scenario.module.endswith("proxy")
    listen = f"127.0.0.1:{target.port}" if is_proxy else scenario.listen
    lines = [f"        listen {listen};\n"]
    if not is_proxy and scenario.certificate:
        lines.append(f"        ssl_certificate @PKI@/{scenario.certificate}.pem;\n"
                     f"        ssl_certificate_key @PKI@/{scenario.certificate}.key;\n")
    conf = scenario.conf
    if scenario.module not in IN_LOCATION:
        lines.append(f"        {conf}\n")
    if scenario.module == "http":
        # Once there is a request, nginx logs this name and no longer the port.
        lines.append("        server_name port-@PORT@;\n")
    is_group = scenario.backend_host == BOTH_HOSTS
    backend = "group-@PORT@" if is_group else f"{scenario.backend_host}:@BACKEND@"
    lines.append(BODIES[scenario.module].format(backend=backend, conf=conf))
    text = (GROUP if is_group else "") + "    server {\n" + "".join(lines) + "    }\n"
    for mark, value in (("@PKI@", target.pki.dir), ("@PORT@", str(target.port)),
                        ("@BACKEND@", str(target.backend_port))):
        text = text.replace(mark, value)
    return text


def blocks(targets):
    """{http, stream, mail}: the text of each module's block."""
    texts = {"http": "", "stream": "", "mail": ""}
    for target in targets:
        texts[BLOCK[target.scenario.module]] += server_block(target)
    return texts
