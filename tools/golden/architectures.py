#!/usr/bin/env python3
"""Writes tests/golden/architectures/*.json and the checkpoints they speak of, tests/golden/models/*: what transformers
computes in float32 on the CPU from tiny random checkpoints of each model family.

usage: tools/golden/architectures.py [FAMILY]...     (needs `pip install transformers torch`)
"""
import sys

import torch

import architectures_decoders
import architectures_encoders
import architectures_t5
from architectures_checkpoint import save

FAMILIES = {**{name: architectures_decoders.family for name in architectures_decoders.FAMILIES},
            **{name: architectures_encoders.family for name in architectures_encoders.CONFIGS},
            "t5": architectures_t5.family}


def main():
    torch.set_num_threads(1)
    for name in sys.argv[1:] or FAMILIES:
        save(name, FAMILIES[name](name))


if __name__ == "__main__":
    main()
