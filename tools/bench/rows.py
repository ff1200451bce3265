"""The rows of the benchmark: which programs take turns, and which lines of the table their figures make."""
import collections

import floors
from programs import FirstStep, Generation, HoneBench, HoneRun, Llama, Script, TrlFirstStep, TrlPpo, Work

DTYPES = ("bfloat16", "float32")
# A group of programs that take turns, on one model. `needs`: what else must be there, an argument's name.
Group = collections.namedtuple("Group", "model programs")
# One line of the table. `hone`, `peers`: settings that compete, the best one counts. `wanted`: the ratio; `share`: of the
# limit. `floor`: a function of floors.py, applied to the model's work and the calibrated machine.
Line = collections.namedtuple("Line", "number work group hone side peers figure unit wanted floor share",
                              defaults=(None, None, None))
LOWER_IS_BETTER = ("s", "ms", "MiB")


def rollout(model, new, repeat, dtypes=DTYPES):
    shape = ("--batch", "32", "--new", new)
    hone = [HoneBench(dtype, "generation", *shape, "--repeat", repeat) for dtype in dtypes]
    peers = [Script("transformers", dtype, "hf_generate.py", "--dtype", dtype, *shape, "--repeat", repeat,
                    read={"generate best": "tokens_per_s"}) for dtype in dtypes]
    return Group(model, [*hone, *peers, *(Llama(dtype, *shape, "--repeat", repeat) for dtype in dtypes)])


def rollout_lines(name, new, dtypes, wanted, share):
    work = f"rollout, {name}, 32 × (32 + {new}) tokens"
    group = "rollout_" + name
    lines = [Line(1, work, group, dtypes, "transformers", dtypes, "generate best", "tokens/s", wanted,
                  floors.generate(32, 32, new), share)]
    return lines + [Line(1, f"decoding, {name}, batch 32, {dtype}", group, (dtype,), "llama.cpp", (dtype,),
                         "decode best", "tokens/s", 1.3, floors.decode(32, 32, new), share) for dtype in dtypes]


def training(model, peer_steps, hone_steps):
    hone = [HoneRun(dtype, "train", f"stages.pretrain.steps={hone_steps}", compute=dtype) for dtype in DTYPES]
    return Group(model, [*hone, *(Script("transformers", dtype, "hf_train.py", "--dtype", dtype, "--steps", peer_steps,
                                         read={"tokens/s": "tokens_per_s"}) for dtype in DTYPES)])


def training_lines(name, rows, wanted, share, figure="tokens/s"):
    work, floor = f"training, {name}, {rows} × 256 tokens", floors.training(rows, 256)
    return [Line(5, work, "training_" + name, DTYPES, "transformers", DTYPES, figure, "tokens/s", wanted, floor, share),
            Line(5, work + ", float32", "training_" + name, ("float32",), "transformers", ("float32",), figure, "tokens/s",
                 1.3, floor, share)]


def training_half():
    """By `hone bench`: a run's checkpoint would be 6 GB."""
    hone = [HoneBench(dtype, "training", "--rows", "2", "--repeat", "1") for dtype in DTYPES]
    return Group("half", [*hone, *(Script("transformers", dtype, "hf_train.py", "--dtype", dtype, "--batch", "2", "--steps",
                                          "1", read={"train": "tokens_per_s"}) for dtype in DTYPES)])


def packed(model, rows, peer_steps, hone_steps):
    peers = [Work(dtype, "padded_training", "--dtype", dtype, "--rows", rows, "--steps", peer_steps, read={"tokens/s": "tokens_per_s"},
                  inputs_of=[("--lengths", "skewed_lengths.json")]) for dtype in DTYPES]
    return Group(model, [HoneRun("bfloat16", "train_skewed", f"stages.pretrain.steps={hone_steps}",
                                 f"stages.pretrain.batch_size={rows}"), *peers])


def shared_prompts(model):
    peers = [Work(f"{dtype}, {batch} at a time", "shared_prompts", "--dtype", dtype, "--batch", batch,
                  read={"shared prompts": "tokens_per_s"}, inputs_of=[("--lengths", "shared_lengths.json")])
             for dtype in DTYPES for batch in ("128", "32")]
    return Group(model, [HoneBench("bfloat16", "shared_prompts", "--repeat", "1",
                                   inputs_of=[("--lengths", "shared_lengths.json")]), *peers])


SHARED_SETTINGS = tuple(f"{dtype}, {batch} at a time" for dtype in DTYPES for batch in ("128", "32"))


def scoring(model):
    peers = [Work(dtype, "scoring", "--dtype", dtype, read={"score": "tokens_per_s", "score memory": "added_mib"})
             for dtype in DTYPES]
    return Group(model, [HoneBench("bfloat16", "scoring"), *peers])


def latency(model):
    shape = ("--batch", "1", "--new", "128", "--repeat", "3")
    return Group(model, [HoneBench("bfloat16", "generation", *shape), *(Generation(dtype, *shape) for dtype in DTYPES)])


def sampling():
    return Group("tiny", [HoneBench("bfloat16", "sampling", "--vocabulary", "151936", "--repeat", "3"),
                          Work("float32", "sampling", read={"sample top-p": "tokens_per_s"})])


def optimizer(model):
    return Group(model, [HoneBench("bfloat16", "training", "--rows", "1", "--length", "16", "--repeat", "8"),
                         *(Work(setting, "optimizer", "--repeat", "8", *more, side="torch",
                                read={"optimizer": "values_per_s"})
                           for setting, more in (("fused", ()), ("fused, norm and casts", ("--whole",))))])


