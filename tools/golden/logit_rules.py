#!/usr/bin/env python3
"""Writes tests/golden/logit_rules.json: rows of logits behind transformers' logits processors, null for -inf.

Presence and frequency penalties, which transformers does not have, are OpenAI's formula in float32:
logit - count * frequency_penalty - (count > 0) * presence_penalty, with counts in the completion.

usage: tools/golden/logit_rules.py     (needs `pip install transformers torch`)
"""

import json
import math
import pathlib
import random

import torch
import transformers
from transformers.generation import logits_process

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "logit_rules.json"


class OpenAiPenalties(logits_process.LogitsProcessor):
    def __init__(self, prompt, presence, frequency):
        self.prompt, self.presence, self.frequency = prompt, presence, frequency

    def __call__(self, input_ids, scores):
        counts = torch.zeros_like(scores)
        for id in input_ids[0, self.prompt :].tolist():
            counts[0, id] += 1
        return scores - (counts * self.frequency + (counts > 0) * self.presence)


def processors(case):
    chosen = []
    if case["bias"]:
        chosen.append(logits_process.SequenceBiasLogitsProcessor([[[id], bias] for id, bias in case["bias"]]))
    if case["repetition_penalty"] != 1:
        chosen.append(logits_process.RepetitionPenaltyLogitsProcessor(case["repetition_penalty"]))
    if case["presence_penalty"] or case["frequency_penalty"]:
        chosen.append(OpenAiPenalties(len(case["prompt"]), case["presence_penalty"], case["frequency_penalty"]))
    if case["no_repeat_ngram_size"]:
        chosen.append(logits_process.NoRepeatNGramLogitsProcessor(case["no_repeat_ngram_size"]))
    if case["bad_words"]:
        chosen.append(logits_process.NoBadWordsLogitsProcessor(case["bad_words"], case["eos"]))
    if case["min_new_tokens"]:
        chosen.append(
            logits_process.MinNewTokensLengthLogitsProcessor(len(case["prompt"]), case["min_new_tokens"], case["eos"])
        )
    if case["allowed"] is not None:
        chosen.append(logits_process.PrefixConstrainedLogitsProcessor(lambda batch, ids: case["allowed"], 1))
    return logits_process.LogitsProcessorList(chosen)


def draw_case(draw):
    vocab = draw.choice([9, 40, 70])
    ids = lambda count: [draw.randrange(vocab) for _ in range(count)]
    maybe = lambda value, off: value if draw.random() < 0.4 else off
    few = lambda count: [draw.randrange(4) for _ in range(count)]  # so that runs repeat
    prompt, generated = few(draw.randint(1, 6)), few(draw.randint(0, 8))
    eos = draw.sample(range(vocab), draw.randint(1, 2))
    words = [ids(1), [4, 2], generated[-1:] + ids(1), generated[-2:] + ids(1), [eos[0]]]
    return {
        "prompt": prompt,
        "generated": generated,
        "eos": eos,
        "logits": [float(f"{draw.gauss(0, 3):.4f}") for _ in range(vocab)],
        "bias": maybe([[id, draw.choice([-2.5, 1.5, 100.0])] for id in draw.sample(range(vocab), 3)], []),
        "repetition_penalty": maybe(draw.choice([1.2, 2.0, 0.5]), 1),
        "presence_penalty": maybe(draw.choice([0.5, -1.0]), 0),
        "frequency_penalty": maybe(draw.choice([0.3, 2.0]), 0),
        "no_repeat_ngram_size": maybe(draw.randint(1, 4), 0),
        "bad_words": maybe(draw.sample(words, 3), []),
        "min_new_tokens": maybe(draw.randint(1, 10), 0),
        "allowed": maybe(sorted(draw.sample(range(vocab), 5)), None),
    }


def main():
    draw = random.Random(29)
    cases = []
    while len(cases) < 120:
        case = draw_case(draw)
        row = processors(case)(torch.tensor([case["prompt"] + case["generated"]]), torch.tensor([case["logits"]]))[
            0
        ].tolist()
        if all(math.isinf(value) for value in row):
            continue  # where nothing is left hone lifts the bans
        cases.append({**case, "expected": [None if math.isinf(value) else float(f"{value:.8g}") for value in row]})
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    OUT.write_text('{"transformers": "' + transformers.__version__ + '", "cases": [\n' + lines + "\n]}\n")


main()
