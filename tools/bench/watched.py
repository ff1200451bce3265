#!/usr/bin/env python3
"""Runs a program within a time limit and writes what it used to a file: watched.py FILE SECONDS COMMAND…

FILE gets one JSON object: exit status, `late` when the limit ended it, seconds of wall time, MiB of its largest process, and the
cores that other programs used meanwhile.
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time


def busy_seconds():
    """Of all cores since the machine started."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, steal = (int(ticks) for ticks in file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def main():
    path, limit, command = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    start, busy = time.monotonic(), busy_seconds()
    child = subprocess.Popen(command, start_new_session=True)
    late = threading.Event()

    def end():
        late.set()
        os.killpg(child.pid, signal.SIGKILL)

    timer = threading.Timer(limit, end)
    timer.start()
    _, status, used = os.wait4(child.pid, 0)
    timer.cancel()
    wall, cpu = time.monotonic() - start, used.ru_utime + used.ru_stime
    record = {"status": os.waitstatus_to_exitcode(status), "late": late.is_set(), "wall": round(wall, 2),
              "memory": round(used.ru_maxrss / 1024),
              "others": round(max(0.0, busy_seconds() - busy - cpu) / max(wall, 0.01), 3)}
    with open(path, "w") as file:
        json.dump(record, file)


main()
