# SPDX-License-Identifier: BSD-2-Clause
"""What the figures hold for: the machine and the versions. Must not know: what is measured."""
import os
import platform
import re
import subprocess


def said(*command):
    """What a command says, errors included; "" where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return ""
    return (done.stdout + done.stderr).strip()


def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def first(pattern, text):
    match = re.search(pattern, text, re.M)
    return match.group(1) if match else "unknown"


def virtualisation(cpuinfo):
    asked = said("systemd-detect-virt", "--vm").splitlines() # what a container is in, not the container
    if asked and asked[0] != "none":
        return asked[0]
    return "a hypervisor" if re.search(r"^flags.*\bhypervisor\b", cpuinfo, re.M) else "none seen"


def machine():
    cpuinfo = read("/proc/cpuinfo")
    return {
        "cpu": first(r"^model name\s*: (.*)", cpuinfo),
        "cores": os.cpu_count(),
        "memory_mib": int(first(r"^MemTotal:\s+(\d+)", read("/proc/meminfo"))) // 1024,
        "kernel": platform.release(),
        "virtualisation": virtualisation(cpuinfo),
        "clocksource": read("/sys/devices/system/clocksource/clocksource0/current_clocksource") or "unknown",
        "load_average": os.getloadavg()[0],
    }


def package(name):
    return said("dpkg-query", "-W", "-f", "${Version}", name).splitlines()[0] if said("dpkg-query", "-W", name) else "?"


def versions(tlswhy):
    directory = os.path.dirname(os.path.abspath(__file__))
    commit = said("git", "-C", directory, "describe", "--always", "--dirty", "--abbrev=12")
    return {
        "tlswhy": f"{said(tlswhy, '--version').split()[-1]} ({commit or 'no commit known'})",
        "nginx": first(r"nginx/(\S+)", said("nginx", "-v")),
        "openssl": first(r"^OpenSSL (\S+)", said("openssl", "version")),
        "libbpf": package("libbpf1"),
        "bpftrace": first(r"v(\S+)", said("bpftrace", "--version")),
        "compiler": first(r"(\d+\.\d+\.\d+)", said("gcc", "--version")),
    }
