#!/usr/bin/env python3
"""How fast transformers reads and writes a model directory: the JSON line of tools/bench/model_files.cpp.

usage: model_files_peer.py MODEL float32|bfloat16 [runs] [COPY]

load: from_pretrained in that dtype, without importing; save: save_pretrained and an fsync of what it wrote, as hone does.
The best of the runs. transformers maps safetensors files: `touched` is load and one pass over all weights, which is what a
program pays that uses them. `copied`: safetensors' load_file and a copy of every tensor in the dtype.
"""
import json
import os
import pathlib
import sys
import time

import safetensors.torch
import torch
import transformers


def status_bytes(key):
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith(key + ":"))


def sync(folder):
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def main():
    directory, dtype = pathlib.Path(sys.argv[1]), getattr(torch, sys.argv[2])
    runs, copy = int(sys.argv[3]) if len(sys.argv) > 3 else 3, sys.argv[4:5]
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(2)
    config = transformers.AutoConfig.from_pretrained(directory)
    size = sum(path.stat().st_size for path in directory.glob("*.safetensors"))
    loads, touched, copies, saves, peak = [], [], [], [], None
    before = status_bytes("VmRSS")
    for _ in range(runs):
        start = time.perf_counter()
        model = transformers.AutoModelForCausalLM.from_pretrained(directory, config=config, dtype=dtype)
        loads.append(time.perf_counter() - start)
        for weight in model.parameters():
            weight.detach().sum()
        touched.append(time.perf_counter() - start)
        peak = peak or status_bytes("VmHWM") - before
        if copy:
            start = time.perf_counter()
            model.save_pretrained(copy[0])
            sync(pathlib.Path(copy[0]))
            saves.append(time.perf_counter() - start)
        del model
        start = time.perf_counter()
        kept = [tensor.to(dtype, copy=True) for path in directory.glob("*.safetensors")
                for tensor in safetensors.torch.load_file(path).values()]
        copies.append(time.perf_counter() - start)
        del kept
    figures = {"bytes": size, "load_s": min(loads), "touched_s": min(touched), "copied_s": min(copies), "load_gb_per_s": size / min(touched) * 1e-9,
               "peak_ratio": peak / size, **({"save_s": min(saves)} if saves else {})}
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}))


if __name__ == "__main__":
    main()
