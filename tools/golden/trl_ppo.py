#!/usr/bin/env python3
"""Writes tests/golden/trl_ppo_rollouts.jsonl, trl_ppo_steps.json and models/trl_ppo: a short run of TRL's PPOTrainer.

TRL generates, scores and learns by itself; this script watches. The rollouts become a file that `rollout.replay` reads
(prompts, completions, log-probabilities at sampling, scores), the numbers of every optimizer step the second file.
tests/stages/trl_replay_test.cpp feeds the first to the ppo stage and compares with the second.

Two things are arranged so that both sides can be the same run: the critic gets the head that hone's has (zero, with a
bias; TRL takes any module), and the order of minibatches, which TRL draws from numpy, comes from hone's stream.

usage: PYTHONPATH=FOLDER_WITH_TRL_1.12 tools/golden/trl_ppo.py
needs: pip install torch transformers trl peft datasets accelerate; PPO left TRL after 1.12, so that wheel goes first on the path
"""
import copy
import json
import os
import pathlib
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

import numpy as np
import torch
import transformers
import trl
from datasets import Dataset
from trl.experimental.ppo import PPOConfig, PPOTrainer, ppo_trainer
from trl_letters import LETTERS, PAD, make_policy, make_tokenizer, numbers, shuffled, stream_key

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
SEED, ITERATIONS, EPISODES, MICRO, EPOCHS, NEW, TEMPERATURE = 7, 20, 16, 8, 4, 8, 0.7
LEARNING_RATE, ADAM_EPSILON, KL, VALUE_CLIP = 1e-3, 1e-8, 0.05, 0.01


class LetterReward(torch.nn.Module):
    """The share of letters before f in the sequence so far, as the module that get_reward expects."""
    base_model_prefix = "backbone"

    class Backbone(torch.nn.Module):
        def forward(self, input_ids, attention_mask, **_):
            low = ((input_ids >= 2) & (input_ids < 7) & attention_mask).float().cumsum(1)
            share = low / attention_mask.float().cumsum(1).clamp(min=1)
            return transformers.utils.ModelOutput(hidden_states=(share.unsqueeze(-1),))

    def __init__(self):
        super().__init__()
        self.backbone, self.score = self.Backbone(), torch.nn.Identity()


