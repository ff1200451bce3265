#!/usr/bin/env python3
"""Writes tests/golden/mlm_curve.json: 50 steps of a plain loop over BertForMaskedLM, on texts masked here.

tests/stages/mlm_curve_test.cpp trains on the same masked rows from tests/golden/models/bert_masked_lm and compares every
step.

usage: tools/golden/mlm_curve.py     (needs `pip install torch transformers`)
"""
import json
import pathlib
import random

import torch
import transformers
from curve_loop import ROWS, padded, settings, train

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
CLS, SEP, MASK, FIRST, VOCABULARY = 2, 3, 4, 5, 48


def masked(draw):
    """One text: what the model reads, and the tokens it is to fill in, -1 where there is none."""
    text = [draw.randrange(FIRST, VOCABULARY) for _ in range(draw.randint(3, 20))]
    ids, targets = list(text), [-1] * len(text)
    for place in draw.sample(range(len(text)), max(1, round(0.15 * len(text)))):
        targets[place] = text[place]
        chance = draw.random()
        if chance < 0.8:
            ids[place] = MASK
        elif chance < 0.9:
            ids[place] = draw.randrange(FIRST, VOCABULARY)
    return {"ids": [CLS, *ids, SEP], "targets": [-1, *targets, -1]}


def main():
    torch.set_num_threads(1)
    draw = random.Random(8)
    rows = [masked(draw) for _ in range(ROWS)]
    model = transformers.BertForMaskedLM.from_pretrained(GOLDEN / "models" / "bert_masked_lm", dtype=torch.float32,
                                                         attn_implementation="eager")

    def loss(model, chosen):
        ids = [rows[row]["ids"] for row in chosen]
        labels = [[-100 if id < 0 else id for id in rows[row]["targets"]] for row in chosen]
        return model(input_ids=padded(ids), attention_mask=padded([[1] * len(row) for row in ids]),
                     labels=padded(labels, -100)).loss

    curve = train(model, "mlm", loss)
    print(curve["loss"][:2], curve["loss"][-1])
    (GOLDEN / "mlm_curve.json").write_text(json.dumps(
        {"made_by": "tools/golden/mlm_curve.py", "transformers": transformers.__version__, "torch": torch.__version__,
         **settings(), "rows": rows, **curve}, separators=(",", ":")) + "\n")


main()
