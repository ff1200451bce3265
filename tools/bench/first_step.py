#!/usr/bin/env python3
"""Seconds from the start of a program to its first training step, as one JSON line: first_step.py FILE COMMAND…

The step is done when a line of FILE says `grad_norm`; then the program is ended.
"""
import json
import os
import subprocess
import sys
import time

file, command = sys.argv[1], sys.argv[2:]


def stepped():
    if not os.path.exists(file):
        return False
    with open(file) as lines:
        return any("grad_norm" in line and line.endswith("\n") for line in lines)


start = time.monotonic()
child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
while not (done := stepped()) and child.poll() is None:
    time.sleep(0.002)
seconds = time.monotonic() - start
child.kill()
child.wait()
if not (done or stepped()):
    sys.exit(f"{command[0]} ended with {child.returncode} before its first step")
print(json.dumps({"seconds": seconds}))
