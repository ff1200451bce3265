#!/usr/bin/env python3
"""Fine-tunes an encoder with hone and with the same loop over transformers, and compares their predictions.

Both start from one checkpoint (the encoder with a fresh head), see the same rows in the same order, in float32 and without
dropout. Of classes the share of equal predictions on the held-out rows is printed beside both accuracies and Matthews'
correlations, and less than 99.5 % fails; of numbers (sts) both rank correlations, and a difference above 0.005 fails.

usage: tools/parity_classify.py HONE ENCODER sst2|cola|banking77|sts TRAIN [HELD_OUT] [--steps N]
       without HELD_OUT every tenth row of TRAIN is held out
needs: pip install torch transformers scikit-learn scipy
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import scipy.stats
import sklearn.metrics
import torch
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "golden"))
from trl_letters import shuffled, stream_key

SEED, BATCH, STAGE = 1, 32, "parity"
# Columns of the file (none: it names them itself), longest row in tokens, learning rate: those of configs/recipes.
TASKS = {
    "sst2": {"columns": ["text", "label"], "max_tokens": 128, "learning_rate": 5e-5},
    "cola": {"columns": ["source", "label", "mark", "text"], "max_tokens": 128, "learning_rate": 5e-5},
    "banking77": {"columns": None, "max_tokens": 64, "learning_rate": 2e-4},
    "sts": {"columns": ["value", "text", "text_pair"], "max_tokens": 128, "learning_rate": 5e-5},
}


def rows_of(path, columns):
    """Text, second text or none, and the label: its name, or a number."""
    with open(path, encoding="utf-8", newline="") as file:
        if columns is None:
            rows = [{"text": row["text"], "label": row["category"]} for row in csv.DictReader(file)]
        else:
            rows = [dict(zip(columns, row)) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return [(row["text"], row.get("text_pair"), row["label"] if "label" in row else float(row["value"])) for row in rows]


class Loop:
    """The loop over transformers."""

    def __init__(self, task, tokenizer, names):
        self.task, self.tokenizer, self.names = task, tokenizer, names

    def batch(self, rows):
        pairs = [pair for _, pair, _ in rows]
        return self.tokenizer([text for text, _, _ in rows], pairs if pairs[0] is not None else None, padding=True,
                              truncation=True, max_length=self.task["max_tokens"], return_tensors="pt")

    def labels(self, rows):
        return torch.tensor([self.names.index(label) if self.names else label for _, _, label in rows])

    def train(self, model, rows, steps):
        key, order, epoch = stream_key(SEED, "rows/" + STAGE), [], 0
        while len(order) < steps * BATCH:
            order += shuffled(len(rows), key, epoch, 0)
            epoch += 1
        optimizer = torch.optim.AdamW(model.parameters(), lr=self.task["learning_rate"], eps=1e-8, weight_decay=0.0)
        model.eval()  # no dropout
        for step in range(steps):
            chosen = [rows[i] for i in order[step * BATCH:(step + 1) * BATCH]]
            loss = model(**self.batch(chosen), labels=self.labels(chosen)).loss
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    @torch.no_grad()
    def predict(self, model, rows):
        said = []
        for i in range(0, len(rows), BATCH):
            logits = model(**self.batch(rows[i:i + BATCH])).logits
            said += logits.argmax(1).tolist() if self.names else logits[:, 0].tolist()
        return said


def run_hone(hone, folder, task, files, steps):
    data = {"path": str(files[0]), "held_out_path": str(files[1]), "format": "csv", "columns": {"label": "category"}}
    if task["columns"]:
        data |= {"format": "tsv", "columns": {}, "column_names": task["columns"]}
    config = {
        "run": {"seed": SEED, "directory": str(folder), "name": "run"},
        "model": {"path": str(folder / "start"), "compute": "float32"},
        "data": {"rows": data},
        "stages": [{"kind": "classify", "name": STAGE, "data": "rows", "max_tokens": task["max_tokens"], "steps": steps,
                    "batch_size": BATCH, "optimizer": {"learning_rate": task["learning_rate"]}}],
    }
    file = folder / "run.yaml"
    file.write_text(json.dumps(config))
    subprocess.run([hone, "run", str(file)], check=True, stdout=subprocess.DEVNULL)
    return folder / "run" / "checkpoints" / STAGE / "final"


def split(path, folder, columns):
    """Every tenth row of the file, and the others, as files."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file) if columns is None else file)
    head, lines = (lines[:1], lines[1:]) if columns is None else ([], lines)
    files = []
    for name, part in (("train", [line for i, line in enumerate(lines) if i % 10 != 9]), ("held_out", lines[9::10])):
        files.append(folder / (name + pathlib.Path(path).suffix))
        with open(files[-1], "w", encoding="utf-8", newline="") as file:
            (csv.writer(file).writerows if columns is None else file.writelines)(head + part)
    return files


def compare(ours, theirs, labels, names):
    """What is printed, and whether it is close enough."""
    if not names:
        ranks = [scipy.stats.spearmanr(said, labels).statistic for said in (ours, theirs)]
        apart = max(abs(a - b) for a, b in zip(ours, theirs))
        return ({"hone spearman": ranks[0], "transformers spearman": ranks[1], "largest difference": apart},
                abs(ranks[0] - ranks[1]) <= 0.005)
    share = lambda a, b: sum(x == y for x, y in zip(a, b)) / len(labels)
    figures = {"equal": share(ours, theirs)}
    for name, said in (("hone", ours), ("transformers", theirs)):
        figures |= {name + " accuracy": share(said, labels), name + " mcc": sklearn.metrics.matthews_corrcoef(labels, said)}
    return figures, figures["equal"] >= 0.995


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hone")
    parser.add_argument("encoder")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("train")
    parser.add_argument("held_out", nargs="?")
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    transformers.logging.set_verbosity_error()
    task = TASKS[options.task]
    with tempfile.TemporaryDirectory() as out:
        folder = pathlib.Path(out)
        files = (options.train, options.held_out)
        if not options.held_out:
            files = split(options.train, folder, task["columns"])
        train_rows, held_out_rows = rows_of(files[0], task["columns"]), rows_of(files[1], task["columns"])
        regression = isinstance(train_rows[0][2], float)
        names = None if regression else sorted({label for _, _, label in train_rows})
        tokenizer = transformers.AutoTokenizer.from_pretrained(options.encoder)
        head = {"num_labels": 1, "problem_type": "regression"} if regression else {
            "id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
        model = transformers.AutoModelForSequenceClassification.from_pretrained(options.encoder, dtype=torch.float32, **head)
        model.save_pretrained(folder / "start")
        tokenizer.save_pretrained(folder / "start")
        final = run_hone(options.hone, folder, task, files, options.steps)
        # `hone predict` may compute in bfloat16; what is compared here is what was learned.
        trained = transformers.AutoModelForSequenceClassification.from_pretrained(final, dtype=torch.float32).eval()
    loop = Loop(task, tokenizer, names)
    ours = loop.predict(trained, held_out_rows)
    began = time.process_time()
    loop.train(model, train_rows, options.steps)
    seconds = time.process_time() - began
    figures, close = compare(ours, loop.predict(model, held_out_rows), loop.labels(held_out_rows).tolist(), names)
    print(json.dumps({"rows": len(held_out_rows), "steps": options.steps, **figures,
                      "transformers' seconds": round(seconds, 1)}))
    sys.exit(not close)


main()
