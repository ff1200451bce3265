#!/usr/bin/env python3
"""Writes tests/golden/sft_curve.json, sft_rows.jsonl, sft_conversations.jsonl and sft_template.jinja: 50 steps of TRL's
SFTTrainer.

Same weights (models/trl_policy of preference_curves.py), same rows in the same order (hone's stream of row orders, from
base/random.h), float32, no dropout. tests/stages/trl_sft_test.cpp learns from the same rows and compares every step.

usage: tools/golden/sft_curve.py
needs: pip install torch transformers trl==1.16.* datasets accelerate
"""
import json
import os
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import torch
import transformers
import trl
from datasets import Dataset
from preference_curves import BATCH, GOLDEN, LEARNING_RATE, ROWS, SEED, STEPS, settings, train
from trl_letters import LETTERS

# A turn of the user stands between a and b, what the assistant says ends with the eos.
TEMPLATE = ("{% for message in messages %}{% if message['role'] == 'user' %}{{ 'a' + message['content'] + 'b' }}"
            "{% else %}{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}{% endif %}{% endfor %}")
# Rows and options of TRL; hone's are in the test.
RUNS = {
    "completions": ("rows", dict()),
    "everything": ("rows", dict(completion_only_loss=False)),
    "smoothed": ("rows", dict(label_smoothing_factor=0.1)),
    "conversations": ("conversations", dict(assistant_only_loss=True)),
}


def sft_config(disable_dropout, **options):
    return trl.SFTConfig(**options)  # the model has no dropout


def draw_rows():
    generator = torch.Generator().manual_seed(13)
    draw = lambda low, high: "".join(
        LETTERS[int(torch.randint(len(LETTERS), (1,), generator=generator))]
        for _ in range(int(torch.randint(low, high, (1,), generator=generator))))
    rows = [{"prompt": draw(1, 9), "completion": draw(1, 13)} for _ in range(ROWS)]
    conversations = []
    for i in range(ROWS):
        turns = []
        for _ in range(1 + i % 3):
            turns += [{"role": "user", "content": draw(1, 4)}, {"role": "assistant", "content": draw(1, 5)}]
        conversations.append({"messages": turns})
    return {"rows": rows, "conversations": conversations}


def main():
    torch.set_num_threads(1)
    folder = GOLDEN / "models" / "trl_policy"
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = TEMPLATE
    data = draw_rows()
    runs = {}
    with tempfile.TemporaryDirectory() as out:
        for name, (rows, options) in RUNS.items():
            model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
            columns = train(trl.SFTTrainer, "sft", model, tokenizer, data[rows],
                            args=settings(sft_config, out, packing=False, **options))
            runs[name] = {figure: columns[figure] for figure in ("loss", "grad_norm")}
            print(name, runs[name]["loss"][:3], runs[name]["loss"][-1], runs[name]["grad_norm"][:2])
    for name, rows in data.items():
        (GOLDEN / f"sft_{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (GOLDEN / "sft_template.jinja").write_text(TEMPLATE)
    document = {"made_by": "tools/golden/sft_curve.py", "trl": trl.__version__,
                "transformers": transformers.__version__, "torch": torch.__version__, "seed": SEED, "steps": STEPS,
                "batch": BATCH, "learning_rate": LEARNING_RATE, "runs": runs}
    (GOLDEN / "sft_curve.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
