#!/usr/bin/env python3
"""Trains a reward model on real preference pairs with hone and with TRL's RewardTrainer, and compares the loss curves.

Both start from one small Llama with a fresh head and see the same pairs in the same order, in float32 and without dropout.
PAIRS: rows of `conversations`, `chosen` and `rejected`, such as dpo_en_demo.json of LLaMA-Factory; the last question and the
two answers are used where they fit the context. Prints the largest distances; a loss further apart than 2e-3, in the first
step 1e-5, fails.

usage: tools/parity_reward.py HONE PAIRS.json [--steps N]
needs: pip install torch transformers trl==1.16.* datasets accelerate
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
import trl
from datasets import Dataset

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "golden"))
from trl_letters import shuffled, stream_key

SEED, BATCH, LEARNING_RATE, CONTEXT, STAGE = 1, 8, 1e-4, 512, "parity"


def pairs_of(path):
    rows = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    return [{"prompt": row["conversations"][-1]["value"] + "\n\n", "chosen": row["chosen"]["value"],
             "rejected": row["rejected"]["value"]} for row in rows if row["chosen"]["value"] != row["rejected"]["value"]]


def make_start(hone, pairs, folder):
    """A tokenizer of the pairs' own text, and a model that scores."""
    (folder / "text").write_text("\n".join(row["prompt"] + row["chosen"] + row["rejected"] for row in pairs), encoding="utf-8")
    subprocess.run([hone, "tokenizer", "train", str(folder / "text"), "--vocabulary", "2048", "--output", str(folder / "start")],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "start")
    torch.manual_seed(SEED)
    model = transformers.LlamaForSequenceClassification(transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=384, num_hidden_layers=4, num_attention_heads=4,
        max_position_embeddings=CONTEXT, num_labels=1, pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id, bos_token_id=tokenizer.bos_token_id))
    model.save_pretrained(folder / "start")
    return tokenizer


def run_hone(hone, folder, steps):
    config = {
        "run": {"seed": SEED, "directory": str(folder), "name": "run"},
        "model": {"path": str(folder / "start"), "compute": "float32"},
        "data": {"pairs": {"path": str(folder / "pairs.jsonl")}},
        "stages": [{"kind": "reward_model", "name": STAGE, "data": "pairs", "steps": steps, "batch_size": BATCH,
                    "optimizer": {"learning_rate": LEARNING_RATE}}],
    }
    (folder / "run.yaml").write_text(json.dumps(config))
    subprocess.run([hone, "run", str(folder / "run.yaml")], check=True, stdout=subprocess.DEVNULL)
    return [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]


def run_trl(folder, tokenizer, pairs, steps):
    key, order, epoch = stream_key(SEED, "rows/" + STAGE), [], 0
    while len(order) < steps * BATCH:
        order += shuffled(len(pairs), key, epoch, 0)
        epoch += 1

    class Ordered(trl.RewardTrainer):
        def _get_train_sampler(self, *_):
            return order[:steps * BATCH]

    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder / "start", dtype=torch.float32)
    settings = trl.RewardConfig(
        output_dir=str(folder / "trl"), max_steps=steps, per_device_train_batch_size=BATCH, max_length=None,
        learning_rate=LEARNING_RATE, lr_scheduler_type="constant", weight_decay=0.0, adam_epsilon=1e-8, max_grad_norm=1.0,
        use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[], save_strategy="no", logging_steps=1,
        disable_tqdm=True, disable_dropout=True)
    trainer = Ordered(model=model, processing_class=tokenizer, train_dataset=Dataset.from_list(pairs), args=settings)
    trainer.train()
    return [log for log in trainer.state.log_history if "loss" in log]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hone")
    parser.add_argument("pairs")
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        folder = pathlib.Path(out)
        pairs = pairs_of(options.pairs)
        tokenizer = make_start(options.hone, pairs, folder)
        fits = lambda row: all(len(tokenizer(row["prompt"] + row[side])["input_ids"]) < CONTEXT
                               for side in ("chosen", "rejected"))
        pairs = [row for row in pairs if fits(row)]
        (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pairs))
        ours = [row for row in run_hone(options.hone, folder, options.steps) if "loss" in row]
        theirs = run_trl(folder, tokenizer, pairs, options.steps)
    assert len(ours) == len(theirs) == options.steps
    apart = lambda name: [abs(a[name] - b[name]) for a, b in zip(ours, theirs)]
    mean = lambda rows: sum(row["loss"] for row in rows[-10:]) / len(rows[-10:])
    print(json.dumps({"pairs": len(pairs), "steps": options.steps, "loss, first step": apart("loss")[0],
                      "loss, all steps": max(apart("loss")), "gradient norm": max(apart("grad_norm")),
                      "hone's last ten losses": mean(ours), "TRL's": mean(theirs)}))
    sys.exit(apart("loss")[0] > 1e-5 or max(apart("loss")) > 2e-3)


main()
