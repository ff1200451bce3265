#!/usr/bin/env python3
"""Writes tests/golden/entities.json: what seqeval says of random tags, well formed and not.

usage: tools/golden/entities.py     (needs `pip install seqeval`)
"""
import json
import random
import warnings
from pathlib import Path

from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities

PLACES = {"iob": "BI", "bioes": "BIES"}


def sentence(draw, places, length):
    return [draw.choice(["O"] + [f"{place}-{kind}" for place in places for kind in ("PER", "LOC", "ORG")])
            for _ in range(length)]


def main():
    warnings.simplefilter("ignore")
    draw = random.Random(5)
    cases = []
    for places in PLACES.values():
        for _ in range(4):
            lengths = [draw.randint(1, 12) for _ in range(6)]
            labels = [sentence(draw, places, n) for n in lengths]
            predictions = [[tag if draw.random() < 0.7 else other for tag, other in zip(row, sentence(draw, places, len(row)))]
                           for row in labels]
            cases.append({
                "labels": labels, "predictions": predictions,
                "entities": [[[kind, first, last] for kind, first, last in get_entities(row)] for row in labels],
                "precision": precision_score(labels, predictions), "recall": recall_score(labels, predictions),
                "f1": f1_score(labels, predictions),
                "f1_by_type": dict(zip(("LOC", "ORG", "PER"), f1_score(labels, predictions, average=None).tolist())),
            })
    path = Path(__file__).resolve().parents[2] / "tests" / "golden" / "entities.json"
    path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")


main()
