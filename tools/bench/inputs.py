"""What the rows of the benchmark read: models without an end, reward models, texts of a known number of tokens."""
import json
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


def texts(hone, model, tokens, count):
    """`count` different lines of exactly `tokens` tokens, of the words of the project's licence."""
    with open(os.path.join(ROOT, "LICENSE")) as file:
        words = sorted(set(re.findall(r"\b[a-z]+\b", file.read())))
    size = dict(zip(words, token_counts(hone, model, [" " + word for word in words])))
    short = [word for word in words if size[word] == 1]
    draw = random.Random(tokens)
    lines = []
    for _ in range(2 * count):
        line, left = [], tokens
        while left > 0:
            word = draw.choice(words if left > 8 else short)
            line.append(word)
            left -= size[word]
        lines.append(" " + " ".join(line))
    good = [line for line, found in zip(lines, token_counts(hone, model, lines)) if found == tokens]
    if len(good) < count:
        raise SystemExit(f"only {len(good)} of {count} texts have {tokens} tokens; is {model} the peers' model?")
    return good[:count]


def prepare(hone, source, folder):
    """Fills `folder` for one model; returns the mean number of tokens of a GRPO prompt."""
    done = os.path.join(folder, "inputs.json")
    if os.path.exists(done):
        return read_json(done)
    endless_model(source, os.path.join(folder, "endless"))
    reward_model(source, os.path.join(folder, "reward"))
    grpo = [f"{GRPO_WORDS[i % 8]} {GRPO_WORDS[(i // 8) % 8]} {i}" for i in range(256)]
    for name, lines in (("prompts_32.txt", texts(hone, source, 32, 256)),
                        ("prompts_16.txt", texts(hone, source, 16, 256)),
                        ("rows_255.txt", texts(hone, source, 255, 64)), ("prompts_grpo.txt", grpo)):
        with open(os.path.join(folder, name), "w") as file:
            file.writelines(line + "\n" for line in lines)
    sizes = token_counts(hone, source, grpo)
    write_json(done, {"grpo_prompt_tokens": sum(sizes) / len(sizes)})
    return read_json(done)
