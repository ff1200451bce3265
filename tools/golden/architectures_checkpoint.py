"""What the golden files of tests/golden/architectures share: random checkpoints on disk, compact numbers, gradients."""
import copy
import json
import pathlib
import shutil
import tempfile

import safetensors.torch
import torch
import transformers

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
VOCABULARY = 48
EMBEDDING = 0.3  # standard deviation of embeddings
NOISE = 1e-4  # gradients with a smaller norm are zero but for rounding
IDS = {"vocab_size": VOCABULARY, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
CENTRED_AT_ZERO = {"gemma", "gemma2", "gemma3_text"}  # their norms multiply with 1 + weight


def numbers(tensor):
    return [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]


def rows_of(tensor, rows):
    return [numbers(tensor[row]) for row in rows]


def redraw(model, generator, scale):
    """Weights large enough that every term of the forward pass shows in what comes out: norms about 1, embeddings of
    EMBEDDING, all others of the given scale. A tied head with small other weights repeats its input for ever."""
    centre = 0 if model.config.model_type in CENTRED_AT_ZERO else 1
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            noise = torch.randn(weight.shape, generator=generator)
            norm = any(part in name.lower() for part in ("norm", "ln_"))
            table = any(part in name for part in ("embed", "shared", "wte", "wpe"))
            weight.copy_(centre + 0.2 * noise if norm and name.endswith("weight") else
                         (EMBEDDING if table else scale) * noise)


def write(name, model_class, config, seed, scale=0.3, mend=None):
    """A checkpoint directory under tests/golden/models with random weights. Returns the generator to draw inputs from.

    mend: changes the model after its weights were drawn, before they are saved.
    """
    generator = torch.Generator().manual_seed(seed)
    model = model_class(config).to(torch.float32).eval()
    redraw(model, generator, scale)
    if mend:
        mend(model)
    folder = GOLDEN / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch)
        folder.mkdir(parents=True)
        for file in ("config.json", "model.safetensors"):
            shutil.copyfile(pathlib.Path(scratch) / file, folder / file)
    return generator


def load(name, model_class, **more):
    """The checkpoint as its users get it, fresh: a model's rotary embedding may remember the longest sequence seen."""
    model, loading = model_class.from_pretrained(GOLDEN / "models" / name, dtype=torch.float32,
                                                 attn_implementation="eager", output_loading_info=True, **more)
    assert not any(loading.values()), (name, loading)
    return model.eval()


def entries(gradient):
    """The norm, the largest entries and some others, as [index, value] of the flattened gradient."""
    flat = gradient.flatten()
    largest = flat.abs().topk(min(3, flat.numel())).indices.tolist()
    others = range(0, flat.numel(), max(1, flat.numel() // 4))
    index = sorted({*largest, *others})
    return {"norm": numbers(gradient.norm())[0], "entries": [[i, numbers(flat[i])[0]] for i in index]}


def gradients(model):
    """After a backward pass, of every tensor that the checkpoint has, by its name and in its layout there: both differ
    from the module's for experts and tied weights. Those that are zero, or rounding noise about zero (the bias of keys
    adds the same to every score of a query), are an empty object."""
    holder = copy.deepcopy(model)
    with torch.no_grad(), tempfile.TemporaryDirectory() as scratch:
        for held, weight in zip(holder.parameters(), model.parameters(), strict=True):
            held.copy_(torch.zeros_like(weight) if weight.grad is None else weight.grad)
        holder.save_pretrained(scratch)
        found = safetensors.torch.load_file(pathlib.Path(scratch) / "model.safetensors")
    return {name: entries(gradient) if gradient.norm() > NOISE else {} for name, gradient in sorted(found.items())}


def rounded(tensor):
    return tensor.detach().to(torch.bfloat16).to(torch.float32)


def bfloat16_copy(model):
    """The model with linear layers that round their weights and inputs to bfloat16 and sum in float32."""
    model = copy.deepcopy(model)
    head = model.get_output_embeddings()
    if head is not None:  # only the head rounds: an embedding is looked up, not multiplied
        head.weight = torch.nn.Parameter(head.weight.detach().clone())
    for module in model.modules():
        if isinstance(module, (torch.nn.Linear, transformers.pytorch_utils.Conv1D)):
            module.weight = torch.nn.Parameter(rounded(module.weight))
            module.register_forward_pre_hook(lambda _, inputs: (rounded(inputs[0]), *inputs[1:]))
    return model


def save(family, cases, more=None):
    document = {"made_by": "tools/golden/architectures.py", "transformers": transformers.__version__,
                "torch": torch.__version__, "models": cases, **(more or {})}
    path = GOLDEN / "architectures" / f"{family}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document) + "\n")
    sizes = [sum(file.stat().st_size for file in (GOLDEN / "models" / case["checkpoint"]).iterdir())
             for case in cases.values()]
    print(f"{path.name}: {path.stat().st_size} bytes, checkpoints of at most {max(sizes)} bytes")
