#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
    hog.py CPU

Takes that CPU away from everybody of the usual scheduling class, each time that a line on its standard input says
"AFTER SECONDS", and says for how long it was. Ends with its input. Must not know: who suffers.
"""
import os
import sys
import time

PRIORITY = 10
LIMIT_SECONDS = 1.0


def main():
    os.sched_setaffinity(0, {int(sys.argv[1])})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    print("ready", flush=True)
    for line in sys.stdin:
        after, seconds = map(float, line.split())
        time.sleep(after)
        start = time.monotonic()
        end = start + min(seconds, LIMIT_SECONDS)
        while time.monotonic() < end:
            pass
        print(time.monotonic() - start, flush=True)


if __name__ == "__main__":
    main()
