#!/usr/bin/env python3
"""Whether llama.cpp generates from a GGUF file what transformers generates from the directory it was made of.

usage: compare_gguf.py MODEL_DIRECTORY FILE.gguf [--new 64] [--tolerance 0.01]

Run it with a Python that has torch, transformers and llama-cpp-python. Greedy tokens after prompts of several lengths must
be equal, the logits of each prompt's last token within the tolerance (llama.cpp's GELU is a table of float16, so GPT-2
and Gemma come to about 0.003), and texts must have the ids that tokenizer.json gives. Meant for files of type f32: what
weights lose in the others may turn a close decision.
"""
import argparse
import ctypes
import os
import sys

import numpy
import torch
from llama_cpp import llama_cpp as llama
from transformers import AutoModelForCausalLM

TEXTS = ["Once upon a time, there was a little girl named Lily.", " a space first", "two  spaces   and\ttab\n\nlines \n x",
         "don't I'LL we've 123456 3.14", "été naïve 你好 🙂", "a" * 40, "", 'x = {"a": [1, 2]};  # ok', " \n "]
LENGTHS = (1, 3, 7, 12, 20, 40, 60, 90)


class LlamaCpp:
    def __init__(self, path):
        self.model = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
        if not self.model:
            sys.exit(f"llama.cpp does not load {path}")
        self.vocabulary = llama.llama_model_get_vocab(self.model)
        self.size = llama.llama_vocab_n_tokens(self.vocabulary)

    def greedy(self, prompt, new):
        """The tokens, and the logits after the prompt."""
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = len(prompt) + new
        parameters.type_k = parameters.type_v = 0  # float32
        parameters.flash_attn_type = 0
        context = llama.llama_init_from_model(self.model, parameters)
        tokens, first, feed = [], None, list(prompt)
        while len(tokens) < new:
            ids = (ctypes.c_int32 * len(feed))(*feed)
            if llama.llama_decode(context, llama.llama_batch_get_one(ids, len(feed))) != 0:
                sys.exit("llama_decode failed")
            logits = numpy.ctypeslib.as_array(llama.llama_get_logits_ith(context, -1), (self.size,)).copy()
            first = logits if first is None else first
            feed = [int(logits.argmax())]
            tokens += feed
        llama.llama_free(context)
        return tokens, first

    def ids(self, text):
        raw = text.encode()
        buffer = (ctypes.c_int32 * (len(raw) + 16))()
        return list(buffer[:llama.llama_tokenize(self.vocabulary, raw, len(raw), buffer, len(buffer), True, False)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("file")
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--tolerance", type=float, default=0.01)
    arguments = parser.parse_args()
    reference = AutoModelForCausalLM.from_pretrained(arguments.directory, dtype=torch.float32).eval()
    tested = LlamaCpp(arguments.file)
    generator = torch.Generator().manual_seed(0)
    different, worst = 0, 0.0
    for length in LENGTHS:
        prompt = torch.randint(4, reference.config.vocab_size, (1, length), generator=generator)
        expected = reference.generate(prompt, max_new_tokens=arguments.new, min_new_tokens=arguments.new, do_sample=False,
                                      pad_token_id=0, eos_token_id=None)[0, length:].tolist()
        with torch.no_grad():
            logits = reference(prompt).logits[0, -1].numpy()
        tokens, first = tested.greedy(prompt[0].tolist(), arguments.new)
        different += tokens != expected
        worst = max(worst, float(numpy.abs(first - logits).max()))
    wrong = []
    if os.path.exists(os.path.join(arguments.directory, "tokenizer.json")):
        from tokenizers import Tokenizer
        tokenizer = Tokenizer.from_file(os.path.join(arguments.directory, "tokenizer.json"))
        wrong = [text for text in TEXTS if tested.ids(text) != tokenizer.encode(text).ids]
    print(f"{arguments.file}: {len(LENGTHS) - different} of {len(LENGTHS)} greedy continuations equal, logits within "
          f"{worst:.1e}, {len(wrong)} of {len(TEXTS)} texts with other ids {wrong or ''}")
    return 1 if different or wrong or worst > arguments.tolerance else 0


sys.exit(main())
