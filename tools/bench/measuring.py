"""Runs programs in turn and keeps what they gave, so that a measurement that was stopped goes on."""
import collections
import datetime
import hashlib
import json
import os
import shlex
import subprocess
import sys

import inputs
import rows
from programs import Doctor, Place

HERE = os.path.dirname(os.path.abspath(__file__))
Step = collections.namedtuple("Step", "program place plan")
GIVE_UP = 1.25  # a setting of a peer that is slower than its best one by this factor is not repeated


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def output_of(command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def cpu_model():
    with open("/proc/cpuinfo") as file:
        return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "unknown CPU")


class Store:
    """Lines of JSON in a folder."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.runs, self.peaks = self.read("runs.jsonl"), self.read("peaks.jsonl")

    def read(self, name):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return []
        with open(path) as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def append(self, name, record):
        with open(os.path.join(self.folder, name), "a") as file:
            file.write(json.dumps(record) + "\n")

    def add_run(self, record):
        self.runs.append(record)
        self.append("runs.jsonl", record)

    def add_peak(self, record):
        self.peaks.append(record)
        self.append("peaks.jsonl", record)

    def of(self, group, side, setting, build=None):
        """Runs of one program; hone's of one build."""
        return [run for run in self.runs if (run["row"], run["side"], run["setting"]) == (group, side, setting)
                and build in (None, run.get("build"))]


