#!/usr/bin/env python3
"""Writes tests/golden/architectures/refusals.json: edits of config.json, and what transformers makes of them.

Each case edits the config.json of a checkpoint under tests/golden/models: `set` gives keys values, `remove` takes keys
away, `key` is the one that an error must name. Then, for the first sequence of the checkpoint's golden file:
  same    the numbers do not change: a reader must compute them.
  either  the numbers do not change, though the key asks for it: a reader computes them, or refuses by naming `key`.
  honour  the numbers change to `logits` (the last row's first ones): a reader must compute those.
  refuse  transformers fails, or the checkpoint lacks weights for it, or the numbers change to `logits` in a way that
          few readers know, or leave tensors unused. A reader refuses by naming `key`, or computes `logits`.

usage: tools/golden/architectures_refusals.py     (needs `pip install transformers torch`)
"""
import json
import pathlib
import tempfile

import torch
import transformers

from architectures_checkpoint import GOLDEN, numbers
from architectures_edits import EDITS, OPEN_EDITS, OPEN_KEYS

SAME, FIRST = 1e-6, 16


def golden_of(checkpoint):
    for path in sorted((GOLDEN / "architectures").glob("*.json")):
        models = json.loads(path.read_text()).get("models", {})
        if checkpoint in models:
            return path.stem, models[checkpoint]
    raise KeyError(checkpoint)


def row_of(model, case):
    """The last row of what the model says about the first sequence."""
    sequence = case["sequences"][0] if "sequences" in case else case
    inputs = {"input_ids": torch.tensor([sequence["ids"]])}
    if "type_ids" in sequence:
        inputs["token_type_ids"] = torch.tensor([sequence["type_ids"]])
    if "decoder_ids" in sequence:
        inputs["decoder_input_ids"] = torch.tensor([sequence["decoder_ids"]])
    with torch.no_grad():
        out = model(**inputs)
    logits = out.logits if "logits" in out else out.last_hidden_state
    return logits.reshape(-1, logits.shape[-1])[-1]


def outcome(checkpoint, case, edit):
    """The last row, or none, and what is wrong."""
    source = GOLDEN / "models" / checkpoint
    config = json.loads((source / "config.json").read_text())
    for key in edit.get("remove", []):
        config.pop(key, None)
    config.update(edit.get("set", {}))
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "model.safetensors").symlink_to(source / "model.safetensors")
        try:
            transformers.AutoConfig.from_pretrained(folder)  # an unknown model type
            model, loading = getattr(transformers, case["class"]).from_pretrained(
                folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
            if loading["missing_keys"]:
                return None, f"{len(loading['missing_keys'])} tensors are missing"
            unused = "tensors that have no place" if loading["unexpected_keys"] else None
            return row_of(model.eval(), case), unused
        except Exception as error:  # whatever makes transformers give up
            return None, f"{type(error).__name__}"


def judged(checkpoint, edit):
    family, case = golden_of(checkpoint)
    before, problem = outcome(checkpoint, case, {})
    assert problem is None, (checkpoint, problem)
    row, problem = outcome(checkpoint, case, edit)
    found = {"family": family, "checkpoint": checkpoint, "class": case["class"], "key": edit["key"],
             "set": edit.get("set", {}), "remove": edit.get("remove", [])}
    if row is None:
        return {**found, "expect": "refuse", "transformers": problem}
    unused = problem is not None
    if row.shape == before.shape and (row - before).abs().max() < SAME:
        open_key = edit["key"] in OPEN_KEYS or edit in OPEN_EDITS
        return {**found, "expect": "either" if open_key or unused else "same"}
    return {**found, "expect": "honour" if edit.get("honour") else "refuse", "logits": numbers(row[:FIRST])}


def main():
    torch.set_num_threads(1)
    cases = [judged(checkpoint, edit) for checkpoint, edits in EDITS.items() for edit in edits]
    for case, edit in zip(cases, (edit for edits in EDITS.values() for edit in edits)):
        print(case["checkpoint"], case["key"], case["set"], case["remove"], case["expect"], case.get("transformers", ""))
        assert case["expect"] == "honour" or not edit.get("honour"), case
    document = {"made_by": "tools/golden/architectures_refusals.py", "transformers": transformers.__version__,
                "torch": torch.__version__, "cases": cases}
    (GOLDEN / "architectures" / "refusals.json").write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
