#!/usr/bin/env python3
"""Fine-tunes an encoder on SST-2 with hone and with the same loop over transformers, and compares their predictions.

Both start from one checkpoint (the encoder with a fresh head), see the same rows in the same order, in float32 and without
dropout. Prints the share of equal predictions on the held-out rows and both accuracies; fails below 99.5 %.

usage: tools/parity_classify.py HONE ENCODER TRAIN.tsv DEV.tsv [--steps N]
needs: pip install torch transformers
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "golden"))
from trl_letters import shuffled, stream_key

SEED, BATCH, LEARNING_RATE, STAGE = 1, 32, 5e-5, "parity"


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        return [(text, int(label)) for text, label in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def train(model, tokenizer, rows, steps):
    key, order = stream_key(SEED, "rows/" + STAGE), []
    while len(order) < steps * BATCH:
        order += shuffled(len(rows), key, len(order) // len(rows), 0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, eps=1e-8, weight_decay=0.0)
    model.eval()
    for step in range(steps):
        chosen = [rows[i] for i in order[step * BATCH:(step + 1) * BATCH]]
        batch = tokenizer([text for text, _ in chosen], padding=True, truncation=True, max_length=128, return_tensors="pt")
        loss = model(**batch, labels=torch.tensor([label for _, label in chosen])).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return loss.item()


def predict(model, tokenizer, rows):
    labels = []
    with torch.no_grad():
        for i in range(0, len(rows), BATCH):
            batch = tokenizer([text for text, _ in rows[i:i + BATCH]], padding=True, truncation=True, max_length=128,
                              return_tensors="pt")
            labels += model(**batch).logits.argmax(1).tolist()
    return labels


def run_hone(hone, folder, start, files, steps):
    config = {
        "run": {"seed": SEED, "directory": str(folder), "name": "run"},
        "model": {"path": str(start), "compute": "float32"},
        "data": {"rows": {"path": files[0], "held_out_path": files[1], "format": "tsv", "column_names": ["text", "label"]}},
        "stages": [{"kind": "classify", "name": STAGE, "data": "rows", "max_tokens": 128, "steps": steps,
                    "batch_size": BATCH, "optimizer": {"learning_rate": LEARNING_RATE}}],
    }
    file = folder / "run.yaml"
    file.write_text(json.dumps(config))
    subprocess.run([hone, "run", str(file)], check=True, stdout=subprocess.DEVNULL)
    return folder / "run" / "checkpoints" / STAGE / "final"


def main():
    parser = argparse.ArgumentParser()
    for name in ("hone", "encoder", "train", "dev"):
        parser.add_argument(name)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.encoder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        options.encoder, id2label={0: "0", 1: "1"}, label2id={"0": 0, "1": 1}, dtype=torch.float32)
    train_rows, dev_rows = rows_of(options.train), rows_of(options.dev)
    with tempfile.TemporaryDirectory() as out:
        folder = pathlib.Path(out)
        model.save_pretrained(folder / "start")
        tokenizer.save_pretrained(folder / "start")
        final = run_hone(options.hone, folder, folder / "start", (options.train, options.dev), options.steps)
        # `hone predict` may compute in bfloat16; what is compared here is what was learned.
        trained = transformers.AutoModelForSequenceClassification.from_pretrained(final, dtype=torch.float32)
        ours = predict(trained.eval(), tokenizer, dev_rows)
    train(model, tokenizer, train_rows, options.steps)
    theirs = predict(model, tokenizer, dev_rows)
    labels = [label for _, label in dev_rows]
    share = lambda a, b: sum(x == y for x, y in zip(a, b)) / len(labels)
    print(json.dumps({"rows": len(labels), "steps": options.steps, "equal": share(ours, theirs),
                      "hone accuracy": share(ours, labels), "transformers accuracy": share(theirs, labels)}))
    sys.exit(share(ours, theirs) < 0.995)


main()
