#!/usr/bin/env python3
"""Writes tests/golden/pooling.json: vectors of sentence-transformers' Pooling and Normalize for given hidden states.

usage: tools/golden/pooling.py     (needs `pip install sentence-transformers`)
"""

import json
import pathlib
import random

import sentence_transformers
import torch
from sentence_transformers.models import Pooling

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "pooling.json"
draw = random.Random(61)
cases = []
for modes in [
    ["cls"],
    ["max"],
    ["mean"],
    ["mean_sqrt_len_tokens"],
    ["weightedmean"],
    ["lasttoken"],
    ["cls", "mean"],
    ["max", "weightedmean", "lasttoken"],
]:
    for prompt in (0, 2):
        for normalize in (False, True):
            tokens, dimension = draw.randint(3, 7), 4
            hidden = torch.tensor(
                [[float(f"{draw.gauss(0, 1):.3f}") for _ in range(dimension)] for _ in range(tokens)]
            )
            features = {"token_embeddings": hidden[None], "attention_mask": torch.ones(1, tokens, dtype=torch.long)}
            if prompt:
                features["prompt_length"] = prompt
            vector = Pooling(dimension, modes, include_prompt=not prompt)(features)["sentence_embedding"][0]
            vector = torch.nn.functional.normalize(vector, dim=0) if normalize else vector
            cases.append(
                {
                    "modes": modes,
                    "normalize": normalize,
                    "prompt_tokens": prompt,
                    "dimension": dimension,
                    "hidden": [float(f"{x:.3f}") for x in hidden.flatten().tolist()],
                    "vector": [float(f"{x:.8g}") for x in vector.tolist()],
                }
            )
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
OUT.write_text(
    '{"sentence_transformers": "' + sentence_transformers.__version__ + '", "cases": [\n' + lines + "\n]}\n"
)
