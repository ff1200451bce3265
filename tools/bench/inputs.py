"""What the rows of the benchmark read: models without an end, reward models, texts of a known number of tokens."""
import json
import math
import os
import random
import re
import struct
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GRPO_WORDS = ["the licence", "this software", "you may", "copy", "the author", "a work", "terms and", "under the"]


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1)


def read_json(path):
    with open(path) as file:
        return json.load(file)


def endless_model(source, target):
    """The same model without an end-of-sequence token: completions get all their tokens, as in the peers' programs."""
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(source):
        path = os.path.join(target, name)
        if os.path.lexists(path):
            os.remove(path)
        if name.endswith("config.json"):
            config = read_json(os.path.join(source, name))
            config.pop("eos_token", None)
            config.pop("eos_token_id", None)
            write_json(path, config)
        else:
            os.symlink(os.path.abspath(os.path.join(source, name)), path)


def reward_model(source, target):
    """The same trunk with a random score head, as transformers' sequence classification makes it."""
    os.makedirs(target, exist_ok=True)
    config = read_json(os.path.join(source, "config.json"))
    config["architectures"] = ["Qwen2ForSequenceClassification"]
    config["num_labels"] = 1
    write_json(os.path.join(target, "config.json"), config)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        path = os.path.join(target, name)
        if not os.path.lexists(path):
            os.symlink(os.path.abspath(os.path.join(source, name)), path)
    width = config["hidden_size"]
    draw = random.Random(0)
    head = struct.pack(f"<{width}f", *(draw.gauss(0, 0.02) for _ in range(width)))
    with open(os.path.join(source, "model.safetensors"), "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header["score.weight"] = {"dtype": "F32", "shape": [1, width], "data_offsets": [len(data), len(data) + len(head)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(target, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data + head)


def token_counts(hone, model, lines):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([hone, "tokenizer", "encode", model], input=text, text=True, stdout=subprocess.PIPE, check=True)
    return [len(json.loads(line)) for line in done.stdout.splitlines()]


def texts(hone, model, sizes):
    """A line of exactly so many tokens for each size, of the words of the project's licence."""
    with open(os.path.join(ROOT, "LICENSE")) as file:
        words = sorted(set(re.findall(r"\b[a-z]+\b", file.read())))
    size_of = dict(zip(words, token_counts(hone, model, [" " + word for word in words])))
    short = [word for word in words if size_of[word] == 1]
    draw = random.Random(len(sizes))
    lines = [None] * len(sizes)
    for _ in range(10):
        missing = [i for i, line in enumerate(lines) if line is None]
        if not missing:
            return lines
        drawn = []
        for i in missing:
            line, left = [], sizes[i]
            while left > 0:
                word = draw.choice(words if left > 8 else short)
                line.append(word)
                left -= size_of[word]
            drawn.append(" " + " ".join(line))
        for i, line, found in zip(missing, drawn, token_counts(hone, model, drawn)):
            if found == sizes[i]:
                lines[i] = line
    raise SystemExit(f"no texts of exactly so many tokens found; is {model} the peers' model?")


def log_normal_lengths(count):
    draw = random.Random(1)
    return [min(256, max(8, round(math.exp(draw.gauss(4.0, 0.8))))) for _ in range(count)]


class Inputs:
    """Files of one model, made when they are first asked for: inputs("endless") is a path."""

    def __init__(self, hone, source, folder):
        self.hone, self.source, self.folder = hone, source, folder

    def __call__(self, name):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            os.makedirs(self.folder, exist_ok=True)
            unfinished = path + ".new"
            getattr(self, "make_" + name.partition(".")[0])(unfinished)
            os.rename(unfinished, path)
        return path

    def write_lines(self, path, lines):
        with open(path, "w") as file:
            file.writelines(line + "\n" for line in lines)

    def make_endless(self, path):
        endless_model(self.source, path)

    def make_reward(self, path):
        reward_model(self.source, path)

    def make_prompts_16(self, path):
        self.write_lines(path, texts(self.hone, self.source, [16] * 256))

    def make_rows_255(self, path):
        self.write_lines(path, texts(self.hone, self.source, [255] * 64))

    def make_prompts_grpo(self, path):
        self.write_lines(path, [f"{GRPO_WORDS[i % 8]} {GRPO_WORDS[(i // 8) % 8]} {i}" for i in range(256)])

    def make_grpo_prompt_tokens(self, path):
        with open(self("prompts_grpo.txt")) as file:
            sizes = token_counts(self.hone, self.source, [line[:-1] for line in file])
        write_json(path, sum(sizes) / len(sizes))

    def make_shared_lengths(self, path):
        write_json(path, log_normal_lengths(128))

    def make_skewed_lengths(self, path):
        write_json(path, log_normal_lengths(512))

    def make_skewed_rows(self, path):
        """Rows of skewed_lengths; the end-of-sequence token is one of each row's."""
        lengths = read_json(self("skewed_lengths.json"))
        self.write_lines(path, texts(self.hone, self.source, [length - 1 for length in lengths]))

    def make_f32(self, path):
        self.export(path, "f32")

    def make_bf16(self, path):
        self.export(path, "bf16")

    def export(self, path, dtype):
        subprocess.run([self.hone, "export", self.source, path, "--gguf", dtype], check=True, stdout=subprocess.DEVNULL)
