#!/usr/bin/env python3
"""Writes tests/golden/contrastive_curve.json: 50 steps of a plain loop over transformers' BertModel with pooled vectors:
pairs, triplets, and pairs with a value (CoSENT and the squared error of the cosine).

tests/stages/contrastive_test.cpp writes the rows to files, trains on them from tests/golden/models/bert_base and compares
every step.

usage: tools/golden/contrastive_curve.py     (needs `pip install torch transformers`)
"""
import json
import pathlib
import random

import torch
import transformers
from curve_loop import ROWS, padded, settings, train

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
WORDS = "abcdefghijklmnopqrstuvwxyz0123456789"  # of the vocabulary, behind [PAD] [UNK] [CLS] [SEP] [MASK]
CLS, SEP = 2, 3
SCALE = 20.0


def vectors(model, texts, pooling, unit=True):
    ids = [[CLS] + [5 + WORDS.index(word) for word in text.split()] + [SEP] for text in texts]
    mask = padded([[1] * len(row) for row in ids])
    hidden = model(input_ids=padded(ids), attention_mask=mask).last_hidden_state
    weight = mask.unsqueeze(2).to(hidden.dtype)
    if pooling == "cls":
        pooled = hidden[:, 0]
    elif pooling == "max":
        pooled = hidden.masked_fill(weight == 0, -1e9).max(1).values
    else:
        pooled = (hidden * weight).sum(1) / weight.sum(1)
    return torch.nn.functional.normalize(pooled, dim=1) if unit else pooled


def info_nce(data, sides, pooling, scale=SCALE, unit=True):
    def loss(model, rows):
        anchor, *others = [vectors(model, [data[row][side] for row in rows], pooling, unit) for side in sides]
        return torch.nn.functional.cross_entropy(scale * anchor @ torch.cat(others).T, torch.arange(len(rows)))
    return loss


def scored(data, cosent):
    def loss(model, rows):
        first, second = [vectors(model, [data[row][side] for row in rows], "mean") for side in ("text", "text_pair")]
        cosine = (first * second).sum(1)
        value = torch.tensor([data[row]["value"] for row in rows])
        if not cosent:
            return torch.nn.functional.mse_loss(cosine, value / 5)
        difference = SCALE * (cosine[:, None] - cosine[None, :])
        difference = difference - (value[:, None] >= value[None, :]).float() * 1e12
        return torch.logsumexp(torch.cat((torch.zeros(1), difference.flatten())), 0)
    return loss


def main():
    torch.set_num_threads(1)
    draw = random.Random(5)
    words = lambda: " ".join(draw.choice(WORDS) for _ in range(draw.randint(1, 9)))
    triplets = [{"anchor": words(), "positive": words(), "negative": words()} for _ in range(ROWS)]
    pairs = [{"anchor": row["anchor"], "positive": row["positive"]} for row in triplets]
    rated = [{"text": words(), "text_pair": words(), "value": draw.randrange(11) / 2} for _ in range(ROWS)]
    runs = {
        "pairs": (pairs, info_nce(pairs, ("anchor", "positive"), "mean")),
        "products": (pairs, info_nce(pairs, ("anchor", "positive"), "max", 1.0, False)),
        "triplets": (triplets, info_nce(triplets, ("anchor", "positive", "negative"), "cls")),
        "cosent": (rated, scored(rated, True)),
        "cosine": (rated, scored(rated, False)),
    }
    document = {"made_by": "tools/golden/contrastive_curve.py", "transformers": transformers.__version__,
                "torch": torch.__version__, "words": WORDS, **settings(), "runs": {}}
    for name, (rows, loss) in runs.items():
        model = transformers.BertModel.from_pretrained(GOLDEN / "models" / "bert_base", attn_implementation="eager",
                                                       dtype=torch.float32)
        document["runs"][name] = {"rows": rows, **train(model, name, loss)}
        print(name, document["runs"][name]["loss"][:2], document["runs"][name]["loss"][-1])
    (GOLDEN / "contrastive_curve.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


main()
