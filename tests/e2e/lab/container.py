# SPDX-License-Identifier: BSD-2-Clause
"""
An nginx as a container has it: its own mount, PID and network namespaces, and a root with its own copy of every file,
so that nothing of it is a file of the host. TLS is spoken over a socket in its root.

It all vanishes with its processes. Must not know: tlswhy.
"""
import os
import re
import shutil
import signal
import subprocess

from lab import nginx

CONFIGURATION = """\
daemon {daemon};
user nobody nogroup;
worker_processes {workers};
error_log /error.log info;
pid /nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate /pki/leaf.pem;
    ssl_certificate_key /pki/leaf.key;
    server {{ listen unix:/tls.socket ssl; return 200 "ok"; }}
}}
"""
# The root is a file system of its own, made anew each time: no inode is one that was there before.
COPY = 'mount -t tmpfs none "$1" && cp -a "$2/." "$1"'
# The root is the image with a layer of its own above it, as container engines make it.
OVERLAY = ('mkdir -p "$1.upper" "$1.work" && '
           'mount -t overlay -o "lowerdir=$2,upperdir=$1.upper,workdir=$1.work" none "$1"')
START = ' && mknod -m 666 "$1/dev/null" c 1 3 && shift 2 && cd / && exec "$@"'
FILES = ("/etc/passwd", "/etc/group", "/etc/ssl/openssl.cnf")


def libraries_of(program):
    """The files that the dynamic linker takes for a program, itself included."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", said)


def copy_into(root, path):
    target = root + path
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy(path, target)


def make_image(directory, pki, programs=("/usr/sbin/nginx",), daemon=False, workers=1):
    """What a container's root is made of. Returns its directory."""
    root = os.path.join(directory, "image")
    for program in programs:
        for path in (program, *libraries_of(program)):
            copy_into(root, path)
    for path in filter(os.path.exists, FILES):
        copy_into(root, path)
    for path in ("dev", "var/lib/nginx", "var/log/nginx", "usr/share/nginx"):
        os.makedirs(os.path.join(root, path), exist_ok=True)
    shutil.copytree(pki.dir, os.path.join(root, "pki"))
    with open(os.path.join(root, "nginx.conf"), "w") as file:
        file.write(CONFIGURATION.format(daemon="on" if daemon else "off", workers=workers))
    return root


class Container:
    """One life of it, from `with` to its end."""

    def __init__(self, image, directory, command=("/usr/sbin/nginx", "-c", "/nginx.conf"), workers=1,
                 overlay=False):
        self.mount = OVERLAY if overlay else COPY
        self.image, self.workers = image, workers
        self.root = os.path.join(directory, "root")
        self.command = command
        self.process = None
        self.pid = 0 # of its first process, as the host counts
        os.makedirs(self.root, exist_ok=True)

    def __enter__(self):
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", self.mount + START, "sh",
             self.root,
             self.image, "chroot", self.root, *self.command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        try:
            nginx.wait_until(self._ready, 20, "the container's nginx")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _ready(self):
        if self.process.poll() is not None:
            raise RuntimeError("container: " + self.process.stderr.read().decode())
        self.pid = next(iter(children(self.process.pid)), 0)
        return self.pid and len(self.worker_pids()) == self.workers and os.path.exists(self.socket)

    @property
    def socket(self):
        return f"/proc/{self.pid}/root/tls.socket" if self.pid else ""

    def worker_pids(self):
        """Those that say they are, of every process in it."""
        return [pid for pid in descendants(self.pid) if b"worker process" in read(f"/proc/{pid}/cmdline")]

    def __exit__(self, *_):
        """Its first process ends, and the kernel ends the rest."""
        if self.pid and self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def descendants(pid):
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
