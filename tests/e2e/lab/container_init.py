# SPDX-License-Identifier: BSD-2-Clause
"""
The first process of a container: makes its root and becomes the command.

  container_init.py ROOT DIRECTORY COMMAND...

Runs in fresh mount and PID namespaces. ROOT is the lower layer of an overlay, as an image is; DIRECTORY is the
one directory that host and container share, under the same path. Nothing of the root's own is executed before
COMMAND, so a root needs neither shell nor mount. Must not know: nginx.
"""
import ctypes
import os
import sys

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MNT_DETACH = 2, 4, 8, 4096, 2
LIBC = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    encoded = [os.fsencode(value) if isinstance(value, str) else value for value in arguments]
    if function(*encoded) != 0:
        number = ctypes.get_errno()
        sys.exit(f"container: {function.__name__}{arguments}: {os.strerror(number)}")


def mount(source, target, kind, flags=0, options=None):
    call(LIBC.mount, source, target, kind, ctypes.c_ulong(flags), options)


def layered(root, scratch):
    """Mounts root as the lower layer; what is written goes into memory. Returns where it is."""
    os.makedirs(scratch, exist_ok=True)
    mount("tmpfs", scratch, "tmpfs")
    upper, work, merged = (os.path.join(scratch, name) for name in ("upper", "work", "merged"))
    for path in (upper, work, merged):
        os.mkdir(path, 0o755)
    mount("overlay", merged, "overlay", 0, f"lowerdir={root},upperdir={upper},workdir={work}")
    return merged


def main():
    root, directory, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.umask(0o022)
    merged = layered(root, os.path.join(directory, "container"))
    shared = merged + directory
    os.makedirs(shared, exist_ok=True)
    mount(directory, shared, None, MS_BIND)
    mount("proc", os.path.join(merged, "proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.chdir(merged)
    call(LIBC.pivot_root, ".", ".")
    call(LIBC.umount2, ".", MNT_DETACH)
    os.chdir("/")
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
