"""The rows of the benchmark: which programs take turns, and which lines of the table their figures make."""
import collections

import floors
from programs import FirstStep, Generation, HoneBench, HoneRun, Llama, Script, TrlFirstStep, TrlPpo, Work

DTYPES = ("bfloat16", "float32")
LOWER_IS_BETTER = ("s", "MiB")
# A group of programs that take turns, on one model.
Group = collections.namedtuple("Group", "model programs")
# One line of the table. `hone`, `peers`: settings that compete, the best one counts. `wanted`: the ratio; `share`: of the
# limit. `floor`: a function of floors.py.
Line = collections.namedtuple("Line", "number work group hone side peers figure unit wanted floor share",
                              defaults=(None, None, None))


def better(line, value, other):
    """How many times `value` is as good as `other`."""
    return other / value if line.unit in LOWER_IS_BETTER else value / other


def first_step():
    return Group("tiny", [FirstStep(), TrlFirstStep()])


def latency(model):
    shape = ("--batch", "1", "--new", "128", "--repeat", "3")
    hone = [HoneBench(dtype, "generation", *shape) for dtype in ("bfloat16", "int8")]
    return Group(model, [*hone, *(Generation(dtype, *shape) for dtype in DTYPES)])


def rollout(model, new, repeat, dtypes=DTYPES):
    shape = ("--batch", "32", "--new", new, "--repeat", repeat)
    hone = [HoneBench(dtype, "generation", *shape) for dtype in (*dtypes, "int8")]
    peers = [Script("transformers", dtype, "hf_generate.py", "--dtype", dtype, *shape,
                    read={"generate best": "tokens_per_s"}) for dtype in dtypes]
    return Group(model, [*hone, *peers, *(Llama(dtype, *shape) for dtype in dtypes)])


# Settings of transformers for completions that share prompts: dtype, and rows of a batch.
SHARED = {f"{dtype}, {batch} at a time": ("--dtype", dtype, "--batch", batch)
          for dtype in DTYPES for batch in ("128", "32")}


def shared_prompts(model):
    lengths = [("--lengths", "shared_lengths.json")]
    peers = [Work(setting, "shared_prompts", *options, read={"shared prompts": "tokens_per_s"}, inputs_of=lengths)
             for setting, options in SHARED.items()]
    return Group(model, [HoneBench("bfloat16", "shared_prompts", "--repeat", "1", inputs_of=lengths), *peers])


def sampling():
    return Group("tiny", [HoneBench("bfloat16", "sampling", "--vocabulary", "151936", "--repeat", "3"),
                          Work("float32", "sampling", read={"sample top-p": "tokens_per_s"})])


def training(model, peer_steps, hone_steps):
    hone = [HoneRun(dtype, "train", f"stages.pretrain.steps={hone_steps}", compute=dtype) for dtype in DTYPES]
    peers = [Script("transformers", dtype, "hf_train.py", "--dtype", dtype, "--steps", peer_steps,
                    read={"train": "tokens_per_s"}) for dtype in DTYPES]
    return Group(model, [*hone, *peers])


def training_without_files(model, rows):
    """By `hone bench`: the checkpoint of a run would take 6 GB."""
    hone = [HoneBench(dtype, "training", "--rows", rows, "--repeat", "1") for dtype in DTYPES]
    peers = [Script("transformers", dtype, "hf_train.py", "--dtype", dtype, "--batch", rows, "--steps", "1",
                    read={"train": "tokens_per_s"}) for dtype in DTYPES]
    return Group(model, [*hone, *peers])


def packed(model, rows, peer_steps):
    hone = HoneRun("bfloat16", "train_skewed", f"stages.pretrain.batch_size={rows}")
    peers = [Work(dtype, "padded_training", "--dtype", dtype, "--rows", rows, "--steps", peer_steps,
                  read={"train": "tokens_per_s"}, inputs_of=[("--lengths", "skewed_lengths.json")]) for dtype in DTYPES]
    return Group(model, [hone, *peers])


def scoring(model, repeat):
    peers = [Work(dtype, "scoring", "--dtype", dtype, "--repeat", repeat,
                  read={"score": "tokens_per_s", "score memory": "added_mib"}) for dtype in DTYPES]
    return Group(model, [HoneBench("bfloat16", "scoring", "--repeat", repeat), *peers])


def optimizer(model):
    peers = [Work(setting, "optimizer", "--repeat", "8", *more, side="torch", read={figure: "values_per_s"})
             for setting, figure, more in (("fused", "adamw", ()), ("fused, norm and casts", "optimizer", ("--whole",)))]
    hone = HoneBench("bfloat16", "training", "--rows", "1", "--length", "16", "--repeat", "8")
    return Group(model, [hone, *peers])


def grpo(model, steps):
    peers = [Script("TRL", dtype, "trl_grpo.py", "--steps", steps, *(("--bf16",) if dtype == "bfloat16" else ()),
                    read={"s": "inner_s"}) for dtype in DTYPES]
    return Group(model, [HoneRun("bfloat16", "grpo", f"stages.grpo.iterations={steps}"), *peers])


def ppo(model, iterations):
    hone = [HoneRun(f"bfloat16, {trunk} critic", "ppo", f"stages.ppo.critic.trunk={trunk}",
                    f"stages.ppo.iterations={iterations}") for trunk in ("separate", "shared")]
    return Group(model, [*hone, *(TrlPpo(dtype, "--iterations", iterations) for dtype in DTYPES)])