class Bench:
    def __init__(self, arguments, store):
        self.arguments, self.store = arguments, store
        self.hone = os.path.abspath(arguments.hone)
        with open(self.hone, "rb") as file:
            self.build = hashlib.sha256(file.read()).hexdigest()[:12]

    def place(self, model, run):
        folder = os.path.join(self.store.folder, "inputs", model)
        source = os.path.join(os.path.abspath(self.arguments.models), model)
        return Place(hone=self.hone, python=os.path.join(self.arguments.peers, "bin", "python"),
                     llama=self.arguments.llama, scripts=self.arguments.scripts, trl_ppo=self.arguments.trl_ppo,
                     models=self.arguments.models, model=model, run=run,
                     inputs=inputs.Inputs(self.hone, source, folder))

    def note_versions(self):
        """Of the programs that are compared."""
        script = "import importlib.metadata as m, sys; print(*(m.version(name) for name in sys.argv[1:]))"
        versions = {"CPU": cpu_model(), "hone": output_of([self.hone, "--version"]).split()[-1]}
        python = os.path.join(self.arguments.peers, "bin", "python")
        names = ["torch", "transformers", "trl"]
        versions.update(zip(names, output_of([python, "-c", script, *names]).split()))
        if self.arguments.trl_ppo:
            command = ["env", f"PYTHONPATH={self.arguments.trl_ppo}", python, "-c", script, "trl"]
            versions["trl (PPO)"] = output_of(command).strip()
        if self.arguments.llama:
            versions["llama-cpp-python"] = output_of([self.arguments.llama, "-c", script, "llama-cpp-python"]).strip()
        self.store.append("versions.jsonl", versions)

    # Some runs

    def run_together(self, group, programs):
        """One after the other in one call of --wrap, behind a calibration of the machine."""
        steps = [self.step(group, program) for program in [Doctor(), *programs]]
        plan = os.path.join(self.store.folder, "plan.json")
        inputs.write_json(plan, [step.plan for step in steps])
        watched = os.path.join(HERE, "watched.py")
        subprocess.run([*shlex.split(self.arguments.wrap), sys.executable, watched, plan], check=True)
        for step in steps:
            self.keep(group, step)

    def step(self, group, program):
        name = f"{group}.{program.side}.{program.setting}".replace(" ", "_").replace(",", "")
        path = os.path.join(self.store.folder, "runs", name)
        place = self.place(rows.GROUPS[group].model, path)
        program.clean(place)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return Step(program, place, {
            "command": program.command(place), "environment": program.environment, "limit": self.arguments.timeout,
            "output": path + ".out", "log": path + ".log", "used": path + ".used"})

    def keep(self, group, step):
        """What came of a run goes to the store."""
        program, record = step.program, inputs.read_json(step.plan["used"])
        status, late, memory = (record.pop(key) for key in ("status", "late", "memory"))
        if late:
            record["failed"] = f"longer than {self.arguments.timeout} s"
        elif status != 0:
            record["failed"] = f"exit {status}, see {step.plan['log']}"
        else:
            with open(step.plan["output"]) as file:
                output = file.read()
            try:
                record["figures"] = {**program.figures(step.place, output), "memory": memory}
            except (ValueError, LookupError, OSError) as error:
                record["failed"] = f"no figures: {error}, see {step.plan['output']}"
        program.clean(step.place)
        if isinstance(program, Doctor):
            self.store.add_peak({"row": group, "build": self.build, **record.get("figures", {})})
            return
        record = {"row": group, "side": program.side, "setting": program.setting, **record}
        if program.side == "hone":
            record["build"] = self.build
        self.store.add_run(record)
        print(f"{record['start'][11:19]} {group} {program.side} {program.setting}: {shown(record)} "
              f"(others {record['others']:.2f} cores)", file=sys.stderr, flush=True)

    # In which order

    def done(self, group, program):
        return self.store.of(group, program.side, program.setting, self.build if program.side == "hone" else None)

    def undisturbed(self, runs):
        return [run for run in runs if run["others"] <= self.arguments.quiet]

    def missing(self, program):
        """What the program needs and the command line did not name."""
        if program.side == "llama.cpp" and not self.arguments.llama:
            return "--llama"
        return "--trl-ppo" if type(program).__name__ == "TrlPpo" and not self.arguments.trl_ppo else None

    def hopeless(self, group, program):
        """Failed, or so slow in its first run that another setting of the same peer is the one to beat."""
        lines = [line for line in rows.lines() if line.group == group and line.side == program.side
                 and program.setting in line.peers]
        tried = self.done(group, program)
        return bool(tried) and all(self.beaten(line, program.setting) for line in lines)

    def beaten(self, line, setting):
        found = {}
        for peer in line.peers:
            runs = self.store.of(line.group, line.side, peer)
            for run in self.undisturbed(runs) or runs:
                value = run.get("figures", {}).get(line.figure)
                found.setdefault(peer, []).append(value)
        best = {peer: max((rows.better(line, value, 1) for value in values if value), default=0)
                for peer, values in found.items()}
        return best.get(setting, 0) * GIVE_UP < max([*best.values(), 1e-9])

    def pending(self, group, number):
        """Programs that lack their run of this number, in the order of their turns."""
        programs = []
        for program in rows.GROUPS[group].programs:
            done = self.done(group, program)
            enough = len(done) >= number or len(self.undisturbed(done)) >= self.arguments.runs
            if not (enough or self.missing(program) or (program.side != "hone" and self.hopeless(group, program))):
                programs.append(program)
        return programs

    def cut(self, group, programs):
        """As many at a time as one call of --wrap may hold, by what their last runs took."""
        together, seconds = [], 0.0
        for program in programs:
            known = self.store.of(group, program.side, program.setting)
            expected = known[-1]["wall"] if known else self.arguments.window
            if together and seconds + expected > self.arguments.window:
                yield together
                together, seconds = [], 0.0
            together.append(program)
            seconds += expected
        if together:
            yield together

    def measure(self, group):
        """False when the time is up."""
        for number in range(1, 2 * self.arguments.runs + 1):
            for programs in self.cut(group, self.pending(group, number)):
                if self.arguments.until and now().strftime("%H:%M") >= self.arguments.until:
                    return False
                self.run_together(group, programs)
        return True


def shown(record):
    if "failed" in record:
        return record["failed"]
    return ", ".join(f"{name} {value:,.4g}" for name, value in record["figures"].items())
