#!/usr/bin/env python3
"""Writes tests/golden/{dpo,kto,reward_model}_curve.json, their rows and their models: 50 steps of TRL's trainers.

Same weights, same rows in the same order (hone's stream of row orders, from base/random.h), float32, no dropout. The
policy of dpo and kto differs from the reference from the start: at equality every implementation has the same loss.
tests/stages/trl_curves_test.cpp trains on the same rows and compares every step.

usage: tools/golden/preference_curves.py
needs: pip install torch transformers trl==1.16.* datasets accelerate
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
from datasets import Dataset
from trl_letters import LETTERS, make_policy, make_tokenizer, numbers, shuffled, stream_key

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
SEED, STEPS, BATCH, ROWS, LEARNING_RATE, BETA = 7, 50, 8, 40, 1e-3, 0.3


class Order(torch.utils.data.Sampler):
    """The rows that hone's stage of this name visits."""

    def __init__(self, stage):
        key, self.rows, epoch = stream_key(SEED, "rows/" + stage), [], 0
        while len(self.rows) < STEPS * BATCH:
            self.rows += shuffled(ROWS, key, epoch, 0)
            epoch += 1
        self.rows = self.rows[:STEPS * BATCH]

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


def keep(model, tokenizer, name):
    folder = GOLDEN / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        if path.name not in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
            path.unlink()
    return folder


def settings(config, out, **more):
    return config(output_dir=out, seed=SEED, max_steps=STEPS, per_device_train_batch_size=BATCH, max_length=None,
                  learning_rate=LEARNING_RATE, lr_scheduler_type="constant", weight_decay=0.0, adam_epsilon=1e-8,
                  max_grad_norm=1.0, use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[],
                  save_strategy="no", logging_steps=1, disable_tqdm=True, disable_dropout=True, **more)


def train(trainer_class, stage, model, tokenizer, rows, **more):
    class Ordered(trainer_class):
        def _get_train_sampler(self, *_):
            return Order(stage)

    trainer = Ordered(model=model, processing_class=tokenizer, train_dataset=Dataset.from_list(rows), **more)
    trainer.train()
    logs = [log for log in trainer.state.log_history if "loss" in log]
    assert len(logs) == STEPS
    names = [name for name in logs[0] if "/" in name or name in
             ("loss", "grad_norm", "kl", "accuracy", "margin", "mean_reward", "min_reward", "max_reward")]
    names = [name for name in names if not name.startswith("logits/")]
    return {name: [numbers([log[name]])[0] if name in log else None for log in logs] for name in names}


def write(stage, rows, columns):
    (GOLDEN / f"{stage}_rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    document = {"made_by": "tools/golden/preference_curves.py", "trl": trl.__version__,
                "transformers": transformers.__version__, "torch": torch.__version__, "seed": SEED, "steps": STEPS,
                "batch": BATCH, "learning_rate": LEARNING_RATE, "beta": BETA, "metrics": columns}
    (GOLDEN / f"{stage}_curve.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
    print(stage, columns["loss"][:3], columns["loss"][-1], columns["grad_norm"][:2], sorted(columns))


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(11)
    draw = lambda low, high: "".join(
        LETTERS[int(torch.randint(len(LETTERS), (1,), generator=generator))]
        for _ in range(int(torch.randint(low, high, (1,), generator=generator))))
    with tempfile.TemporaryDirectory() as out:
        tokenizer = make_tokenizer(pathlib.Path(out) / "tokenizer")
        policy, reference = make_policy(generator), make_policy(generator)
        with torch.no_grad():
            for other, weight in zip(reference.parameters(), policy.parameters()):
                other.lerp_(weight, 0.7)
        places = {name: keep(model, tokenizer, "trl_" + name)
                  for name, model in (("policy", policy), ("reference", reference))}
        load = lambda name: transformers.AutoModelForCausalLM.from_pretrained(places[name], dtype=torch.float32)

        pairs = []
        while len(pairs) < ROWS:
            row = {"prompt": draw(1, 6), "chosen": draw(1, 9), "rejected": draw(1, 9)}
            pairs += [row] if row["chosen"] != row["rejected"] else []
        write("dpo", pairs, train(trl.DPOTrainer, "dpo", load("policy"), tokenizer, pairs, ref_model=load("reference"),
                                  args=settings(trl.DPOConfig, out, beta=BETA)))

        answers = [{"prompt": draw(1, 6), "completion": draw(1, 9), "label": bool(i % 3)} for i in range(ROWS)]
        kto = settings(trl.KTOConfig, out, beta=BETA, desirable_weight=1.0, undesirable_weight=1.5)
        write("kto", answers, train(trl.KTOTrainer, "kto", load("policy"), tokenizer, answers,
                                    ref_model=load("reference"), args=kto))

        config = transformers.AutoConfig.from_pretrained(places["policy"], num_labels=1)
        scorer = transformers.AutoModelForSequenceClassification.from_pretrained(places["policy"], config=config,
                                                                                dtype=torch.float32)
        with torch.no_grad():
            scorer.score.weight.normal_(0, 0.3, generator=generator)
        keep(scorer, tokenizer, "trl_reward")
        margins = [{**row, "margin": 0.25 * (i % 4)} for i, row in enumerate(pairs)]
        write("reward_model", margins, train(trl.RewardTrainer, "reward_model", scorer, tokenizer, margins, args=settings(
            trl.RewardConfig, out, center_rewards_coefficient=0.01)))


if __name__ == "__main__":
    main()