# Cheap ones first: what a stopped measurement has, it has for many rows.
GROUPS = {
    "first_step": first_step(),
    "latency_tiny": latency("tiny"),
    "sampling": sampling(),
    "scoring_tiny": scoring("tiny", "5"),
    "training_tiny": training("tiny", "10", "12"),
    "rollout_tiny": rollout("tiny", "128", "3"),
    "packed_tiny": packed("tiny", "32", "6"),
    "grpo_tiny": grpo("tiny", "6"),
    "ppo_tiny": ppo("tiny", "3"),
    "optimizer_small": optimizer("small"),
    "scoring_small": scoring("small", "3"),
    "rollout_small": rollout("small", "64", "1"),
    "training_small": training("small", "3", "6"),
    "packed_small": packed("small", "16", "2"),
    "grpo_small": grpo("small", "2"),
    "shared_tiny": shared_prompts("tiny"),
    "scoring_half": scoring("half", "2"),
    "rollout_half": rollout("half", "16", "1", ("bfloat16",)),
    "training_half": training_without_files("half", "2"),
    "ppo_small": ppo("small", "2"),
}


def rollout_lines(model, new, dtypes, wanted, share=None):
    group = f"rollout_{model}"
    for more, ours in (("", dtypes), (", weights in int8", ("int8",))):
        yield Line(1, f"rollout, {model}, 32 × (32 + {new}) tokens{more}", group, ours, "transformers", dtypes,
                   "generate best", "tokens/s", wanted, floors.generate(32, 32, new), share)
    for dtype in dtypes:
        yield Line(1, f"decoding, {model}, batch 32, {dtype}", group, (dtype,), "llama.cpp", (dtype,), "decode best",
                   "tokens/s", 1.3, floors.decode(32, 32, new), share)


def training_lines(model, rows, wanted, share=None):
    for more, dtypes, ratio in (("", DTYPES, wanted), (", float32", ("float32",), 1.3)):
        yield Line(5, f"training, {model}, {rows} × 256 tokens{more}", f"training_{model}", dtypes, "transformers", dtypes,
                   "train", "tokens/s", ratio, floors.training(rows, 256), share)


def scoring_lines(model):
    of_both = (f"scoring_{model}", ("bfloat16",), "transformers", DTYPES)
    yield Line(7, f"log-probabilities, {model}, 8 × 256 tokens", *of_both, "score", "tokens/s", 1.5, floors.scoring)
    yield Line(7, f"the same, {model}: memory that it adds", *of_both, "score memory", "MiB")


def ppo_lines(model, wanted):
    work = f"PPO iteration, {model}, 32 × (16 + 64) tokens, 4 epochs"
    for trunk, more, ratio in (("separate", "", wanted), ("shared", ", critic on the policy's trunk", 5)):
        yield Line(10, work + more, f"ppo_{model}", (f"bfloat16, {trunk} critic",), "TRL", DTYPES, "s", "s", ratio,
                   floors.ppo(shared=trunk == "shared"), 1 / 1.7)


def lines():
    """All lines of the table, in the order of their numbers."""
    hone = ("bfloat16",)
    yield from rollout_lines("tiny", 128, DTYPES, 6)
    yield from rollout_lines("small", 64, DTYPES, 5, 0.6)
    yield from rollout_lines("half", 16, hone, 5, 0.6)
    for more, ours in (("", hone), (", weights in int8", ("int8",))):
        yield Line(2, f"tokens of one sequence, one by one, tiny{more}", "latency_tiny", ours, "transformers", DTYPES,
                   "decode best", "tokens/s", 20, floors.decode(1, 32, 128))
    yield Line(3, "8 prompts of 512 tokens × 16 completions, log-normal lengths, tiny", "shared_tiny", hone,
               "transformers", tuple(SHARED), "shared prompts", "tokens/s", 8, floors.shared_prompts)
    yield Line(3, "the same: tokens of prompts without sharing over with", "shared_tiny", hone, None, (), "prompt reuse",
               "times", None, floors.prompt_reuse, 0.85)
    yield Line(4, "top-p 0.9 of 32 × 151,936 logits, with log-probabilities", "sampling", hone, "transformers",
               ("float32",), "sample top-p", "tokens/s", 5, floors.sampling)
    yield from training_lines("tiny", 8, 2)
    yield from training_lines("small", 8, 1.6, 0.6)
    yield from training_lines("half", 2, 1.5, 0.6)
    for model, rows in (("tiny", 32), ("small", 16)):
        yield Line(6, f"training, {model}, {rows} rows of log-normal lengths, packed", f"packed_{model}", hone,
                   "transformers", DTYPES, "train", "tokens/s", 3, floors.packed_training)
    for model in ("tiny", "small", "half"):
        yield from scoring_lines(model)
    yield Line(8, "AdamW alone, 100 million values", "optimizer_small", hone, "torch", ("fused",), "adamw", "values/s", 1,
               floors.optimizer, 0.8)
    yield Line(8, "optimizer step: norm, AdamW, gradients cleared, weights packed", "optimizer_small", hone, "torch",
               ("fused, norm and casts",), "optimizer", "values/s", 1, floors.optimizer)
    for model, wanted in (("tiny", 4), ("small", 3)):
        yield Line(9, f"GRPO step, {model}, 8 × 8 × 64 tokens", f"grpo_{model}", hone, "TRL", DTYPES, "s", "s", wanted,
                   floors.grpo, 1 / 1.7)
    yield from ppo_lines("tiny", 3.5)
    yield from ppo_lines("small", 3)
    yield Line(11, "peak memory of a GRPO step, small", "grpo_small", hone, "TRL", DTYPES, "memory", "MiB", 2,
               floors.grpo_memory, 1 / 1.2)
    yield Line(12, "start to first training step, quick start", "first_step", hone, "TRL", ("float32",), "s", "s", None,
               floors.one_second, 1)