def grpo(model, steps):
    peers = [Script("TRL", dtype, "trl_grpo.py", "--steps", steps, *(("--bf16",) if dtype == "bfloat16" else ()),
                    read={"s": "inner_s"}) for dtype in DTYPES]
    return Group(model, [HoneRun("bfloat16", "grpo", f"stages.grpo.iterations={steps}"), *peers])


def ppo(model, iterations):
    hone = [HoneRun(f"bfloat16, {trunk} critic", "ppo", f"stages.ppo.critic.trunk={trunk}", f"stages.ppo.iterations={iterations}")
            for trunk in ("separate", "shared")]
    return Group(model, [*hone, *(TrlPpo(dtype, "--iterations", iterations) for dtype in DTYPES)])


# Cheap ones first: what a stopped measurement has, it has for many rows.
GROUPS = {
    "first_step": Group("tiny", [FirstStep(), TrlFirstStep()]),
    "latency_tiny": latency("tiny"),
    "sampling": sampling(),
    "scoring_tiny": scoring("tiny"),
    "training_tiny": training("tiny", "10", "12"),
    "rollout_tiny": rollout("tiny", "128", "3"),
    "packed_tiny": packed("tiny", "32", "6", "16"),
    "shared_tiny": shared_prompts("tiny"),
    "grpo_tiny": grpo("tiny", "6"),
    "ppo_tiny": ppo("tiny", "3"),
    "optimizer_small": optimizer("small"),
    "scoring_small": scoring("small"),
    "rollout_small": rollout("small", "64", "1"),
    "training_small": training("small", "3", "6"),
    "packed_small": packed("small", "16", "2", "16"),
    "grpo_small": grpo("small", "2"),
    "ppo_small": ppo("small", "2"),
    "scoring_half": scoring("half"),
    "rollout_half": rollout("half", "16", "1", ("bfloat16",)),
    "training_half": training_half(),
}
SIZES = ("tiny", "small")


def lines():
    """All lines of the table, in the order of their numbers."""
    table = [*rollout_lines("tiny", 128, DTYPES, 6, None), *rollout_lines("small", 64, DTYPES, 5, 0.6),
             *rollout_lines("half", 16, ("bfloat16",), 5, 0.6)]
    table += [Line(2, "one token of one sequence, tiny", "latency_tiny", ("bfloat16",), "transformers", DTYPES,
                   "decode best", "tokens/s", 20, floors.decode(1, 32, 128))]
    table += [Line(3, "8 prompts of 512 tokens × 16 completions, log-normal lengths, tiny", "shared_tiny", ("bfloat16",),
                   "transformers", SHARED_SETTINGS, "shared prompts", "tokens/s", 8, floors.shared_prompts),
              Line(3, "the same: tokens of prompts without sharing over with", "shared_tiny", ("bfloat16",), None, (),
                   "prompt reuse", "times", None, floors.prompt_reuse, 0.85)]
    table += [Line(4, "top-p 0.9 of 32 × 151,936 logits, with log-probabilities", "sampling", ("bfloat16",),
                   "transformers", ("float32",), "sample top-p", "tokens/s", 5, floors.sampling)]
    table += [*training_lines("tiny", 8, 2, None), *training_lines("small", 8, 1.6, 0.6),
              *training_lines("half", 2, 1.5, 0.6, "train")]
    table += [Line(6, f"training, {size}, {batch} rows of log-normal lengths, packed", "packed_" + size, ("bfloat16",),
                   "transformers", DTYPES, "tokens/s", "tokens/s", 3, floors.packed_training)
              for size, batch in zip(SIZES, (32, 16))]
    for size in (*SIZES, "half"):
        table += [Line(7, f"log-probabilities, {size}, 8 × 256 tokens", "scoring_" + size, ("bfloat16",), "transformers",
                       DTYPES, "score", "tokens/s", 1.5, floors.scoring)]
        table += [Line(7, f"the same, {size}: memory that it adds", "scoring_" + size, ("bfloat16",), "transformers",
                       DTYPES, "score memory", "MiB", None)]
    table += [Line(8, "optimizer step, 100 million values", "optimizer_small", ("bfloat16",), "torch", ("fused",),
                   "optimizer", "values/s", 1, floors.optimizer, 0.8),
              Line(8, "the same beside all that it does", "optimizer_small", ("bfloat16",), "torch",
                   ("fused, norm and casts",), "optimizer", "values/s", 1, floors.optimizer, 0.8)]
    table += [Line(9, f"GRPO step, {size}, 8 × 8 × 64 tokens", "grpo_" + size, ("bfloat16",), "TRL", DTYPES, "s", "s",
                   wanted, floors.grpo, 1 / 1.7) for size, wanted in zip(SIZES, (4, 3))]
    for size, wanted in zip(SIZES, (3.5, 3)):
        work = f"PPO iteration, {size}, 32 × (16 + 64) tokens, 4 epochs"
        table += [Line(10, work, "ppo_" + size, ("bfloat16, separate critic",), "TRL", DTYPES, "s", "s", wanted,
                       floors.ppo(shared=False), 1 / 1.7),
                  Line(10, work + ", critic on the policy's trunk", "ppo_" + size, ("bfloat16, shared critic",), "TRL", DTYPES, "s",
                       "s", 5, floors.ppo(shared=True), 1 / 1.7)]
    table += [Line(11, "peak memory of a GRPO step, small", "grpo_small", ("bfloat16",), "TRL", DTYPES, "memory", "MiB", 2,
                   floors.grpo_memory, 1 / 1.2)]
    table += [Line(12, "start to first training step, quick start", "first_step", ("bfloat16",), "TRL", ("float32",), "s",
                   "s", None, floors.one_second, 1)]
    return table


def better(line, value, other):
    """How many times `value` is as good as `other`."""
    return other / value if line.unit in LOWER_IS_BETTER else value / other
