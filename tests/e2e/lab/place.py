# SPDX-License-Identifier: BSD-2-Clause
"""
Where the lab's nginx lives: on this host, or in a root of another release as a container, with namespaces of its own
for mounts, processes, network, host name and IPC. The tracer stays outside.

A network namespace belongs to a thread, so clients and backends join by run() or, in a pool, by enter(); who does
neither stays on the host. Must not know: scenarios, tlswhy.
"""
import ctypes
import fcntl
import os
import re
import socket
import struct
import subprocess
import sys
import threading

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "container_init.py")
NAMESPACES = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
NGINX_VERSION = re.compile(r"nginx version: \S+?/(\d+)\.(\d+)\.(\d+)")
# What runs counts; nginx only mentions it where it differs from what it was built with.
OPENSSL_VERSIONS = (re.compile(r"running with OpenSSL (\d+)\.(\d+)\.(\d+)"),
                    re.compile(r"built with OpenSSL (\d+)\.(\d+)\.(\d+)"))
LIBC = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def version_of(text, *patterns):
    for pattern in patterns:
        match = pattern.search(text)
        if match:
            return tuple(map(int, match.groups()))
    raise RuntimeError(f"no version in: {text}")


class Host:
    """The host itself. As a context manager a place is ready from `with` to its end."""

    def __init__(self, nginx="nginx", modules="/usr/lib/nginx/modules"):
        self.nginx_path, self.modules = nginx, modules
        self._said = None

    def inside(self, command):
        """A command that sees the place's files, for a short question."""
        return command

    def _versions(self):
        if self._said is None:
            self._said = subprocess.run(self.inside([self.nginx_path, "-V"]), check=True, capture_output=True,
                                        text=True, timeout=60).stderr
        return self._said

    @property
    def nginx(self):
        """(1, 22, 1)"""
        return version_of(self._versions(), NGINX_VERSION)

    @property
    def openssl(self):
        """(3, 0, 19), that of the library in memory"""
        return version_of(self._versions(), *OPENSSL_VERSIONS)

    def load_modules(self):
        """Directives for the modules that its configurations need and that are not linked in. Not every nginx says
        which of its modules can be loaded (1.18 of Debian does not), but each says what is linked in."""
        linked_in = self._versions().split()
        return "\n".join(f"load_module {self.modules}/ngx_{name}_module.so;" for name in ("stream", "mail")
                         if f"--with-{name}" not in linked_in)

    def enter(self):
        """Brings the calling thread into the place's network."""

    def run(self, function, *arguments):
        """Calls function in the place's network."""
        return function(*arguments)

    def start(self, command, _directory, **streams):
        """Starts a command that lives in the place and may use directory. Returns its Popen."""
        return subprocess.Popen(command, **streams)

    def pid_of(self, process):
        """The host's number of what start() started; None while it is not there."""
        return process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Container(Host):
    """A root directory as a container. Nothing is ever written into the root: an overlay takes it."""

    def __init__(self, root, nginx="/usr/sbin/nginx", modules="/usr/lib/nginx/modules"):
        super().__init__(nginx, modules)
        self.root = os.path.abspath(root)
        self.network = None

    def inside(self, command):
        return ["chroot", self.root, *command]

    def enter(self):
        check(LIBC.setns(self.network, CLONE_NEWNET), "setns")

    def run(self, function, *arguments):
        return in_thread(lambda: (self.enter(), function(*arguments))[1])

    def start(self, command, directory, **streams):
        init = [sys.executable, "-B", INIT, self.root, directory]
        return self.run(lambda: subprocess.Popen([*NAMESPACES, *init, *command], **streams))

    def pid_of(self, process):
        try:
            with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
                children = file.read().split()
        except FileNotFoundError:
            return None
        return int(children[0]) if children else None

    def __enter__(self):
        self.network = in_thread(new_network)
        return self

    def __exit__(self, *_):
        os.close(self.network)


def make(root=None, nginx=None, modules=None):
    """The place that options name: a container of root, else the host."""
    chosen = {key: value for key, value in (("nginx", nginx), ("modules", modules)) if value}
    return Container(root, **chosen) if root else Host(**chosen)


def in_thread(function):
    """Calls function in a thread of its own, which takes its namespaces with it when it ends. Returns its result."""
    result = {}

    def body():
        try:
            result["value"] = function()
        except BaseException as error: # pylint: disable=broad-exception-caught # it is raised again, where it belongs
            result["error"] = error
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if "error" in result:
        raise result["error"]
    return result["value"]


def new_network():
    """Leaves the calling thread in a new network namespace whose loopback is up. Returns a descriptor of it."""
    check(LIBC.unshare(CLONE_NEWNET), "unshare")
    with socket.socket() as sock:
        request = struct.pack("16sh14x", b"lo", 0)
        name, flags = struct.unpack("16sh14x", fcntl.ioctl(sock, SIOCGIFFLAGS, request))
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", name, flags | IFF_UP))
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
