#!/usr/bin/env python3
"""Runs programs one after the other, each within a time limit, and writes what each used: watched.py PLAN

PLAN is a JSON list of objects: `command`; `environment`, what is added to it; `output` and `log`, files for its two
streams; `limit`, seconds; and `used`, the file that gets one JSON object: start, exit status, `late` when the limit ended
it, seconds of wall time, MiB of its largest process, and the cores that other programs used meanwhile.
"""
import datetime
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


def watch(step):
    began = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    start, busy = time.monotonic(), busy_seconds()
    with open(step["output"], "w") as output, open(step["log"], "w") as log:
        child = subprocess.Popen(step["command"], env={**os.environ, **step["environment"]}, stdout=output, stderr=log,
                                 start_new_session=True)
    late = threading.Event()

    def end():
        late.set()
        os.killpg(child.pid, signal.SIGKILL)

    timer = threading.Timer(step["limit"], end)
    timer.start()
    _, status, used = os.wait4(child.pid, 0)
    timer.cancel()
    wall, cpu = time.monotonic() - start, used.ru_utime + used.ru_stime
    return {"start": began, "status": os.waitstatus_to_exitcode(status), "late": late.is_set(), "wall": round(wall, 2),
            "memory": round(used.ru_maxrss / 1024),
            "others": round(max(0.0, busy_seconds() - busy - cpu) / max(wall, 0.01), 3)}


def main():
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    for step in plan:
        used = watch(step)
        with open(step["used"], "w") as file:
            json.dump(used, file)


main()
