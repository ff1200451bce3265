"""What the calibrated machine allows: floating-point operations over its peak, or bytes over its bandwidth.

The functions without an underscore give floor(model, machine): the best value of a row, in the row's unit. Peaks are
those of register-only loops, so 100 % is out of reach.
"""
from dataclasses import dataclass

MIB = 1 << 20


@dataclass
class Machine:
    flops: float      # a second, in the row's dtype
    bandwidth: float  # bytes a second
    dtype_bytes: int
    trunk_cost: float = 1.0  # of an operation or a byte of weights below the head, beside one in the row's dtype: int8 ½


class Model:
    """A Qwen2 shape with tied embeddings: 2 operations a weight and token, and the products of attention."""

    def __init__(self, config, grpo_prompt=0.0, shared_lengths=()):
        self.layers = config["num_hidden_layers"]
        self.width = config["hidden_size"]
        self.kv = self.width * config["num_key_value_heads"] // config["num_attention_heads"]
        self.mlp = config["intermediate_size"]
        self.trunk = self.layers * self.width * (2 * self.width + 2 * self.kv + 3 * self.mlp)
        self.head = self.width * config["vocab_size"]
        self.grpo_prompt, self.shared_lengths = grpo_prompt, shared_lengths
        self.parameters = self.trunk + self.head  # biases and norms are a thousandth

    def forward(self, sequences, length, logits, trunk_cost=1.0):
        """Operations; `logits`: rows for which the vocabulary is computed."""
        pairs = sequences * length * (length + 1) / 2  # of query and key
        return 2 * trunk_cost * self.trunk * sequences * length + 2 * self.head * logits + 4 * self.width * self.layers * pairs

    def cache_bytes(self, machine):
        """Keys and values of one token."""
        return 2 * self.kv * self.layers * machine.dtype_bytes


def _decoding_seconds(model, machine, sequences, prompt, new):
    """All new tokens but the first, which the prompt's pass gives."""
    middle = prompt + new / 2
    weights = machine.trunk_cost * model.trunk + model.head
    step_bytes = weights * machine.dtype_bytes + sequences * middle * model.cache_bytes(machine)
    step_flops = sequences * (2 * weights + 4 * model.width * model.layers * middle)
    return (new - 1) * max(step_bytes / machine.bandwidth, step_flops / machine.flops)


def _rollout_seconds(model, machine, sequences, prompt, new, prompts=None):
    """`prompts`: how many of them differ."""
    distinct = prompts or sequences
    return model.forward(distinct, prompt, distinct, machine.trunk_cost) / machine.flops + \
        _decoding_seconds(model, machine, sequences, prompt, new)


def _update_seconds(model, machine):
    """Weight, gradient and two moments in float32: four reads and three writes."""
    return 28 * model.parameters / machine.bandwidth


def generate(sequences, prompt, new):
    return lambda model, machine: sequences * new / _rollout_seconds(model, machine, sequences, prompt, new)


def decode(sequences, prompt, new):
    return lambda model, machine: sequences * (new - 1) / _decoding_seconds(model, machine, sequences, prompt, new)


def training(rows, length):
    return lambda model, machine: rows * length * machine.flops / (3 * model.forward(rows, length, rows * length))


def packed_training(model, machine):
    """A token at the mean place of rows of log-normal lengths costs about what one of a row of 100 does."""
    return 100 * machine.flops / (3 * model.forward(1, 100, 100))


def scoring(model, machine):
    return machine.flops / (2 * model.parameters)


def optimizer(model, machine):
    return model.parameters / _update_seconds(model, machine)


def sampling(_, machine):
    return machine.bandwidth / (4 * 151_936)


def shared_prompts(model, machine):
    lengths = model.shared_lengths
    seconds = model.forward(8, 512, 8) / machine.flops
    for step in range(1, max(lengths)):
        going = sum(length > step for length in lengths)
        reading = model.parameters * machine.dtype_bytes + \
            (8 * 512 + going * step) * model.cache_bytes(machine)  # a shared prompt's keys once
        computing = going * (2 * model.parameters + 4 * model.width * model.layers * (512 + step))
        seconds += max(reading / machine.bandwidth, computing / machine.flops)
    return sum(lengths) / seconds


def prompt_reuse(model, _):
    return len(model.shared_lengths) / 8


def grpo(model, machine):
    """8 prompts × 8 completions of 64 tokens, the reference's pass, one training step."""
    length = model.grpo_prompt + 64
    policy = model.forward(64, length, 64 * 64) / machine.flops
    return _rollout_seconds(model, machine, 64, model.grpo_prompt, 64, 8) + 4 * policy + _update_seconds(model, machine)


def ppo(shared):
    """32 episodes of 16 + 64 tokens: reference, reward model and values, then 4 epochs of one step. A critic on the
    policy's trunk needs no passes of its own."""
    def floor(model, machine):
        policy, trunk = model.forward(32, 80, 32 * 64), model.forward(32, 80, 0)
        passes = policy + trunk + 12 * policy + (0 if shared else 13 * trunk)
        updates = 4 * (1 if shared else 2) * _update_seconds(model, machine)
        return _rollout_seconds(model, machine, 32, 16, 64) + passes / machine.flops + updates
    return floor


def grpo_memory(model, machine):
    """MiB: 20 bytes a parameter, the reference, keys and values, and what backward needs of 64 sequences in float32:
    per layer two residual streams, query, key, value, attention's output, gate and up."""
    tokens = 64 * (model.grpo_prompt + 64)
    kept = 4 * model.layers * (4 * model.width + 2 * model.kv + 2 * model.mlp)
    return ((20 + machine.dtype_bytes) * model.parameters + tokens * (kept + model.cache_bytes(machine))) / MIB


def one_second(_, __):
    return 1.0
