#!/usr/bin/env python3
"""How fast a peer continues prompts greedily: one JSON line, tokens per second of decoding and of the whole.

usage: generation_peer.py transformers|ctranslate2 MODEL [--batch 32] [--prompt 32] [--new 128] [--dtype float32]
                          [--threads 2] [--repeat 3] [--converted DIR]

Prompts are equal-length token ids, and the end of sequence is switched off, so that every run makes batch × new tokens.
`decode` is batch × (new - 1) tokens over the time beyond that of one new token, which leaves loading and prompts out, as
generation_side_by_side does for hone. The best of the repeats counts. --converted keeps ctranslate2's copy of the model.
"""
import argparse
import json
import pathlib
import random
import time

ids_from, ids_to = 2, 4000


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=("transformers", "ctranslate2"))
    parser.add_argument("model")
    parser.add_argument("--converted")
    parser.add_argument("--dtype", default="float32")
    for name, default in (("batch", 32), ("prompt", 32), ("new", 128), ("threads", 2), ("repeat", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def transformers_side(arguments):
    """A function that makes `new` tokens for each prompt and returns them."""
    import torch
    import transformers
    torch.set_num_threads(arguments.threads)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        arguments.model, dtype=getattr(torch, arguments.dtype)).eval()

    def generate(prompts, new):
        with torch.inference_mode():
            out = model.generate(prompts_tensor(prompts), attention_mask=torch.ones(len(prompts), len(prompts[0])),
                                 max_new_tokens=new, min_new_tokens=new, do_sample=False, pad_token_id=0,
                                 eos_token_id=None)
        return [row[len(prompts[0]):] for row in out.tolist()]

    prompts_tensor = torch.tensor
    return generate


def ctranslate2_side(arguments):
    import ctranslate2
    import transformers
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):
        def load_tokenizer(self, tokenizer_class, name, **more):
            return transformers.PreTrainedTokenizerFast.from_pretrained(name, **more)  # as saved: no tokens added

    place = pathlib.Path(arguments.converted or arguments.model.rstrip("/") + ".ctranslate2")
    if not (place / "model.bin").exists():
        Converter(arguments.model).convert(str(place))
    generator = ctranslate2.Generator(str(place), device="cpu", compute_type=arguments.dtype, inter_threads=1,
                                      intra_threads=arguments.threads)
    assert generator.compute_type == arguments.dtype, f"{arguments.dtype} became {generator.compute_type}"
    tokens = json.loads((place / "vocabulary.json").read_text(encoding="utf-8"))

    def generate(prompts, new):
        out = generator.generate_batch([[tokens[i] for i in prompt] for prompt in prompts], max_length=new,
                                       min_length=new, sampling_topk=1, beam_size=1, end_token=[],
                                       include_prompt_in_result=False, max_batch_size=len(prompts))
        return [one.sequences_ids[0] for one in out]

    return generate


def timed(generate, prompts, new):
    start = time.perf_counter()
    made = generate(prompts, new)
    seconds = time.perf_counter() - start
    assert all(len(row) == new for row in made), f"{new} tokens wanted, {[len(row) for row in made]} made"
    return seconds


def main():
    arguments = parse()
    draw = random.Random(0)
    prompts = [[draw.randrange(ids_from, ids_to) for _ in range(arguments.prompt)] for _ in range(arguments.batch)]
    start = time.perf_counter()
    generate = {"transformers": transformers_side, "ctranslate2": ctranslate2_side}[arguments.peer](arguments)
    load = time.perf_counter() - start
    timed(generate, prompts, 2)  # warm
    first = min(timed(generate, prompts, 1) for _ in range(arguments.repeat))
    whole = min(timed(generate, prompts, arguments.new) for _ in range(arguments.repeat))
    print(json.dumps({"peer": arguments.peer, "dtype": arguments.dtype, "batch": arguments.batch, "new": arguments.new,
                      "decode": round(arguments.batch * (arguments.new - 1) / (whole - first), 1),
                      "tokens_per_s": round(arguments.batch * arguments.new / whole, 1), "load_s": round(load, 2)}))


if __name__ == "__main__":
    main()
