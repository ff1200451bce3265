"""What each side of the benchmark runs, and how the figures of one run are read from it."""
import json
import os
import shutil
import statistics
import sys
from dataclasses import dataclass

import inputs
from inputs import Inputs

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGS = os.path.join(HERE, "configs")
THREADS = "2"
# What suits transformers' many large tensors: glibc then keeps their memory.
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000"}
PEER = {**MALLOC, "OMP_NUM_THREADS": THREADS, "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}


@dataclass
class Place:
    """Where the programs and files of one row are."""
    hone: str
    python: str
    llama: str
    scripts: str
    trl_ppo: str
    models: str
    model: str
    run: str  # run directory that is hone's for the time of one run
    inputs: Inputs

    def model_directory(self):
        return os.path.join(self.models, self.model)


class Program:
    """One side in one setting. `figures` are named as the lines of the table ask for them."""
    environment = {}

    def __init__(self, side, setting):
        self.side, self.setting = side, setting

    def command(self, place):
        raise NotImplementedError

    def figures(self, place, output):
        raise NotImplementedError

    def clean(self, place):
        """Before and after a run."""


class Doctor(Program):
    """The machine's peaks, by `hone doctor`."""

    def __init__(self):
        super().__init__("machine", "peaks")

    def command(self, place):
        return [place.hone, "doctor"]

    def figures(self, place, output):
        lines = {line[:27].strip(): line[27:].split() for line in output.splitlines()}
        wanted = ("float32 GEMM", "bfloat16 GEMM", "float32 peak", "bfloat16 peak", "memory bandwidth")
        return {name: float(lines[name][0]) for name in wanted if name in lines}


class HoneBench(Program):
    """`hone bench`: medians by row, and the best as `ROW best` for peers that report their best."""

    def __init__(self, setting, only, *options, inputs_of=()):
        super().__init__("hone", setting)
        self.options = ["--only", only, *options]
        self.inputs_of = inputs_of

    def command(self, place):
        more = [word for option, name in self.inputs_of
                for word in (option, ",".join(map(str, inputs.read_json(place.inputs(name)))))]
        return [place.hone, "bench", place.inputs("endless"), "--json", "--compute", self.setting, *self.options, *more]

    def figures(self, place, output):
        found = {}
        for line in map(json.loads, output.splitlines()):
            if "row" in line:
                found[line["row"]], found[line["row"] + " best"] = line["median"], line["max"]
        return found


# Files that a run's configuration names; "": the model as it is.
RUN_INPUTS = {
    "train": {"model.path": "", "data.rows.path": "rows_255.txt"},
    "train_skewed": {"model.path": "", "data.rows.path": "skewed_rows.txt"},
    "ppo": {"model.path": "endless", "data.prompts.path": "prompts_16.txt", "stages.ppo.rewards.0.model": "reward"},
    "grpo": {"model.path": "endless", "data.prompts.path": "prompts_grpo.txt"},
}


class HoneRun(Program):
    """`hone run` of a file in configs/, whose steps stand in metrics.jsonl."""

    def __init__(self, setting, kind, *overrides, compute="bfloat16"):
        super().__init__("hone", setting)
        self.kind, self.overrides, self.compute = kind, overrides, compute

    def command(self, place):
        if self.kind == "grpo":
            place.inputs("grpo_prompt_tokens.json")  # for its limit
        files = {key: place.inputs(name) if name else place.model_directory()
                 for key, name in RUN_INPUTS[self.kind].items()}
        return [place.hone, "run", os.path.join(CONFIGS, self.kind + ".yaml"),
                f"run.directory={os.path.dirname(place.run)}", f"run.name={os.path.basename(place.run)}",
                f"run.threads={THREADS}", f"model.compute={self.compute}",
                *(f"{key}={path}" for key, path in files.items()), *self.overrides]

    def clean(self, place):
        shutil.rmtree(place.run, ignore_errors=True)  # checkpoints of larger models take room

    def figures(self, place, output):
        """Steps after the first ones, as the peers' programs take theirs."""
        with open(os.path.join(place.run, "metrics.jsonl")) as file:
            steps = [line for line in map(json.loads, file) if "grad_norm" in line]
        if self.kind.startswith("train"):
            return {"train": statistics.median(step["tokens_per_second"] for step in steps[2:])}
        if any(step["completions/mean_length"] != 64 for step in steps):
            raise ValueError("completions are not 64 tokens long: the model ended some of them")
        return {"s": statistics.median(b["seconds"] - a["seconds"] for a, b in zip(steps, steps[1:]))}


class FirstStep(Program):
    """The quick start until its first step is in the metrics."""

    def __init__(self):
        super().__init__("hone", "bfloat16")

    def command(self, place):
        return [sys.executable, os.path.join(HERE, "first_step.py"), os.path.join(place.run, "metrics.jsonl"), place.hone,
                "run", os.path.join(inputs.ROOT, "configs", "quickstart", "arithmetic.yaml"),
                f"run.directory={os.path.dirname(place.run)}", f"run.name={os.path.basename(place.run)}"]

    def clean(self, place):
        shutil.rmtree(place.run, ignore_errors=True)

    def figures(self, place, output):
        return {"s": json.loads(output)["seconds"]}


class Script(Program):
    """A program of the peers that prints one JSON line; `read` maps the table's figures to its keys."""
    environment = PEER

    def __init__(self, side, setting, script, *options, read, inputs_of=()):
        super().__init__(side, setting)
        self.script, self.options, self.read, self.inputs_of = script, options, read, inputs_of

    def path(self, place):
        ours = os.path.join(HERE, self.script)
        return ours if os.path.exists(ours) else os.path.join(place.scripts, self.script)

    def command(self, place):
        files = [word for option, name in self.inputs_of for word in (option, place.inputs(name))]
        return [place.python, self.path(place), *self.words(place), *files]

    def words(self, place):
        return [place.model_directory(), *self.options]

    def figures(self, place, output):
        line = json.loads(output.splitlines()[-1])
        return {figure: line[key] for figure, key in self.read.items()}


class Work(Script):
    """A work of transformers_peer.py."""

    def __init__(self, setting, work, *options, read, inputs_of=(), side="transformers"):
        super().__init__(side, setting, "transformers_peer.py", *options, read=read, inputs_of=inputs_of)
        self.work = work

    def words(self, place):
        return [self.work, place.model_directory(), *self.options]


class Generation(Script):
    """Decoding alone, by generation_peer.py."""

    def __init__(self, setting, *options):
        super().__init__("transformers", setting, "generation_peer.py", *options, "--dtype", setting,
                         read={"decode best": "decode"})

    def words(self, place):
        return ["transformers", place.model_directory(), *self.options]


class Llama(Script):
    """llama.cpp's engine on the same weights as GGUF: its decoding alone, without sampling."""

    def __init__(self, setting, *options):
        super().__init__("llama.cpp", setting, "llamacpp_generate.py", *options,
                         read={"decode best": "engine_tokens_per_s"})

    def command(self, place):
        file = place.inputs({"float32": "f32.gguf", "bfloat16": "bf16.gguf"}[self.setting])
        return [place.llama, self.path(place), file, *self.options]


class TrlPpo(Script):
    """The last release of TRL that has PPO, without the explicit gc.collect() calls that dominate at toy sizes."""

    def __init__(self, setting, *options):
        more = ("--bf16",) if setting == "bfloat16" else ()
        super().__init__("TRL", setting, "trl_ppo.py", "--no-gc", *more, *options, read={"s": "s_per_iteration"})

    def command(self, place):
        return ["env", f"PYTHONPATH={place.trl_ppo}", *super().command(place)]


class TrlFirstStep(Script):
    def __init__(self):
        super().__init__("TRL", "float32", "trl_first_step.py", read={"s": "seconds"})

    def command(self, place):
        os.makedirs(place.run, exist_ok=True)
        file = os.path.join(place.run, "first_step")
        return [sys.executable, os.path.join(HERE, "first_step.py"), file, place.python, self.path(place),
                place.model_directory(), file]

    def clean(self, place):
        shutil.rmtree(place.run, ignore_errors=True)