class Watch:
    """Stands in for the functions that TRL's loop calls, and keeps what passes through them."""

    def __init__(self):
        self.iterations, self.key = [], stream_key(SEED, "minibatches/ppo")
        self.plain = {name: getattr(ppo_trainer, name) for name in
                      ("generate", "selective_log_softmax", "get_reward", "masked_whiten", "masked_mean")}
        for name in self.plain:
            setattr(ppo_trainer, name, getattr(self, name))
        np.random.permutation = self.permutation

    def generate(self, *arguments):
        result = self.plain["generate"](*arguments)
        self.now = {"queries": arguments[1], "responses": result[0][:, arguments[1].shape[1]:], "logprobs": [],
                    "values": [], "orders": [], "steps": [], "micro": []}
        self.iterations.append(self.now)
        return result

    def selective_log_softmax(self, logits, index):
        result = self.plain["selective_log_softmax"](logits, index)
        if len(self.now["logprobs"]) < 2:
            self.now["logprobs"].append(result)  # of the policy while sampling, of the reference
        else:
            self.now["micro"].append({"logprobs": result.detach(), "logits": logits.detach(), "means": []})
        return result

    def get_reward(self, *arguments):
        result = self.plain["get_reward"](*arguments)
        self.now["values"].append(result)  # of the critic, of the reward
        return result

    def masked_whiten(self, values, mask, **options):
        result = self.plain["masked_whiten"](values, mask, **options)
        self.now.update(plain_advantages=values.clone(), mask=mask, advantages=result)
        return result

    def masked_mean(self, values, mask, axis=None):
        result = self.plain["masked_mean"](values, mask, axis)
        if self.now["micro"]:  # value loss, its clipping, policy loss, its clipping
            self.now["micro"][-1]["means"].append((values.detach(), mask, result.item()))
        return result

    def permutation(self, count):
        order = shuffled(count, self.key, len(self.iterations), len(self.now["orders"]))
        self.now["orders"].append(order)
        return np.array(order)

    def before_step(self, policy, critic):
        norms = [torch.stack([p.grad.double().square().sum() for p in module.parameters() if p.grad is not None]).sum().sqrt().item()
                 for module in (policy, critic)]
        self.now["steps"].append(self.measure(self.now["steps"], norms))
        self.now["micro"].clear()

    def measure(self, done, norms):
        """One optimizer step: TRL's means of micro-batch means, and token statistics over the actions."""
        now, micro = self.now, self.now["micro"]
        order = now["orders"][len(done)]
        differences, entropies, advantages, value_clips = [], [], [], []
        for i, part in enumerate(micro):
            rows = order[i * MICRO:(i + 1) * MICRO]
            actions = now["mask"][rows]
            differences.append((part["logprobs"] - now["logprobs"][0][rows])[actions].double())
            chances = part["logits"].double().log_softmax(-1)
            entropies.append(-(chances.exp() * chances).sum(-1)[actions])
            advantages.append(now["advantages"][rows][actions])
            value_clips.append(part["means"][1][0][part["means"][1][1]].double())
        d, a = torch.cat(differences), torch.cat(advantages)
        ratio = d.exp()
        mean = lambda column: sum(part["means"][column][2] for part in micro) / len(micro)
        return {"policy_loss": mean(2), "value_loss": 0.5 * mean(0), "ratio_mean": ratio.mean().item(), "ratio_max": ratio.max().item(),
                "approx_kl": (d.expm1() - d).mean().item(), "clip_low": ((a < 0) & (ratio < 0.8)).double().mean().item(),
                "clip_high": ((a > 0) & (ratio > 1.2)).double().mean().item(), "entropy": torch.cat(entropies).mean().item(),
                "value_clip": torch.cat(value_clips).mean().item(), "policy_grad_norm": norms[0],
                "critic_grad_norm": norms[1]}


def rollout_lines(watch, tokenizer):
    """The rollouts as lines that rollout.replay reads, and beside them what the learner made of each token."""
    lines, tokens = [], []
    for iteration, now in enumerate(watch.iterations, 1):
        (full_value, _, _), (_, scores, _) = now["values"]
        start = now["queries"].shape[1]
        for i in range(EPISODES):
            prompt = [t for t in now["queries"][i].tolist() if t != PAD]
            response = now["responses"][i].tolist()
            length = response.index(PAD) if PAD in response else len(response)
            assert set(response[length:]) <= {PAD} and length > 0 and int(now["mask"][i].sum()) == length
            text = tokenizer.decode(prompt)
            ids = response[:length]
            lines.append({"iteration": iteration, "group": i, "sample": 0, "prompt": text, "prompt_ids": prompt,
                          "turns": [{"ids": ids, "logprobs": numbers(now["logprobs"][0][i, :length].tolist())}],
                          "score": {"value": scores[i].item()}})
            values = full_value[i, start - 1:-1, 0]
            trained = min(length + 1, len(response))  # TRL trains the value one place further where there is padding
            returns = (now["plain_advantages"][i] + torch.where(torch.arange(len(response)) < trained, values, 0.0))
            tokens.append({"reference_logprobs": numbers(now["logprobs"][1][i, :length].tolist(), 7),
                           "values": numbers(values[:trained].tolist(), 7),
                           "advantages": numbers(now["advantages"][i, :length].tolist(), 7),
                           "returns": numbers(returns[:trained].tolist(), 7)})
    return lines, tokens


