#!/usr/bin/env python3
"""Writes tests/golden/story_preferences.json: a trained story model under every pair loss, in a plain transformers loop.

The model's own stories are the rows: chosen at a low temperature, rejected at a high one. 20 steps of AdamW over all
pairs, float32; the reference is the model as it was. tests/stages/story_preferences_test.cpp takes the same steps.

usage: HONE_TEST_DATA=FOLDER tools/golden/story_preferences.py
needs: pip install torch transformers
"""
import copy
import json
import os
import pathlib

import torch
import transformers
from torch.nn.functional import logsigmoid

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
MODEL = pathlib.Path(os.environ["HONE_TEST_DATA"]) / "models" / "stories260K" / "hf"
PAIRS, STEPS, LEARNING_RATE, BOS, EOS = 8, 20, 3e-5, 1, 2
LOSSES = {
    "sigmoid": dict(beta=0.1), "cdpo": dict(loss="sigmoid", beta=0.1, label_smoothing=0.2),
    "sigmoid_norm": dict(beta=2.0), "hinge": dict(beta=0.05), "ipo": dict(beta=0.2),
    "robust": dict(beta=0.1, label_smoothing=0.1), "rpo": dict(loss="sigmoid", beta=0.1, nll_weight=0.5),
    "cpo": dict(beta=0.1, nll_weight=1.0), "simpo": dict(beta=2.0, margin=1.0),
    "orpo": dict(beta=0.1, nll_weight=1.0),
}


def draw(model, ids, length, temperature, generator):
    ids = list(ids)
    for _ in range(length):
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
        logits[[0, BOS, EOS]] = -torch.inf
        ids.append(int(torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)))
    return ids


def answers(model, pairs):
    """Sums of log-probabilities of each side, and their tokens."""
    sums, counts = [], []
    for pair in pairs:
        for side in ("chosen", "rejected"):
            ids = torch.tensor([pair["prompt"] + pair[side]])
            chances = model(ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None]).squeeze(1)
            sums.append(chances[len(pair["prompt"]) - 1:].sum())
            counts.append(len(pair[side]))
    sums, counts = torch.stack(sums).view(-1, 2), torch.tensor(counts, dtype=torch.float32).view(-1, 2)
    return sums, counts


def pair_loss(policy, reference, counts, loss, beta, label_smoothing=0.0, margin=0.0, nll_weight=0.0):
    ratio = policy - reference
    delta = ratio[:, 0] - ratio[:, 1]
    by_token = ratio / counts
    delta_norm = by_token[:, 0] - by_token[:, 1]
    mean = policy / counts
    smoothed = lambda z: -logsigmoid(z) * (1 - label_smoothing) - logsigmoid(-z) * label_smoothing
    odds = mean - torch.log1p(-mean.exp())
    losses = {
        "sigmoid": lambda: smoothed(beta * delta), "sigmoid_norm": lambda: smoothed(beta * delta_norm),
        "hinge": lambda: torch.relu(1 - beta * delta), "ipo": lambda: (delta_norm - 1 / (2 * beta)) ** 2,
        "robust": lambda: (-logsigmoid(beta * delta) * (1 - label_smoothing) + logsigmoid(-beta * delta) * label_smoothing)
                          / (1 - 2 * label_smoothing),
        "cpo": lambda: smoothed(beta * (policy[:, 0] - policy[:, 1])),
        "simpo": lambda: smoothed(beta * (mean[:, 0] - mean[:, 1]) - margin),
        "orpo": lambda: -beta * logsigmoid(odds[:, 0] - odds[:, 1]),
    }[loss]()
    return (losses - nll_weight * mean[:, 0]).mean()


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(3)
    first = transformers.LlamaForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()
    pairs = []
    for i in range(PAIRS):
        prompt = draw(first, [BOS], 6 + i, 1.0, generator)
        pairs.append({"prompt": prompt, "chosen": draw(first, prompt, 8 + 2 * i, 0.5, generator)[len(prompt):],
                      "rejected": draw(first, prompt, 20 - i, 1.5, generator)[len(prompt):]})
    with torch.no_grad():
        reference, counts = answers(first, pairs)
    curves = {}
    for name, options in LOSSES.items():
        options = {"loss": name, **options}
        model = copy.deepcopy(first)
        optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, eps=1e-8, weight_decay=0.0)
        losses, norms = [], []
        for _ in range(STEPS):
            policy, _ = answers(model, pairs)
            loss = pair_loss(policy, reference, counts, **options)
            optimizer.zero_grad()
            loss.backward()
            norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
            optimizer.step()
            losses.append(loss.item())
        curves[name] = {"options": options, "loss": losses, "grad_norm": norms}
        print(name, losses[0], losses[-1], norms[0])
    document = {"made_by": "tools/golden/story_preferences.py", "transformers": transformers.__version__,
                "torch": torch.__version__, "steps": STEPS, "learning_rate": LEARNING_RATE, "pairs": pairs, "curves": curves}
    (GOLDEN / "story_preferences.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
