#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Packs what the tests need of this host into an initramfs: programs, the libraries they map, Python, nginx with its
modules, the tree's own build and tests. A kernel booted with it needs no disk, no network and no module of its own.

    tests/vm/make_initramfs.py OUTPUT        needs a build: build/tlswhy, build/static/tlswhy, build/tests/bpf/*,
                                             build/tests/loadgen

Must not know: kernels, what the tests are.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TESTS, "e2e"))
from lab import pki # pylint: disable=wrong-import-position

TREE = os.path.dirname(TESTS)
# In there the tree has the path it has on no host.
HOME = "tlswhy"
BUILT = ("build/tlswhy", "build/static/tlswhy", "build/tests/bpf/run", "build/tests/bpf/victim", "build/tests/loadgen")
# busybox has the small tools. unshare: busybox's has not all the options that tests use.
PROGRAMS = ("bash", "nginx", "openssl", "unshare")
APPLETS = ("sh", "cat", "env", "grep", "hostname", "ip", "ln", "mkdir", "mktemp", "mount", "poweroff", "rm", "sleep",
           "tail", "tee", "umount", "uname")
DATA = ("/etc/passwd", "/etc/group", "/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf")
DIRECTORIES = ("dev", "etc", "proc", "run", "sys", "tmp", "var/lib/nginx", "var/log/nginx", "usr/bin", "usr/sbin",
               "usr/lib", "usr/lib64", "var/tmp")
# Parts of Python's library that are large and that no test imports.
NOT_NEEDED = ("test", "tests", "idlelib", "lib2to3", "ensurepip", "pydoc_data", "tkinter", "turtledemo",
              "dist-packages", "site-packages", "config-*", "__pycache__")


def find_program(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        sys.exit(f"make_initramfs: no program '{name}'\nhint: make deps")
    return os.path.realpath(path)


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def libraries_of(path):
    """What the loader would map: paths, the loader itself among them; none for a static program."""
    done = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
    missing = re.findall(r"^\s*(\S+) => not found", done.stdout, re.M)
    if missing:
        sys.exit(f"make_initramfs: '{path}' needs {', '.join(missing)}, which this host does not have")
    return re.findall(r"(/\S+) \(0x", done.stdout)


class Root:
    """The root directory being put together."""

    def __init__(self, directory):
        self.dir = directory
        for name in DIRECTORIES:
            os.makedirs(os.path.join(directory, name))
        for name in ("bin", "sbin", "lib", "lib64"):
            os.symlink(f"usr/{name}", os.path.join(directory, name))

    def add(self, source, target=None):
        """A file at its own path or at another one, with what it needs to run."""
        place = self.place(target or source)
        if os.path.exists(place):
            return
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copy2(source, place)
        if is_elf(source):
            for library in libraries_of(source):
                self.add(library)

    def add_below(self, source, target=None):
        """A directory with all that is below it."""
        for directory, below, names in os.walk(source):
            below[:] = [name for name in below if not any(glob.fnmatch.fnmatch(name, no) for no in NOT_NEEDED)]
            for name in names:
                path = os.path.join(directory, name)
                if os.path.isfile(path):
                    self.add(path, os.path.join(target or source, os.path.relpath(path, source)))

    def link(self, text, path):
        place = self.place(path)
        if not os.path.lexists(place):
            os.symlink(text, place)

    def place(self, path):
        return os.path.join(self.dir, path.lstrip("/"))


def add_system(root):
    root.add(find_program("busybox"), "/usr/bin/busybox")
    for name in PROGRAMS:
        root.add(find_program(name), f"/usr/bin/{name}")
    for name in APPLETS:
        root.link("busybox", f"/usr/bin/{name}")
    # The tests run the program by this path.
    root.link("../bin/nginx", "/usr/sbin/nginx")
    for path in filter(os.path.exists, DATA):
        root.add(path)
    root.add_below("/usr/lib/nginx/modules")


def add_python(root):
    """The Python that runs this, and the tools that resolve no names but write them."""
    root.add(os.path.realpath(sys.executable), "/usr/bin/python3")
    root.add_below(sysconfig.get_path("stdlib"))


def add_tree(root):
    for path in BUILT:
        if not os.path.exists(os.path.join(TREE, path)):
            sys.exit(f"make_initramfs: no '{path}'\nhint: make all static bpf-programs load-program")
        root.add(os.path.join(TREE, path), os.path.join(HOME, path))
    root.add(os.path.join(TREE, "tests/summary"), os.path.join(HOME, "tests/summary"))
    for path in ("tests/e2e", "tests/vm"):
        root.add_below(os.path.join(TREE, path), os.path.join(HOME, path))
    root.link(f"{HOME}/tests/vm/init", "/init")


def add_pki(root):
    """The tests' certificates: to make them takes openssl 45 runs, a minute on an emulated processor."""
    with tempfile.TemporaryDirectory(prefix="tlswhy-pki-") as directory:
        pki.Pki(directory).create()
        root.add_below(directory, os.path.join(HOME, "pki"))


def pack(directory, output):
    """Not compressed: an emulated processor would take longer over that than memory costs."""
    names = subprocess.run(["find", ".", "-print0"], cwd=directory, stdout=subprocess.PIPE, check=True).stdout
    with open(output + ".new", "wb") as file:
        subprocess.run(["cpio", "--null", "--create", "--format=newc", "--owner=0:0", "--quiet"], cwd=directory,
                       input=names, stdout=file, check=True)
    os.replace(output + ".new", output)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: tests/vm/make_initramfs.py OUTPUT")
    output = os.path.abspath(sys.argv[1])
    os.makedirs(os.path.dirname(output), exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="root.", dir=os.path.dirname(output)) as directory:
        root = Root(directory)
        add_system(root)
        add_python(root)
        add_tree(root)
        add_pki(root)
        pack(directory, output)


if __name__ == "__main__":
    main()