def entries(model):
    """Some entries of each weight, as the numbers after training."""
    result = {}
    for name, weight in model.state_dict().items():
        flat = weight.flatten()
        index = list(range(0, flat.numel(), max(1, flat.numel() // 6)))
        result[name] = {"index": index, "value": numbers(flat[index].tolist())}
    return result


def main():
    torch.set_num_threads(2)
    generator = torch.Generator().manual_seed(5)
    folder = GOLDEN / "models" / "trl_ppo"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(folder)
    policy = make_policy(generator)
    policy.save_pretrained(folder)
    for path in folder.iterdir():
        if path.name not in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
            path.unlink()
    critic = transformers.AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1)
    critic.score = torch.nn.Linear(16, 1)
    torch.nn.init.zeros_(critic.score.weight)
    torch.nn.init.zeros_(critic.score.bias)
    draw = lambda: "".join(LETTERS[int(torch.randint(len(LETTERS), (1,), generator=generator))]
                           for _ in range(1 + int(torch.randint(4, (1,), generator=generator))))
    rows = [{"input_ids": tokenizer(draw())["input_ids"]} for _ in range(2 * ITERATIONS * EPISODES)]
    watch = Watch()
    with tempfile.TemporaryDirectory() as out:
        config = PPOConfig(
            output_dir=out, seed=SEED, per_device_train_batch_size=MICRO, gradient_accumulation_steps=EPISODES // MICRO,
            num_mini_batches=1, num_ppo_epochs=EPOCHS, total_episodes=ITERATIONS * EPISODES, response_length=NEW,
            local_rollout_forward_batch_size=EPISODES, temperature=TEMPERATURE, stop_token="eos", kl_coef=KL,
            learning_rate=LEARNING_RATE, cliprange_value=VALUE_CLIP, adam_epsilon=ADAM_EPSILON, lr_scheduler_type="constant", weight_decay=0.0, use_cpu=True, bf16=False,
            gradient_checkpointing=False, report_to=[], save_strategy="no", num_sample_generations=0, disable_tqdm=True)
        trainer = PPOTrainer(args=config, processing_class=tokenizer, model=policy, ref_model=copy.deepcopy(policy),
                             reward_model=LetterReward(), value_model=critic, train_dataset=Dataset.from_list(rows),
                             eval_dataset=Dataset.from_list(rows[:8]))
        trainer.optimizer.optimizer.register_step_pre_hook(lambda *_: watch.before_step(policy, critic))
        logs = []
        trainer.log = lambda metrics, *_: logs.append(metrics)
        trainer.train()
    assert all(len(now["steps"]) == EPOCHS for now in watch.iterations), "one optimizer step an epoch"
    lines, tokens = rollout_lines(watch, tokenizer)
    (GOLDEN / "trl_ppo_rollouts.jsonl").write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    step = lambda step: {name: numbers([value])[0] for name, value in step.items()}
    document = {
        "made_by": "tools/golden/trl_ppo.py", "trl": trl.__version__, "transformers": transformers.__version__,
        "torch": torch.__version__, "seed": SEED, "iterations": ITERATIONS, "episodes": EPISODES, "micro_batch": MICRO,
        "epochs": EPOCHS, "max_tokens": NEW, "temperature": TEMPERATURE, "learning_rate": LEARNING_RATE, "adam_epsilon": ADAM_EPSILON, "kl": KL, "value_clip": VALUE_CLIP,
        "logs": [{"kl": log["objective/kl"], "score": log["objective/scores"], "ratio": log["val/ratio"],
                  "approx_kl": log["policy/approxkl_avg"]} for log in logs],
        "steps": [[step(s) for s in now["steps"]] for now in watch.iterations], "tokens": tokens,
        "final_policy": entries(policy), "final_critic": entries(critic)}
    (GOLDEN / "trl_ppo_steps.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
    for name in ("trl_ppo_rollouts.jsonl", "trl_ppo_steps.json"):
        print(name, (GOLDEN / name).stat().st_size)


if __name__ == "__main__":
    main()
