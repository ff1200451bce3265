#!/usr/bin/env python3
"""Whether hone and transformers agree about models that either of them wrote.

usage: models.py HONE SCRATCH [MODEL]...

For each model of models_written.py: transformers writes a directory; `hone forward` computes rows of token ids from it;
`hone run` trains it for a few steps (masked LMs are written again by `hone export`); AutoModel loads what hone wrote, finds every tensor and no other, and computes what
`hone forward` computes from it. Prints a line for each with the largest difference.
"""
import json
import os
import pathlib
import subprocess
import sys

import safetensors.torch
import torch
import transformers

import models_written

LARGEST = 1e-4   # difference of an output
CHANGED = 1e-4   # of a weight, at least, where training did something
STEPS = 3
STAGES = {
    "sft": {"data": "pairs", "class": "AutoModelForCausalLM"},
    "seq2seq": {"kind": "sft", "data": "pairs", "class": "AutoModelForSeq2SeqLM"},
    "export": {"class": "AutoModelForMaskedLM"},
    "classify": {"data": "labelled", "class": "AutoModelForSequenceClassification"},
}


class Disagreement(Exception):
    pass


class Hone:
    def __init__(self, program):
        self.program = program
        # The peers' Python gets stand-ins for CUDA libraries by this variable; hone has the real ones.
        self.environment = {key: value for key, value in os.environ.items() if key != "LD_LIBRARY_PATH"}

    def __call__(self, folder, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], cwd=folder, env=self.environment,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise Disagreement(f"hone {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr[-2000:]}")

    def forward(self, folder, model, rows, what):
        with open(folder / "rows.jsonl", "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        self(folder, "forward", model, "--input", "rows.jsonl", "--output", "out.safetensors", "--what", what)
        found = safetensors.torch.load_file(folder / "out.safetensors")
        if sorted(found, key=int) != [str(i) for i in range(len(rows))]:
            raise Disagreement(f"hone forward wrote the tensors {sorted(found)} for {len(rows)} rows")
        return [found[str(i)] for i in range(len(rows))]


def load(model_class, folder):
    model, loading = model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager",
                                                 output_loading_info=True)
    problems = {what: sorted(map(str, names)) for what, names in loading.items() if names}
    if problems:
        raise Disagreement(f"{model_class.__name__} of {folder}: {problems}")
    return model.eval()


def expected(model, row):
    """What transformers computes from one row, [positions or 1, outputs]."""
    names = {"ids": "input_ids", "type_ids": "token_type_ids", "decoder_ids": "decoder_input_ids"}
    with torch.no_grad():
        out = model(**{names[key]: torch.tensor([value]) for key, value in row.items()})
    if "start_logits" in out:
        return torch.stack([out.start_logits[0], out.end_logits[0]], -1)
    return out.logits[0] if "logits" in out else out.last_hidden_state[0]


def difference(hone, folder, model_folder, model_class, rows):
    """The largest between hone's outputs and transformers', over all rows."""
    model = load(model_class, model_folder)
    what = "logits" if any(name in type(model).__name__ for name in ("For", "LMHead")) else "hidden"
    largest = 0.0
    for number, (row, got) in enumerate(zip(rows, hone.forward(folder, model_folder, rows, what))):
        wanted = expected(model, row)
        if got.numel() != wanted.numel():
            raise Disagreement(f"row {number}: hone's {what} have the shape {list(got.shape)}, not {list(wanted.shape)}")
        largest = max(largest, float((got.float().reshape(wanted.shape) - wanted).abs().max()))
        if not largest <= LARGEST:
            raise Disagreement(f"row {number} of {model_folder}: {what} differ by {largest:.3g}")
    return largest


def train(hone, folder, model_folder, stage):
    """The directory that hone leaves after a few steps."""
    settings = STAGES[stage]
    kind = settings.get("kind", stage)
    (folder / f"{stage}.yaml").write_text(f"""model: {{path: {model_folder}}}
data:
  {settings["data"]}: {{path: {folder.parent / settings["data"]}.jsonl}}
stages:
  - kind: {kind}
    data: {settings["data"]}
    steps: {STEPS}
    batch_size: 8
    optimizer: {{learning_rate: 1.0e-3, schedule: constant}}
""")
    hone(folder, "run", f"{stage}.yaml")
    return folder / "runs" / stage / "checkpoints" / kind / "final"


def export(hone, folder, model_folder):
    """The directory that hone writes of a model that no stage trains with this head."""
    hone(folder, "export", model_folder, "exported")
    return folder / "exported"


def check_trained(before, after):
    """Weights moved, none is missing or new but those of heads, and the tokenizer is as it was."""
    old, new = (safetensors.torch.load_file(folder / "model.safetensors") for folder in (before, after))
    if not old.keys() & new.keys():  # a base model alone has no prefix
        new = {name.split(".", 1)[-1]: tensor for name, tensor in new.items()}
    shared = old.keys() & new.keys()
    trunk = [name for name in shared if old[name].shape != new[name].shape]
    if trunk or not shared:
        raise Disagreement(f"{after}: tensors of another shape: {trunk}")
    if max(float((new[name].float() - old[name].float()).abs().max()) for name in shared) < CHANGED:
        raise Disagreement(f"{after}: training changed nothing")
    if (before / "tokenizer.json").read_bytes() != (after / "tokenizer.json").read_bytes():
        raise Disagreement(f"{after}: tokenizer.json is not the one of the model")


def check(hone, scratch, written):
    """The line that says how well one model does."""
    folder = scratch / written.name
    model_folder = folder / "model"
    written.save(model_folder)
    line = [f"forward {difference(hone, folder, model_folder, written.model_class, written.rows):.1e}"]
    for stage in written.stages:
        after = export(hone, folder, model_folder) if stage == "export" else train(hone, folder, model_folder, stage)
        if stage != "export":
            check_trained(model_folder, after)
        auto = getattr(transformers, STAGES[stage]["class"])
        line.append(f"after {stage} {difference(hone, folder, after, auto, written.rows):.1e}")
    return ", ".join(line)


def main():
    hone, scratch, names = Hone(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    torch.set_num_threads(1)
    models_written.write_data(scratch)
    models = models_written.models()
    failed = [name for name in names if name not in models]
    for name in failed:
        print(f"there is no model {name}; there are {', '.join(models)}")
    for name in names or models:
        if name not in models:
            continue
        try:
            print(f"{name}: {check(hone, scratch, models[name])}", flush=True)
        except Disagreement as problem:
            failed.append(name)
            print(f"{name}: FAILED: {problem}", flush=True)
    print(f"{len(names or models)} models, {len(failed)} failed {failed or ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
