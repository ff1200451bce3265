#!/usr/bin/env python3
"""Writes tests/golden/optimizers.json: weights after steps of torch.optim's AdamW, SGD and Muon, transformers' Adafactor and
lion-pytorch's Lion, and the rates of transformers' schedules. Everything in float64; Muon's iteration too.

usage: tools/golden/optimizers.py     (needs torch 2.11, transformers, lion-pytorch)
"""

import json
import math
import pathlib

import torch
import transformers
import transformers.optimization as schedules
from lion_pytorch import Lion

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "optimizers.json"
STEPS, SHOWN = 20, (1, 2, 20)
# Two matrices of a layer, an embedding and a bias.
SHAPES = {"layers.0.a": (6, 4), "layers.0.b": (3, 4), "embedding": (5, 4), "bias": (5,)}
torch.Tensor.bfloat16 = lambda self: self.clone()  # Muon's iteration would be in bfloat16


def start(index, shape):
    count = math.prod(shape)
    return torch.sin(torch.arange(count, dtype=torch.float64) * 1.1 + index).float().double().reshape(shape) * 0.5


def gradient(index, weight, step, size):
    """Of something like a loss: new in each step, and dependent on the weights."""
    wave = torch.sin(torch.arange(weight.numel(), dtype=torch.float64) * 0.7 + 1.3 * step + index)
    return size * wave.reshape(weight.shape) + 0.3 * weight.detach()


def run(make, schedule=None, clip=None, size=0.5):
    weights = {name: torch.nn.Parameter(start(i, shape)) for i, (name, shape) in enumerate(SHAPES.items())}
    optimizers = make(weights)
    schedulers = [schedule(optimizer) for optimizer in optimizers] if schedule else []
    shown = {}
    for step in range(1, STEPS + 1):
        for index, weight in enumerate(weights.values()):
            weight.grad = gradient(index, weight, step, size)
        if clip:
            torch.nn.utils.clip_grad_norm_(weights.values(), clip)
        for each in optimizers + schedulers:
            each.step()
        if step in SHOWN:
            shown[str(step)] = {name: [round(x, 9) for x in weight.detach().flatten().tolist()]
                                for name, weight in weights.items()}
    return shown


def groups(weights, decay):
    matrices = [w for w in weights.values() if w.ndim == 2]
    vectors = [w for w in weights.values() if w.ndim < 2]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


def plain(optimizer, decay, **options):
    return lambda weights: [optimizer(groups(weights, decay), **options)]


def muon(decay, lr, rest_lr, **options):
    def make(weights):
        hidden = [w for name, w in weights.items() if name.startswith("layers")]
        rest = {name: w for name, w in weights.items() if not name.startswith("layers")}
        return [torch.optim.Muon(hidden, lr=lr, weight_decay=decay, **options),
                torch.optim.AdamW(groups(rest, decay), lr=rest_lr, betas=(0.9, 0.95), eps=1e-8)]
    return make


def cosine(optimizer):
    return schedules.get_cosine_schedule_with_warmup(optimizer, 4, STEPS)


adafactor = transformers.Adafactor
CASES = {
    "adamw": run(plain(torch.optim.AdamW, 0.1, lr=0.01, betas=(0.9, 0.95)), cosine),
    "adamw_clipped": run(plain(torch.optim.AdamW, 0.1, lr=0.01, betas=(0.9, 0.95)), cosine, clip=1.0),
    "adafactor": run(plain(adafactor, 0.1, lr=0.01, relative_step=False, scale_parameter=False), cosine),
    "adafactor_relative": run(plain(adafactor, 0.1, relative_step=True, scale_parameter=True)),
    "adafactor_warmup_mean": run(plain(adafactor, 0.0, relative_step=True, scale_parameter=True, warmup_init=True,
                                       beta1=0.9)),
    "adafactor_clipping": run(plain(adafactor, 0.1, lr=0.01, relative_step=False, scale_parameter=True,
                                    clip_threshold=0.5, decay_rate=-0.5), cosine),
    "lion": run(plain(Lion, 0.1, lr=0.003, betas=(0.9, 0.99)), cosine),
    "muon": run(muon(0.1, 0.02, 0.02, adjust_lr_fn="match_rms_adamw"), cosine),
    "muon_original": run(muon(0.1, 0.02, 0.003, adjust_lr_fn="original"), cosine),
    "muon_plain_momentum": run(muon(0.0, 0.02, 0.02, adjust_lr_fn="match_rms_adamw", nesterov=False, momentum=0.8,
                                    ns_steps=3), cosine),
    "sgd": run(plain(torch.optim.SGD, 0.1, lr=0.05), cosine),
    "sgd_momentum": run(plain(torch.optim.SGD, 0.1, lr=0.05, momentum=0.9), cosine),
    "sgd_nesterov": run(plain(torch.optim.SGD, 0.1, lr=0.05, momentum=0.9, nesterov=True), cosine, clip=1.0),
}


def rates(make, steps):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def schedule_case(make, total, **config):
    past_end = 1 if config["schedule"] == "cosine" else 4  # transformers' cosine rises again
    return {"config": config, "total": total, "rates": rates(make, total + past_end)}


def wsd(shape, floor=0.0):
    # transformers raises the rate from the floor: without warm-up where there is one
    warmup = 0 if floor else 5
    return schedule_case(lambda o: schedules.get_wsd_schedule(o, warmup, 8, num_training_steps=40, decay_type=shape,
                                                              min_lr_ratio=floor),
                         40, schedule="wsd", warmup_steps=warmup, fall_share=0.2, fall_shape=shape, floor=floor)


SCHEDULES = [
    schedule_case(lambda o: schedules.get_constant_schedule(o), 10, schedule="constant"),
    schedule_case(lambda o: schedules.get_constant_schedule_with_warmup(o, 3), 10, schedule="constant", warmup_steps=3),
    schedule_case(lambda o: schedules.get_linear_schedule_with_warmup(o, 3, 20), 20, schedule="linear", warmup_steps=3),
    schedule_case(lambda o: schedules.get_cosine_schedule_with_warmup(o, 3, 20), 20, schedule="cosine", warmup_steps=3),
    schedule_case(lambda o: schedules.get_cosine_with_min_lr_schedule_with_warmup(o, 3, 20, min_lr_rate=0.1), 20,
                  schedule="cosine", warmup_steps=3, floor=0.1),
    schedule_case(lambda o: schedules.get_cosine_with_hard_restarts_schedule_with_warmup(o, 2, 20, num_cycles=3), 20,
                  schedule="cosine_restarts", warmup_steps=2, cycles=3),
    schedule_case(lambda o: schedules.get_polynomial_decay_schedule_with_warmup(o, 2, 20, lr_end=0.05, power=2.0), 20,
                  schedule="polynomial", warmup_steps=2, power=2.0, floor=0.05),
    schedule_case(lambda o: schedules.get_inverse_sqrt_schedule(o, 4), 20, schedule="inverse_sqrt", warmup_steps=4),
    schedule_case(lambda o: schedules.get_inverse_sqrt_schedule(o, 0), 20, schedule="inverse_sqrt"),
    wsd("linear"), wsd("cosine"), wsd("1-sqrt"), wsd("linear", 0.1), wsd("1-sqrt", 0.2),
]

OUT.write_text(json.dumps({"about": f"torch {torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
                           "optimizers": CASES, "schedules": SCHEDULES}) + "\n")
