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
# T5 puts no scale on its attention, so the random checkpoint attends to single tokens and turns rounding into other curves:
# transformers' own gradient norms in float32 and float64 part by 0.08. With smaller queries they agree to 1e-5.
QUERY_SCALE = 0.125


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
        for name, weight in model.named_parameters():
            if name.endswith(".q.weight"):
                weight.data.mul_(QUERY_SCALE)
        return train(model, "t5", loss)

    curve, exact = run(torch.float32), run(torch.float64)
    # How far float32 takes transformers from itself.
    rounding = max(abs(a - b) for a, b in zip(curve["grad_norm"], exact["grad_norm"]))
    print(curve["loss"][:2], curve["loss"][-1], "gradient norm in float32 and float64:", rounding)
    assert rounding < 2e-5
    (GOLDEN / "t5_curve.json").write_text(json.dumps(
        {"made_by": "tools/golden/t5_curve.py", "transformers": transformers.__version__, "torch": torch.__version__,
         **settings(), "query_scale": QUERY_SCALE, "rows": rows, **curve}, separators=(",", ":")) + "\n")


main()
