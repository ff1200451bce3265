#!/usr/bin/env python3
"""Writes tests/golden/{process_reward,reward_scores}_curve.json, their rows and their models: 50 steps.

process_reward: TRL's PRMTrainer, whose labels stand at the last token of the separator behind each step. reward_scores: a plain loop
over transformers' regression head with three outputs, where a score that a row does not have does not count, and the scores
weigh 1, 2 and 0.5. Same weights, same rows in the same order (hone's stream of row orders, from base/random.h), float32, no
dropout. tests/stages/reward_heads_test.cpp trains on the same rows and compares every step.

usage: tools/golden/reward_heads.py
needs: pip install torch transformers trl==1.12.* datasets accelerate    (later releases have no PRMTrainer)
"""
import json
import os
import pathlib
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import torch
import transformers
import trl
from preference_curves import BATCH, GOLDEN, LEARNING_RATE, SEED, STEPS, Order, keep, settings, train
from trl.experimental.prm import PRMConfig, PRMTrainer
from trl_letters import LETTERS, make_policy, make_tokenizer, numbers

ROWS, NAMES, WEIGHTS = 40, ("help", "short", "safe"), (1.0, 2.0, 0.5)


def write(stage, rows, columns):
    (GOLDEN / f"{stage}_rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    document = {"made_by": "tools/golden/reward_heads.py", "trl": trl.__version__,
                "transformers": transformers.__version__, "torch": torch.__version__, "seed": SEED, "steps": STEPS,
                "batch": BATCH, "learning_rate": LEARNING_RATE, "metrics": columns}
    (GOLDEN / f"{stage}_curve.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
    print(stage, columns["loss"][:3], columns["loss"][-1], columns["grad_norm"][:2], sorted(columns))


def regress(model, tokenizer, rows):
    weights = torch.tensor(WEIGHTS)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    losses, norms, order = [], [], iter(Order("reward_scores"))
    for _ in range(STEPS):
        batch = [rows[next(order)] for _ in range(BATCH)]
        texts = [tokenizer(row["prompt"] + row["completion"])["input_ids"] + [tokenizer.eos_token_id] for row in batch]
        padded = tokenizer.pad({"input_ids": texts}, padding_side="right", return_tensors="pt")
        target = torch.tensor([[row["scores"].get(name, float("nan")) for name in NAMES] for row in batch])
        known = ~target.isnan()
        hidden = model.model(**padded).last_hidden_state
        last = hidden[torch.arange(BATCH), padded["attention_mask"].sum(1) - 1]
        error = (model.score(last) - target.nan_to_num(0)) * known
        loss = (error.square() * weights).sum() / (known * weights).sum()
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        optimizer.step()
        losses.append(loss.item())
    return {"loss": numbers(losses), "grad_norm": numbers(norms)}


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(12)
    number = lambda low, high: int(torch.randint(low, high, (1,), generator=generator))
    draw = lambda low, high: "".join(LETTERS[number(0, len(LETTERS))] for _ in range(number(low, high)))
    with tempfile.TemporaryDirectory() as out:
        tokenizer = make_tokenizer(pathlib.Path(out) / "tokenizer")
        make_policy(generator).save_pretrained(pathlib.Path(out) / "policy")
        trunk = lambda cls, labels: cls.from_pretrained(
            pathlib.Path(out) / "policy", dtype=torch.float32,
            config=transformers.AutoConfig.from_pretrained(pathlib.Path(out) / "policy", **labels))

        model = trunk(transformers.AutoModelForTokenClassification, {"num_labels": 2})
        with torch.no_grad():
            model.score.weight.normal_(0, 0.3, generator=generator)
        keep(model, tokenizer, "trl_steps")
        rows = []
        for _ in range(ROWS):
            steps = [draw(1, 5) for _ in range(number(1, 5))]
            rows.append({"prompt": draw(1, 6), "completions": steps, "labels": [bool(number(0, 2)) for _ in steps]})
        arguments = settings(PRMConfig, out, step_separator="j", max_completion_length=None)
        write("process_reward", rows,
              train(PRMTrainer, "process_reward", model, tokenizer, rows, args=arguments))

        model = trunk(transformers.AutoModelForSequenceClassification,
                      {"num_labels": 3, "problem_type": "regression", "id2label": dict(enumerate(NAMES)),
                       "label2id": {name: k for k, name in enumerate(NAMES)}})
        with torch.no_grad():
            model.score.weight.normal_(0, 0.3, generator=generator)
        keep(model, tokenizer, "reward_scores")
        rows = []
        for i in range(ROWS):
            scores = {name: number(0, 9) / 2 for k, name in enumerate(NAMES) if i % 4 != k}
            rows.append({"prompt": draw(1, 6), "completion": draw(1, 9), "scores": scores})
        # The first row has all names, so that hone meets them in this order.
        rows[0]["scores"] = {name: number(0, 9) / 2 for name in NAMES}
        write("reward_scores", rows, regress(model, tokenizer, rows))


if __name__ == "__main__":
    main()
