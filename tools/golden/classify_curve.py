#!/usr/bin/env python3
"""Writes tests/golden/classify_curve.json: 50 steps of a plain loop over transformers' models with heads, of pairs of texts
(one class, several labels), texts (a number), words (tags) and questions (spans).

tests/stages/classify_curve_test.cpp writes the rows to files, trains on them from tests/golden/models/bert_* and compares
every step.

usage: tools/golden/classify_curve.py     (needs `pip install torch transformers`)
"""
import json
import pathlib
import random

import torch
import transformers
from curve_loop import ROWS, padded, settings, train
from transformers import (BertForQuestionAnswering, BertForSequenceClassification, BertForTokenClassification)

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
WORDS = "abcdefghijklmnopqrstuvwxyz0123456789"  # of the vocabulary, behind [PAD] [UNK] [CLS] [SEP] [MASK]
CLS, SEP = 2, 3


def ids_of(text):
    return [5 + WORDS.index(word) for word in text.split()]


def load(kind, name):
    return kind.from_pretrained(GOLDEN / "models" / name, attn_implementation="eager", dtype=torch.float32)


def texts(row):
    first = [CLS] + ids_of(row["text"]) + [SEP]
    second = ids_of(row["text_pair"]) + [SEP] if "text_pair" in row else []
    return first + second, [0] * len(first) + [1] * len(second)


def sequence_loss(data, labels):
    def loss(model, rows):
        ids, types = zip(*(texts(data[row]) for row in rows))
        return model(input_ids=padded(ids), token_type_ids=padded(types), attention_mask=padded([[1] * len(row) for row in ids]),
                     labels=labels[rows]).loss
    return loss


def token_loss(data):
    def loss(model, rows):
        ids = [[CLS] + ids_of(" ".join(data[row]["tokens"])) + [SEP] for row in rows]
        labels = [[-100] + [int(tag) for tag in data[row]["tags"]] + [-100] for row in rows]
        return model(input_ids=padded(ids), attention_mask=padded([[1] * len(row) for row in ids]),
                     labels=padded(labels, -100)).loss
    return loss


def span_loss(data):
    def loss(model, rows):  # one by one: transformers would let padding take part in the softmax
        losses = []
        for row in (data[row] for row in rows):
            question, context = ids_of(row["question"]), ids_of(row["context"])
            place = 2 + len(question) + row["answers"]["answer_start"][0] // 2
            ids = [CLS] + question + [SEP] + context + [SEP]
            types = [0] * (2 + len(question)) + [1] * (len(context) + 1)
            last = place + len(row["answers"]["text"][0].split()) - 1
            losses.append(model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types]),
                                start_positions=torch.tensor([place]), end_positions=torch.tensor([last])).loss)
        return torch.stack(losses).mean()
    return loss


def main():
    torch.set_num_threads(1)
    draw = random.Random(3)
    words = lambda low, high: " ".join(draw.choice(WORDS) for _ in range(draw.randint(low, high)))
    pairs = [{"text": words(1, 8), "text_pair": words(1, 8), "label": i % 3} for i in range(ROWS)]
    several = [{"text": words(1, 12), "labels": [str(c) for c in range(4) if draw.random() < 0.4 or c == i % 4]}
               for i in range(ROWS)]
    rated = [{"text": words(1, 12), "value": round(draw.uniform(-1, 2), 3)} for _ in range(ROWS)]
    tagged, asked = [], []
    for i in range(ROWS):
        tokens = words(2, 10).split()
        tagged.append({"tokens": tokens, "tags": [str((i + t) % 5) for t in range(len(tokens))]})
        context = words(4, 12)
        first = draw.randrange(len(context.split()) - 1)
        asked.append({"context": context, "question": words(1, 4), "answers": {
            "text": [context[2 * first:2 * first + 3]], "answer_start": [2 * first]}})
    holds = torch.tensor([[float(str(c) in row["labels"]) for c in range(4)] for row in several])
    runs = {
        "single_label": (pairs, BertForSequenceClassification, "bert_classify",
                         sequence_loss(pairs, torch.tensor([row["label"] for row in pairs]))),
        "multi_label": (several, BertForSequenceClassification, "bert_multi_label", sequence_loss(several, holds)),
        "regression": (rated, BertForSequenceClassification, "bert_regression",
                       sequence_loss(rated, torch.tensor([row["value"] for row in rated]))),
        "tokens": (tagged, BertForTokenClassification, "bert_tokens", token_loss(tagged)),
        "spans": (asked, BertForQuestionAnswering, "bert_spans", span_loss(asked)),
    }
    document = {"made_by": "tools/golden/classify_curve.py", "transformers": transformers.__version__,
                "torch": torch.__version__, "words": WORDS, **settings(), "runs": {}}
    for name, (rows, kind, model, loss) in runs.items():
        document["runs"][name] = {"model": model, "rows": rows, **train(load(kind, model), name, loss)}
        print(name, document["runs"][name]["loss"][:2], document["runs"][name]["loss"][-1])
    (GOLDEN / "classify_curve.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


main()
