"""Runs programs in turn and keeps what they gave, so that a measurement that was stopped goes on."""
import datetime
import hashlib
import json
import os
import shlex
import subprocess
import sys

import inputs
import rows
from programs import Place

HERE = os.path.dirname(os.path.abspath(__file__))
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

    def place(self, model):
        folder = os.path.join(self.store.folder, "inputs", model)
        source = os.path.join(os.path.abspath(self.arguments.models), model)
        return Place(hone=self.hone, python=os.path.join(self.arguments.peers, "bin", "python"),
                     llama=self.arguments.llama, scripts=self.arguments.scripts, trl_ppo=self.arguments.trl_ppo,
                     models=self.arguments.models, model=model, run=os.path.join(self.store.folder, "runs", "run"),
                     inputs=inputs.Inputs(self.hone, source, folder))

    def note_versions(self):
        """Of the programs that are compared."""
        script = "import importlib.metadata as m, sys; print(*(m.version(name) for name in sys.argv[1:]))"
        versions = {"CPU": cpu_model(), "hone": output_of([self.hone, "--version"]).split()[-1]}
        python = self.place("tiny").python
        names = ["torch", "transformers", "trl"]
        versions.update(zip(names, output_of([python, "-c", script, *names]).split()))
        if self.arguments.trl_ppo:
            command = ["env", f"PYTHONPATH={self.arguments.trl_ppo}", python, "-c", script, "trl"]
            versions["trl (PPO)"] = output_of(command).strip()
        if self.arguments.llama:
            versions["llama-cpp-python"] = output_of([self.arguments.llama, "-c", script, "llama-cpp-python"]).strip()
        self.store.append("versions.jsonl", versions)

    # One run

    def watched(self, command, environment, log):
        """What the program printed, and what is known of the run."""
        record = log + ".used"
        watched = [*shlex.split(self.arguments.wrap), sys.executable, os.path.join(HERE, "watched.py"), record,
                   str(self.arguments.timeout), *command]
        with open(log, "w") as errors, open(log + ".out", "w+") as output:
            subprocess.run(watched, env={**os.environ, **environment}, stdout=output, stderr=errors, check=True)
            output.seek(0)
            return output.read(), inputs.read_json(record)

    def run(self, group, program):
        place = self.place(rows.GROUPS[group].model)
        program.clean(place)
        start = now().isoformat(timespec="seconds")
        name = f"{group}.{program.side}.{program.setting}".replace(" ", "_").replace(",", "")
        log = os.path.join(self.store.folder, name + ".log")
        command = program.command(place)
        output, record = self.watched(command, program.environment, log)
        status, late, memory = (record.pop(key) for key in ("status", "late", "memory"))
        if status == 0:
            record["figures"] = {**program.figures(place, output), "memory": memory}
        else:
            record["failed"] = f"longer than {self.arguments.timeout} s" if late else f"exit {status}, see {log}"
        program.clean(place)
        record = {"row": group, "side": program.side, "setting": program.setting, "start": start, **record}
        if program.side == "hone":
            record["build"] = self.build
        self.store.add_run(record)
        print(f"{start[11:19]} {group} {program.side} {program.setting}: {shown(record)} "
              f"(others {record['others']:.2f} cores)", file=sys.stderr, flush=True)

    def calibrate(self, group):
        """The peaks that `hone doctor` measures, once a row: the best of all rows counts."""
        if any((peak["row"], peak["build"]) == (group, self.build) for peak in self.store.peaks):
            return
        command = [*shlex.split(self.arguments.wrap), self.hone, "doctor"]
        text = output_of(command)
        figures = {line[:27].strip(): line[27:].split() for line in text.splitlines()}
        wanted = ("float32 GEMM", "bfloat16 GEMM", "float32 peak", "bfloat16 peak", "memory bandwidth")
        self.store.add_peak({"row": group, "build": self.build,
                             **{key: float(figures[key][0]) for key in wanted if key in figures}})

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

    def measure(self, group):
        """False when the time is up."""
        for number in range(1, 2 * self.arguments.runs + 1):
            for program in rows.GROUPS[group].programs:
                done = self.done(group, program)
                enough = len(done) >= number or len(self.undisturbed(done)) >= self.arguments.runs
                if enough or self.missing(program) or (program.side != "hone" and self.hopeless(group, program)):
                    continue
                if self.arguments.until and now().strftime("%H:%M") >= self.arguments.until:
                    return False
                self.calibrate(group)
                self.run(group, program)
        return True


def shown(record):
    if "failed" in record:
        return record["failed"]
    return ", ".join(f"{name} {value:,.4g}" for name, value in record["figures"].items())
