#!/usr/bin/env python3
"""Writes tests/golden/grpo_curve.json and grpo_rollouts.jsonl: steps of TRL's GRPOTrainer on completions from a file.

The completions come from the first policy, the same for every variant, and are read by `rollout.replay` on the other
side. The policy differs from the reference from the start. Float32, no dropout.
tests/stages/trl_grpo_test.cpp learns from the same completions and compares every step.

usage: tools/golden/grpo_curve.py
needs: pip install torch transformers trl==1.16.* datasets accelerate; models/trl_policy and models/trl_reference of
preference_curves.py
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
from trl_letters import EOS, LETTERS, PAD, numbers

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
SEED, ITERATIONS, PROMPTS, SAMPLES, NEW, LEARNING_RATE = 7, 50, 4, 4, 8, 3e-3
# What a run of TRL is given, and over how many of the iterations; `epochs` steps each.
VARIANTS = {
    "grpo": dict(iterations=50, epochs=1, beta=0.1, use_bias_correction_kl=True, loss_type="dapo"),
    "clipped": dict(iterations=25, epochs=2, beta=0.1, use_bias_correction_kl=False, loss_type="dapo", epsilon=0.1,
                    epsilon_high=0.15, delta=1.5),
    "weighted_kl": dict(iterations=10, epochs=2, beta=0.1, use_bias_correction_kl=True, loss_type="grpo"),
    "dr_grpo": dict(iterations=10, epochs=2, beta=0.0, loss_type="dr_grpo", scale_rewards="none"),
    "gspo": dict(iterations=10, epochs=2, beta=0.0, loss_type="grpo", importance_sampling_level="sequence",
                 epsilon=3e-4, epsilon_high=4e-4),
    "sapo": dict(iterations=10, epochs=2, beta=0.0, loss_type="sapo"),
    "cispo": dict(iterations=10, epochs=2, beta=0.0, loss_type="cispo", epsilon_high=1.1),
}


def draw_rollouts(tokenizer):
    """Iterations of groups: a prompt and its completions with their scores. Every fifth group has equal scores."""
    generator = torch.Generator().manual_seed(11)
    policy = load("trl_policy").eval()
    lines = []
    for iteration in range(1, ITERATIONS + 1):
        for group in range(PROMPTS):
            length = 1 + int(torch.randint(4, (1,), generator=generator))
            prompt = "".join(LETTERS[int(torch.randint(len(LETTERS), (1,), generator=generator))] for _ in range(length))
            for _ in range(SAMPLES):
                ids = tokenizer(prompt)["input_ids"]
                completion = []
                while len(completion) < NEW and (not completion or completion[-1] != EOS):
                    with torch.no_grad():
                        logits = policy(torch.tensor([ids + completion])).logits[0, -1]
                    logits[PAD] = -torch.inf
                    completion.append(int(torch.multinomial(logits.softmax(-1), 1, generator=generator)))
                low = sum(2 <= token < 7 for token in completion) / len(completion)
                score = 0.5 if (len(lines) // SAMPLES) % 5 == 4 else low
                lines.append({"iteration": iteration, "prompt": prompt, "turns": [{"ids": completion}],
                              "score": {"value": score}})
    return lines


def load(name):
    return transformers.AutoModelForCausalLM.from_pretrained(GOLDEN / "models" / name, dtype=torch.float32,
                                                             attn_implementation="eager")


def watch(name, lines, tokenizer):
    settings = dict(VARIANTS[name])
    iterations, epochs = settings.pop("iterations"), settings.pop("epochs")
    size = PROMPTS * SAMPLES
    calls = iter(range(iterations + 1))
    scores = []

    def replay(prompts, trainer):
        now = lines[next(calls) * size:][:size]
        assert [line["prompt"] for line in now] == prompts
        scores[:] = [line["score"]["value"] for line in now]
        return {"prompt_ids": [tokenizer(prompt)["input_ids"] for prompt in prompts],
                "completion_ids": [line["turns"][0]["ids"] for line in now], "logprobs": None}

    def reward(completions, **_):
        return list(scores)

    rows = [{"prompt": line["prompt"]} for line in lines[:iterations * size:SAMPLES]]
    with tempfile.TemporaryDirectory() as out:
        config = trl.GRPOConfig(
            output_dir=out, seed=SEED, max_steps=iterations * epochs, per_device_train_batch_size=size,
            num_generations=SAMPLES, num_iterations=epochs, steps_per_generation=1, max_completion_length=NEW,
            shuffle_dataset=False, learning_rate=LEARNING_RATE, lr_scheduler_type="constant", weight_decay=0.0,
            adam_epsilon=1e-8, max_grad_norm=1.0, temperature=1.0, use_cpu=True, bf16=False,
            gradient_checkpointing=False, report_to=[], save_strategy="no", logging_steps=1, disable_tqdm=True,
            **settings)
        trainer = trl.GRPOTrainer(model=load("trl_policy"), reward_funcs=reward, args=config,
                                  train_dataset=Dataset.from_list(rows), processing_class=tokenizer,
                                  rollout_func=replay)
        if trainer.ref_model is not None:
            trainer.ref_model.load_state_dict(load("trl_reference").state_dict())
        trainer.train()
        logs = [entry for entry in trainer.state.log_history if "grad_norm" in entry]
    assert len(logs) == iterations * epochs, len(logs)
    steps = {"loss": [], "grad_norm": [], "entropy": []}
    if settings["beta"] > 0:
        steps["kl"] = []
    for figure in steps:
        steps[figure] = numbers([entry[figure] for entry in logs])
    return {"iterations": iterations, "epochs": epochs, "settings": settings, "steps": steps}


def main():
    torch.set_num_threads(1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(GOLDEN / "models" / "trl_policy", padding_side="left")
    lines = draw_rollouts(tokenizer)
    runs = {name: watch(name, lines, tokenizer) for name in VARIANTS}
    (GOLDEN / "grpo_rollouts.jsonl").write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    document = {"made_by": "tools/golden/grpo_curve.py", "trl": trl.__version__,
                "transformers": transformers.__version__, "torch": torch.__version__, "seed": SEED,
                "prompts": PROMPTS, "samples": SAMPLES, "max_tokens": NEW, "learning_rate": LEARNING_RATE,
                "std_epsilon": 1e-4, "runs": runs}
    (GOLDEN / "grpo_curve.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
    for name in ("grpo_rollouts.jsonl", "grpo_curve.json"):
        print(name, (GOLDEN / name).stat().st_size)


if __name__ == "__main__":
    main()
