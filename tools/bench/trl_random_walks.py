#!/usr/bin/env python3
"""random_walks by TRL's PPOTrainer, from a model directory that hone saved: one JSON line an iteration.

The settings are those of random_walks_ppo.yaml: 256 episodes an iteration, 2 epochs × 2 minibatches = 4 optimizer steps
(gradient_accumulation_steps 1: with more, num_mini_batches only accumulates), AdamW 1e-4 and 1e-3 (critic), constant, no
gradient clip, no KL, lambda .95, clips .2, temperature 1, float32. The critic starts as a copy of the policy with a head of
zeros. The calls of gc.collect() that the trainer makes several times an iteration are left out: they dominate at this size.

usage: PYTHONPATH=FOLDER_WITH_TRL_1.12 trl_random_walks.py MODEL_DIR [--iterations 100] [--seed 1] [--threads 2]
"""
import argparse
import gc
import json
import os
import tempfile
import time

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, PreTrainedTokenizerFast
from transformers.utils import ModelOutput
from trl.experimental.ppo import PPOConfig, PPOTrainer

EPISODES, MINIBATCHES, EPOCHS, NEW, LONGEST = 256, 2, 2, 10, 10
# The graph of seed 1002: the letters that an edge of a, b, c … leads to.
NEXT = ["", "a", "ou", "noqu", "jor", "p", "bq", "n", "np", "gmqr", "air", "cdu", "h", "b", "st", "imn", "kmp", "mp", "en",
        "b", "a"]


def shortest_paths():
    nodes = {"a": 1}
    while len(nodes) < len(NEXT):
        for i, letters in enumerate(NEXT):
            reached = [nodes[x] for x in letters if x in nodes]
            if reached:
                nodes[chr(97 + i)] = min(min(reached) + 1, nodes.get(chr(97 + i), 99))
    for _ in NEXT:  # relax until nothing changes
        for i, letters in enumerate(NEXT):
            for x in letters:
                nodes[chr(97 + i)] = min(nodes[chr(97 + i)], nodes[x] + 1)
    return nodes


SHORTEST = shortest_paths()


def optimality(walk):
    """rewards/random_walks.h"""
    length = LONGEST
    for i, (here, there) in enumerate(zip(walk[:LONGEST - 1], walk[1:LONGEST])):
        if not "a" <= here <= "u" or there not in NEXT[ord(here) - 97]:
            break
        if there == "a":
            length = i + 2
            break
    return (LONGEST - length) / (LONGEST - SHORTEST[walk[0]])


class WalkReward(torch.nn.Module):
    """The reward as the module that TRL wants: a backbone whose last hidden state holds it, and a head that passes it on."""
    base_model_prefix = "backbone"

    class Backbone(torch.nn.Module):
        def __init__(self, tokenizer):
            super().__init__()
            self.tokenizer = tokenizer

        def forward(self, input_ids, attention_mask, **_):
            walks = [self.tokenizer.decode(ids[mask], skip_special_tokens=True) for ids, mask in zip(input_ids, attention_mask.bool())]
            value = torch.tensor([optimality(walk) for walk in walks])
            return ModelOutput(hidden_states=(value[:, None, None].expand(*input_ids.shape, 1),))

    def __init__(self, tokenizer):
        super().__init__()
        self.backbone, self.score = self.Backbone(tokenizer), torch.nn.Identity()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    gc.collect = lambda *_: 0
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=os.path.join(options.model, "tokenizer.json"), pad_token="<|pad|>",
                                        eos_token="<|eos|>", padding_side="left")
    policy, reference = (AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32) for _ in range(2))
    critic = AutoModelForSequenceClassification.from_pretrained(options.model, num_labels=1, dtype=torch.float32)
    critic.score = torch.nn.Linear(policy.config.hidden_size, 1)
    torch.nn.init.zeros_(critic.score.weight)
    torch.nn.init.zeros_(critic.score.bias)
    optimizer = torch.optim.AdamW([{"params": list(policy.parameters()), "lr": 1e-4},
                                   {"params": list(critic.parameters()), "lr": 1e-3}], weight_decay=0.0)
    generator = torch.Generator().manual_seed(options.seed)
    starts = torch.randint(1, 21, ((options.iterations + 1) * EPISODES,), generator=generator).tolist()
    data = Dataset.from_list([{"input_ids": tokenizer(chr(97 + start))["input_ids"]} for start in starts])
    with tempfile.TemporaryDirectory() as out:
        config = PPOConfig(
            output_dir=out, seed=options.seed, per_device_train_batch_size=EPISODES, gradient_accumulation_steps=1,
            num_mini_batches=MINIBATCHES, num_ppo_epochs=EPOCHS, total_episodes=options.iterations * EPISODES,
            response_length=NEW, local_rollout_forward_batch_size=EPISODES, temperature=1.0, stop_token="eos", kl_coef=0.0,
            use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[], save_strategy="no",
            num_sample_generations=0, disable_tqdm=True)
        trainer = PPOTrainer(args=config, processing_class=tokenizer, model=policy, ref_model=reference,
                             reward_model=WalkReward(tokenizer), value_model=critic, train_dataset=data,
                             eval_dataset=data.select(range(8)),
                             optimizers=(optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)))
        begin = time.perf_counter()

        def log(metrics, *_):
            row = {"step": log.step, "seconds": round(time.perf_counter() - begin, 3), "reward": metrics["objective/scores"],
                   "value_loss": metrics["loss/value_avg"], "entropy": metrics["policy/entropy_avg"]}
            print("JSON " + json.dumps(row), flush=True)
            log.step += 1

        log.step = 1
        trainer.log = log
        trainer.train()


if __name__ == "__main__":
    main()
