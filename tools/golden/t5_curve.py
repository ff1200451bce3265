#!/usr/bin/env python3
"""Writes tests/golden/t5_curve.json: 50 steps of a plain loop over T5ForConditionalGeneration, teacher forcing.

tests/stages/t5_curve_test.cpp trains on the same rows from tests/golden/models/t5 and compares every step.

usage: tools/golden/t5_curve.py     (needs `pip install torch transformers`)
"""
import json
import pathlib
import random

import torch
import transformers
from curve_loop import ROWS, padded, settings, train

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
EOS, VOCABULARY = 1, 48
LEARNING_RATE = 1e-4  # T5's attention has no scale: at 1e-3 the random model turns rounding into other curves


def main():
    torch.set_num_threads(1)
    draw = random.Random(4)
    ids = lambda low, high: [draw.randrange(2, VOCABULARY) for _ in range(draw.randint(low, high))] + [EOS]
    rows = [{"source": ids(1, 12), "target": ids(1, 9)} for _ in range(ROWS)]

    def loss(model, chosen):
        sources = [rows[row]["source"] for row in chosen]
        return model(input_ids=padded(sources), attention_mask=padded([[1] * len(row) for row in sources]),
                     labels=padded([rows[row]["target"] for row in chosen], -100)).loss

    def run(dtype):
        model = transformers.T5ForConditionalGeneration.from_pretrained(GOLDEN / "models" / "t5", dtype=dtype)
        return train(model, "t5", loss, LEARNING_RATE)

    curve, exact = run(torch.float32), run(torch.float64)
    # How far float32 takes transformers from itself: no other float32 program can be held to less.
    curve["grad_norm_rounding"] = max(abs(a - b) for a, b in zip(curve["grad_norm"], exact["grad_norm"]))
    print(curve["loss"][:2], curve["loss"][-1])
    (GOLDEN / "t5_curve.json").write_text(json.dumps(
        {"made_by": "tools/golden/t5_curve.py", "transformers": transformers.__version__, "torch": torch.__version__,
         **settings(LEARNING_RATE), "rows": rows, **curve}, separators=(",", ":")) + "\n")


main()
