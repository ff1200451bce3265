"""The rows of the benchmark: what each side runs, how its figure is read, and how much arithmetic it is."""
import collections
import json
import os
import statistics

# Settings of a peer that are tried; the best one counts.
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000"}
Setting = collections.namedtuple("Setting", "name arguments dtype")
FLOAT32 = Setting("float32", (), "float32")
Row = collections.namedtuple("Row", "kind model unit wanted settings peer_steps hone_steps")

DTYPES = [Setting("bfloat16", ("--dtype", "bfloat16"), "bfloat16"), FLOAT32]
# Without the explicit gc.collect() calls of the trainer, which dominate at toy sizes: kinder to the peer than its default.
PPO = [Setting("bfloat16, no gc", ("--bf16", "--no-gc"), "bfloat16"),
       Setting("float32, no gc", ("--no-gc",), "float32")]
GRPO = [Setting("bfloat16", ("--bf16",), "bfloat16"), FLOAT32]

ROWS = {
    "rollout_tiny": Row("rollout", "tiny", "tokens/s", 2.5, DTYPES, [], {}),
    "train_tiny": Row("train", "tiny", "tokens/s", 1.0, DTYPES, [], {}),
    "ppo_tiny": Row("ppo", "tiny", "s", 1.6, PPO, [], {}),
    "grpo_tiny": Row("grpo", "tiny", "s", None, GRPO, [], {}),
    "rollout_small": Row("rollout", "small", "tokens/s", 2.5, DTYPES, ["--repeat", "1"],
                         {"stages.ppo.iterations": 2}),
    "train_small": Row("train", "small", "tokens/s", 1.0, DTYPES, ["--steps", "4"], {"stages.pretrain.steps": 6}),
    "ppo_small": Row("ppo", "small", "s", 1.6, PPO, ["--iterations", "3"],
                     {"stages.ppo.iterations": 3}),
    "grpo_small": Row("grpo", "small", "s", None, GRPO, ["--steps", "3"], {"stages.grpo.iterations": 3}),
}
TITLES = {"rollout": "rollout, 32 × (32 + 128) tokens", "train": "training, 8 × 256 tokens",
          "ppo": "PPO iteration, 32 × (16 + 64), 4 epochs", "grpo": "GRPO step, 8 × 8 × 64 tokens"}
PEERS = {"rollout": "hf_generate.py", "train": "hf_train.py", "ppo": "trl_ppo.py", "grpo": "trl_grpo.py"}
PEER_FIGURE = {"rollout": "tokens_per_s", "train": "tokens_per_s", "ppo": "s_per_iteration", "grpo": "inner_s"}


def speed(row, value):
    """Higher is better."""
    return value if row.unit == "tokens/s" else 1 / value


def hone_arguments(row, inputs, models):
    """Overrides of tools/bench/configs/<kind>.yaml."""
    overrides = {
        "rollout": {"model.path": inputs("endless"), "data.prompts.path": inputs("prompts_32.txt")},
        "train": {"model.path": os.path.join(models, row.model), "data.rows.path": inputs("rows_255.txt")},
        "ppo": {"model.path": inputs("endless"), "data.prompts.path": inputs("prompts_16.txt"),
                "stages.ppo.rewards.0.model": inputs("reward")},
        "grpo": {"model.path": inputs("endless"), "data.prompts.path": inputs("prompts_grpo.txt")},
    }[row.kind]
    return [f"{key}={value}" for key, value in {**overrides, **row.hone_steps}.items()]


def hone_figure(row, metrics_file):
    """The figure of one run of hone, taken as the peer's program takes its own, and the samples it comes from."""
    with open(metrics_file) as file:
        lines = [json.loads(line) for line in file]
    steps = [line for line in lines if "grad_norm" in line]
    if row.kind == "train":
        samples = [step["tokens_per_second"] for step in steps[2:]]
        return statistics.median(samples), samples
    tokens = 128 if row.kind == "rollout" else 64
    if any(step["completions/mean_length"] != tokens for step in steps):
        raise SystemExit(f"{metrics_file}: completions are not {tokens} tokens long: the model ended some of them")
    if row.kind == "rollout":
        samples = [32 * tokens / step["seconds/rollout"] for step in steps]
        return max(samples), samples
    samples = [b["seconds"] - a["seconds"] for a, b in zip(steps, steps[1:])]
    return statistics.median(samples), samples


class Work:
    """Floating-point operations of a Qwen2 shape: 2 a weight and token, and the products of attention."""

    def __init__(self, config):
        self.layers = config["num_hidden_layers"]
        self.attention_width = config["hidden_size"]  # heads × head width
        kv = self.attention_width * config["num_key_value_heads"] // config["num_attention_heads"]
        width = config["hidden_size"]
        self.trunk = self.layers * width * (2 * self.attention_width + 2 * kv + 3 * config["intermediate_size"])
        self.head = width * config["vocab_size"]

    def forward(self, sequences, length, logits):
        """`logits`: rows for which the vocabulary is computed."""
        pairs = sequences * length * (length + 1) / 2  # query and key
        return 2 * self.trunk * sequences * length + 2 * self.head * logits + \
            4 * self.attention_width * self.layers * pairs

    def rollout(self, sequences, prompt, new):
        return self.forward(sequences, prompt + new - 1, sequences * new)

    def of(self, kind, grpo_prompt):
        """One iteration, step or generation; for a row of tokens/s the whole batch."""
        if kind == "rollout":
            return self.rollout(32, 32, 128)
        if kind == "train":
            return 3 * self.forward(8, 256, 8 * 256)
        if kind == "ppo":
            policy, trunk = self.forward(32, 80, 32 * 64), self.forward(32, 80, 0)
            return self.rollout(32, 16, 64) + policy + 2 * trunk + 4 * 3 * (policy + trunk)
        policy = self.forward(64, grpo_prompt + 64, 64 * 64)
        return self.rollout(64, grpo_prompt, 64) + 4 * policy

    def decode_bytes(self):
        """Weights read by the 127 steps of a rollout, at 2 bytes each."""
        return 127 * 2 * (self.trunk + self.head)


TOKENS = {"rollout": 32 * 128, "train": 8 * 256}


def flops_per_second(row, work, value, grpo_prompt):
    total = work.of(row.kind, grpo_prompt)
    return total * speed(row, value) / TOKENS.get(row.kind, 1)
