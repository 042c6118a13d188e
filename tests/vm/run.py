#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Boots one kernel of the matrix in QEMU, without KVM, and runs in it what depends on a kernel: tests/vm/suite on two
processors, tests/vm/crowd on one under full preemption.

    tests/vm/run.py SERIES [--directory build/vm] [--only suite|crowd] [--seconds 900]

The initramfs is build/vm/initramfs.cpio (make_initramfs.py); the kernel is fetched when it is not there (fetch-kernel).
What the kernel's console says is shown. A kernel that panics, or does not end in time, is a failure. The last line is
`N passed, N failed, N skipped`. Needs no root.
"""
import argparse
import os
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# Name -> processors. The preemption asked for is taken by kernels that can choose; others ignore it.
BOOTS = {"suite": 2, "crowd": 1}
# oops: whatever goes wrong in the kernel ends the boot, else a test might not notice.
COMMAND_LINE = "console=ttyS0 quiet oops=panic panic=-1 preempt=full tlswhy.run={}"
MEMORY_MB = 1024
RESULT = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")
STATUS = re.compile(r"tlswhy\.status=(\d+)")
CONTROL = re.compile(r"\x1b(?:\[[0-9;?=]*[A-Za-z]|c)|[\x00-\x08\x0b-\x1f\x7f]")
LAST_LINES = 40


class Boot:
    """One boot: what the console said, and what came of it."""

    def __init__(self, image, initramfs, program):
        self.program = program
        self.lines = []
        self.command = ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-m", str(MEMORY_MB),
                        "-smp", str(BOOTS[program]), "-nographic", "-no-reboot", "-nic", "none", "-kernel", image,
                        "-initrd", initramfs, "-append", COMMAND_LINE.format(program)]

    def run(self, seconds):
        """Returns (passed, failed, skipped)."""
        with subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              errors="replace") as process:
            reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
            reader.start()
            try:
                process.wait(seconds)
                why = ""
            except subprocess.TimeoutExpired:
                process.kill()
                why = f"did not end within {seconds} s"
            reader.join()
        return self._judge(why or f"ended with status {process.returncode} and without a result")

    def _read(self, stdout):
        for line in stdout:
            text = CONTROL.sub("", line).rstrip()
            if not text or "SeaBIOS" in text or text.startswith("Booting from ROM"):
                continue
            self.lines.append(text)
            print(f"    {text}", flush=True)

    def _judge(self, why):
        """The sum that precedes the program's exit status; whatever else is a failure of the kernel."""
        status = next((match for match in map(STATUS.fullmatch, self.lines) if match), None)
        results = [match for match in map(RESULT.fullmatch, self.lines) if match]
        if not status or not results:
            print(f"not ok {self.program}: the kernel {why}; its last lines:")
            print("".join(f"    {line}\n" for line in self.lines[-LAST_LINES:]), end="")
            return 0, 1, 0
        passed, failed, skipped = (int(number) for number in results[-1].groups())
        return passed, failed + (status[1] != "0" and not failed), skipped


def fetch(directory, series):
    kernels = os.path.join(directory, "kernels")
    done = subprocess.run([os.path.join(HERE, "fetch-kernel"), kernels, series], stdout=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("series", help="5.10, 6.1, 6.12 or 7.2")
    parser.add_argument("--directory", default="build/vm", help="where kernels and the initramfs are")
    parser.add_argument("--only", choices=sorted(BOOTS), help="one of the boots")
    parser.add_argument("--seconds", type=int, default=900, help="for a boot; an unloaded machine needs 90")
    options = parser.parse_args()
    image, total = fetch(options.directory, options.series), [0, 0, 0]
    initramfs = os.path.join(options.directory, "initramfs.cpio")
    for program in BOOTS:
        if options.only not in (None, program):
            continue
        start = time.monotonic()
        print(f"Linux {options.series}: {program}", flush=True)
        result = Boot(image, initramfs, program).run(options.seconds)
        total = [sum(pair) for pair in zip(total, result)]
        print(f"Linux {options.series}: {program} took {time.monotonic() - start:.0f} s", flush=True)
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped", flush=True)
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
