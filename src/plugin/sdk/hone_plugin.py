"""Rewards and environments for hone in Python: this one file, the standard library, Python 3.8 or later.

    from hone_plugin import serve

    def score(completion, answer):                  # filled by name, from the item or from its reference
        return float(completion.strip() == answer)  # a number; None abstains; a dict has "value", "parts", "note"

    if __name__ == "__main__":
        serve(score)

Files written for other trainers need no edit: python3 hone_plugin.py --trl my_rewards.py:accuracy_reward
docs/plugins_python.md explains all of it.
"""
import argparse
import ast
import importlib
import importlib.util
import inspect
import json
import os
import random
import re
import sys
import threading
import traceback

PROTOCOL = 1
config = {}  # `config:` of the run's file, texts by key; there when the first item comes


def log(text, level="info"):
    """A line in hone's log. Levels: info, warn, error."""
    _channel().send({"log": _text(text), "level": level})


def metric(name, value):
    """A figure for the run's metrics; means are taken over an iteration."""
    _channel().send({"metric": {_text(name): _number(value)}})


class _Channel:
    """hone's ends of the pipes, hidden from the rest of the process: what it prints becomes log lines, what it reads
    is empty, and processes that it starts or forks hold neither pipe."""

    def __init__(self):
        number = os.environ.pop("HONE_REPLY_FD", None)
        if os.environ.pop("HONE_REPLY", None) == "stdout" or number is None:
            replies = os.dup(1)  # a dup() is closed in the programs that this process starts
            os.dup2(2, 1)
        else:
            replies = os.dup(int(number))
            os.close(int(number))
        requests = os.dup(0)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        if sys.stdout is not None:
            sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
        os.register_at_fork(after_in_child=lambda: [os.dup2(null, pipe, False) for pipe in (requests, replies)])
        self.requests = open(requests, "rb", buffering=1 << 20, closefd=False)
        self._replies = open(replies, "wb", closefd=False)
        self._lock = threading.Lock()

    def send(self, message):
        line = json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        with self._lock:
            self._replies.write(line)
            self._replies.flush()


_state = {}  # the channel and the event loop, once they are wanted


def _channel():
    if "channel" not in _state:
        _state["channel"] = _Channel()
    return _state["channel"]


if "HONE_REPLY_FD" in os.environ or "HONE_REPLY" in os.environ:
    _channel()  # before other modules load: what they print then is kept apart too


def _wait(value):
    """The value, or what the coroutine returns. All run on one event loop, so that connections stay open."""
    if not inspect.isawaitable(value):
        return value
    import asyncio
    if "loop" not in _state:
        _state["loop"] = asyncio.new_event_loop()
        asyncio.set_event_loop(_state["loop"])
    return _state["loop"].run_until_complete(value)


def _text(value):
    return str(value).encode("utf-8", "replace").decode()


def _is_number(value):
    return hasattr(value, "__float__") and getattr(value, "shape", ()) == ()


def _number(value):
    """A float, or "NaN" for what JSON cannot write. Takes bool, int, Decimal, scalars of numpy and torch."""
    if type(value) is not float:
        if not _is_number(value):
            raise TypeError("a score is a number, None or a dict, not %s: %.200r" % (type(value).__name__, value))
        value = float(value)
    return value if value - value == 0.0 else "NaN"


def _score(value):
    """What a function returned for one item, as hone reads it. Numbers in a dict under other names become parts."""
    if not isinstance(value, dict):
        return None if value is None else _number(value)
    if "error" in value:
        return {"error": _text(value["error"])}
    rest = dict(value)
    result = {key: rest.pop(key) for key in ("status", "reason", "spans") if key in rest}
    worth, note, parts = rest.pop("value", rest.pop("score", None)), rest.pop("note", None), rest.pop("parts", {})
    if worth is not None:
        result["value"] = _number(worth)
    elif "status" not in result:
        result["status"] = "abstain"
    if note:
        result["note"] = _text(note)
    parts = {**{name: part for name, part in rest.items() if _is_number(part)}, **parts}
    if parts:
        result["parts"] = {_text(name): _number(part) for name, part in parts.items()}
    return result


def _list(values, count):
    """What a function of many items returned, as a list of `count`; arrays and tensors too."""
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    if len(values) != count:
        raise ValueError("%d scores for %d items" % (len(values), count))
    return values


def _explain(error):
    """The last lines of a traceback, without this file's."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    lines = traceback.format_list(frames[-3:]) + traceback.format_exception_only(type(error), error)
    return _text("".join(lines).strip()[-2000:])


def _seed(item):
    """Makes what is drawn next a function of the item, not of the batch that it came in."""
    seed = item.get("seed", 0)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed((seed ^ seed >> 32) & 0xFFFFFFFF)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _prompt(item):
    """The prompt's text; of a chat, the contents of its messages."""
    return item.get("prompt") or "\n\n".join(message["content"] for message in item.get("messages", ()))


def _messages(item):
    return item.get("messages") or [{"role": "user", "content": item.get("prompt", "")}]


def _turns(item):
    return item.get("turns") or [{"completion": item["completion"], "completion_ids": item.get("completion_ids")}]


def _continuation(item):
    """All that follows the prompt, as one text."""
    return "".join(turn["completion"] + (turn.get("reply") or "") for turn in _turns(item))


def _chat(item):
    """All that follows the prompt, as messages."""
    pairs = [(("assistant", turn["completion"]), ("user", turn.get("reply"))) for turn in _turns(item)]
    return [{"role": role, "content": text} for pair in pairs for role, text in pair if text or role == "assistant"]


def _row(item):
    """The reference as the columns of a row of data."""
    reference = item.get("reference")
    return reference if isinstance(reference, dict) else {}


def _many(get):
    return lambda items: [get(item) for item in items]


def _references(items):
    references = [item.get("reference") for item in items]
    return references if any(one is not None for one in references) else None


def _rows(items):
    names = dict.fromkeys(name for item in items for name in _row(item))
    return {name: [_row(item).get(name) for item in items] for name in names}


_item_fields = {
    "prompt": _prompt, "messages": _messages, "turns": _turns, "item": lambda item: item, **{
        key: lambda item, key=key: item.get(key)
        for key in ("completion", "completion_ids", "reference", "seed", "finish", "prompt_id", "group", "sample")}}
_batch_fields = {plural: _many(_item_fields[name]) for plural, name in (
    ("prompts", "prompt"), ("messages", "messages"), ("completions", "completion"), ("references", "reference"),
    ("completion_ids", "completion_ids"), ("turns", "turns"), ("seeds", "seed"), ("groups", "group"),
    ("items", "item"))}
_judgeable = {"completion", "completions", "completion_ids", "turns", "item", "items"}


def _call_by_name(function, fields, row, reference=None, judged=None, everything=False):
    """A function of one item (or of the list of all) that calls `function` with what its parameters name: one of
    `fields`, else a column of the reference. A reference without columns goes to the one parameter that is left. A
    function that names nothing it could judge gets the field `judged` first; **kwargs gets the columns, and the
    fields too if `everything`."""
    try:
        wanted = list(inspect.signature(function).parameters.values())
    except ValueError:  # a built-in that does not tell
        return lambda item: function(fields[judged](item))
    open_ended = any(one.kind is one.VAR_KEYWORD for one in wanted)
    wanted = [one for one in wanted if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
    names = [one.name for one in wanted]
    if judged and not open_ended and not _judgeable.intersection(names):
        fields = {**fields, next((name for name in names if name not in fields), None): fields[judged]}
    if not open_ended and all(one.name in fields and one.kind is not one.KEYWORD_ONLY for one in wanted):
        getters = [fields[name] for name in names]
        return lambda item: function(*[get(item) for get in getters])

    def call(item):
        asked = fields if open_ended and everything else names
        given = {name: fields[name](item) for name in asked if name in fields}
        columns = row(item)
        given.update((key, columns[key]) for key in columns if key not in given and (open_ended or key in names))
        missing = [one.name for one in wanted if one.name not in given and one.default is one.empty]
        whole = reference(item) if len(missing) == 1 and reference and not columns else None
        if whole is not None:
            given[missing.pop()] = whole
        if missing:
            raise TypeError("nothing for the parameter %s; columns of the reference: %s"
                            % (" and ".join(missing), ", ".join(columns) or "none"))
        return function(*[given.pop(one.name) for one in wanted if one.kind is one.POSITIONAL_ONLY], **given)

    return call


class Plugin:
    """What serve() runs. `score`, `prompts` and `steps` turn the list of a request into as many results; `start` is
    told the run's seed. `scope` is what `score` must see at once: sample, group or batch."""

    def __init__(self, made_of, score=None, prompts=None, steps=None, size=None, start=None, scope="sample",
                 deterministic=True, name=None):
        self.name = name or getattr(made_of, "__name__", type(made_of).__name__)
        self.handlers = {"score": score, "prompts": prompts, "steps": steps}
        self.size, self.start, self.scope, self.deterministic = size, start, scope, deterministic

    def hello(self, kind):
        hello = {"protocol": PROTOCOL, "name": self.name, "kind": kind, "scope": self.scope}
        return {**hello, "deterministic": self.deterministic, **({"size": self.size} if self.size else {})}


def _is_async(function):
    function = getattr(function, "func", function)  # of functools.partial
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))


def _each(call, result=_score, is_async=False):
    """Calls a function of one item for each item: one that fails does not spoil its neighbours."""

    def one(item):
        try:
            _seed(item)
            return result(call(item))
        except (Exception, SystemExit) as error:
            return {"error": _explain(error)}

    async def wait_for(item):
        try:
            return result(await call(item))
        except (Exception, SystemExit) as error:
            return {"error": _explain(error)}

    async def all_at_once(items):
        import asyncio
        return await asyncio.gather(*map(wait_for, items))

    if not is_async:
        return lambda items: [one(item) for item in items]
    return lambda items: [_seed(items[0]), _wait(all_at_once(items))][1] if items else []


def _together(call):
    """Calls a function of all items of a request; the seed is that of the first."""


    def checked(value):
        try:
            return _score(value)
        except (TypeError, ValueError, OverflowError) as error:
            return {"status": "error", "reason": "protocol", "note": _text(error)}

    def score(items):
        _seed(items[0])
        return [checked(value) for value in _list(_wait(call(items)), len(items))]

    return lambda items: score(items) if items else []


def plain(function, **options):
    """function(prompt, completion, reference, …) -> number, None or dict. Coroutines of a request run all at once."""
    call = _call_by_name(function, _item_fields, _row, _item_fields["reference"], judged="completion")
    return Plugin(function, _each(call, is_async=_is_async(function)), **options)


def batch(function=None, **options):
    """function(prompts, completions, references, …) -> list; also a decorator: @batch or @batch(scope="group")."""
    if function is None:
        return lambda function: batch(function, **options)
    call = _call_by_name(function, _batch_fields, _rows, _references, judged="items")
    return Plugin(function, _together(call), **options)


def environment(prompt, size, step=None, **options):
    """prompt(split, index, seed) -> text, or a dict with "text" or "messages", "reference", "demonstration".
    step(prompt, completion, turns, reference, …) -> None or a reward: the end; a text, or (text, reward): a reply.
    size: how many prompts, (train, held out)."""
    fields = {key: lambda asked, key=key: asked[key] for key in ("split", "index", "seed")}
    make = _call_by_name(prompt, fields, _row)
    answer = _call_by_name(step or (lambda item: None), _item_fields, _row, _item_fields["reference"], "completion")

    def prompts(asked):  # one that fails fails the request: there is nothing to go on with
        made = [_seed(one) or make(one) for one in asked]
        return [one if isinstance(one, dict) else {"text": one} for one in made]

    return Plugin(prompt, None, prompts, _each(answer, _step), dict(zip(("train", "held_out"), size)), **options)


def _step(value):
    reply, reward = value if isinstance(value, tuple) else (value, None) if isinstance(value, str) else (None, value)
    result = {"done": True} if reply is None else {"reply": _text(reply)}
    return result if reward is None else {**result, "reward": _number(reward)}


def trl(function, conversational=False, **options):
    """A reward function of TRL's GRPO and RLOO, coroutines too. Prompts and completions are lists of messages where
    the prompt is a chat, or always if `conversational`; texts otherwise."""
    extra = {}
    fields = {
        "prompts": _many(lambda item: (_messages if conversational or item.get("messages") else _prompt)(item)),
        "completions": _many(lambda item: (_chat if conversational or item.get("messages") else _continuation)(item)),
        "completion_ids": _batch_fields["completion_ids"],
        "trainer_state": lambda items: None,
        "log_extra": lambda items: lambda column, values: extra.update({column: list(values)}),
        "log_metric": lambda items: metric,
    }
    call = _call_by_name(function, fields, _rows, _references, everything=True)

    def score(items):
        extra.clear()
        values = _list(_wait(call(items)), len(items))
        notes = ["\n".join("%s: %s" % (name, column[i]) for name, column in extra.items()) for i in range(len(items))]
        return [{"value": value, "note": note} if note else value for value, note in zip(values, notes)]

    return Plugin(function, _together(score), **options)


def verl(compute_score, data_source="", **options):
    """verl's compute_score for one item or, with a parameter `solution_strs`, for many; coroutines too. The reference
    is a row of verl's data (data_source, reward_model or ground_truth, extra_info) or the ground truth itself."""

    def truth(item):
        row = _row(item)
        return row.get("ground_truth", (row.get("reward_model") or {}).get("ground_truth", item.get("reference")))

    def extra_info(item):
        rewards = [turn["reward"] for turn in _turns(item) if turn.get("reward") is not None]
        return {**(_row(item).get("extra_info") or {}), "num_turns": 2 * len(_turns(item)),
                "rollout_reward_scores": {"turn_scores": rewards} if rewards else {}}

    def score(value):
        if isinstance(value, dict):
            parts = {key: part for key, part in value.items() if key != "score" and _is_number(part)}
            value = {"value": value["score"], "parts": parts}
        return value

    fields = {"data_source": lambda item: _row(item).get("data_source", data_source), "solution_str": _continuation,
              "ground_truth": truth, "extra_info": extra_info}
    if "solution_strs" in inspect.signature(compute_score).parameters:
        many = {name + "s": _many(get) for name, get in fields.items()}
        call = _call_by_name(compute_score, many, lambda items: {}, everything=True)
        return Plugin(compute_score, _together(lambda items: map(score, _wait(call(items)))), **options)
    call = _call_by_name(compute_score, fields, lambda item: {}, everything=True)
    return Plugin(compute_score, _each(call, lambda value: _score(score(value)), _is_async(compute_score)), **options)


def openrlhf(reward_func, **options):
    """OpenRLHF's reward_func(queries, prompts, labels) -> tensor, list, or a dict with "rewards", and "scores" and
    "extra_logs" if it likes. The label is the reference, or its column `label` or `labels`."""
    def score(items):
        prompts = [_prompt(item) for item in items]
        labels = [_row(item).get("label", _row(item).get("labels", item.get("reference"))) for item in items]
        result = reward_func([_prompt(item) + _continuation(item) for item in items], prompts, labels)
        if not isinstance(result, dict):
            return result
        parts = {}
        for name, values in {"scores": result.get("scores"), **(result.get("extra_logs") or {})}.items():
            values = values.tolist() if hasattr(values, "tolist") else values
            if isinstance(values, list) and len(values) == len(items):
                parts[name] = values
            elif _is_number(values):
                metric(name, values)
        rewards = _list(result["rewards"], len(items))
        return [{"value": reward, "parts": {name: column[i] for name, column in parts.items()}}
                for i, reward in enumerate(rewards)]

    return Plugin(reward_func, _together(score), **options)


def reasoning_gym(task, train=10000, held_out=500, chat=False, **settings):
    """A task of reasoning-gym as environment and as reward. Its settings are those of the task, here or in `config:`.
    An answer in <answer> tags is taken out of them."""
    import reasoning_gym as gym
    made, origin = {}, {"task": task, "size": train + held_out}

    def data(task, size, seed, settings):
        key = json.dumps([task, size, seed, settings], sort_keys=True)
        if key not in made:
            made[key] = gym.create_dataset(task, size=size, seed=seed, **settings)
        return made[key]

    def start(seed):
        origin.update(seed=seed % 2**32, settings={**settings, **{key: _value(text) for key, text in config.items()}})
        data(**origin)

    def prompt(split, index):
        index += train if split == "held_out" else 0
        entry = data(**origin)[index]
        text = entry["question"]
        asked = {"messages": [{"role": "user", "content": text}]} if chat else {"text": text}
        reference = {"answer": entry["answer"], "index": index, "reasoning_gym": dict(origin)}
        return {**asked, "reference": reference, "demonstration": entry["answer"]}

    def score(item):
        row = _row(item)
        source = data(**row.get("reasoning_gym", origin))
        entry = source[row["index"]] if "reasoning_gym" in row else {"question": _prompt(item), "metadata": {}, **row}
        answers = re.findall(r"<answer>(.*?)</answer>", item["completion"], re.DOTALL) or [item["completion"]]
        return source.score_answer(answers[-1].strip(), entry)

    plugin = environment(prompt, (train, held_out), step=score, start=start, name=task)
    plugin.handlers["score"] = _each(score)
    return plugin


def verifiers(rubric, **options):
    """A v0 rubric of verifiers, an environment that has one, or a function that makes either (load_environment). What
    a function of the rubric raises is an error here, not the 0 that the rubric makes of it."""
    import itertools
    import logging
    rubric = rubric() if inspect.isfunction(rubric) else rubric
    rubric = getattr(rubric, "rubric", rubric)

    class Raise(logging.Handler):
        def emit(self, record):
            if sys.exc_info()[1]:
                raise sys.exc_info()[1]

    logging.getLogger("verifiers").addHandler(Raise(logging.ERROR))

    def state(item):
        row = {"answer": item.get("reference"), "info": {}, "task": "default", **_row(item)}
        steps = [{"completion": [{"role": "assistant", "content": turn["completion"]}], "reward": turn.get("reward"),
                  "advantage": None, "extras": {}} for turn in _turns(item)]
        return {**row, "input": row, "prompt": _messages(item), "completion": _chat(item), "trajectory": steps}

    async def score(item):
        scored = state(item)
        await rubric.score_rollout(scored)
        return scored

    async def score_groups(items):
        states = [state(item) for item in items]
        for _, group in itertools.groupby(zip(items, states), lambda pair: pair[0].get("group")):
            await rubric.score_group([scored for _, scored in group])
        return map(result, states)

    def result(scored):
        return {"value": scored["reward"], "parts": scored["metrics"]}

    if any(rubric._is_group_func(function) for function in rubric._get_reward_funcs()):
        return Plugin(rubric, _together(score_groups), **{"scope": "group", **options})
    return Plugin(rubric, _each(score, lambda scored: _score(result(scored)), is_async=True), **options)


def _reply(plugin, request):
    try:
        key = next(key for key in plugin.handlers if key in request)
        return {"id": request["id"], "scores" if key == "score" else key: plugin.handlers[key](request[key])}
    except (Exception, SystemExit) as error:
        return {"id": request["id"], "error": _explain(error)}


def _hello(load, asked):
    """The plug-in, ready, and the reply to hone's hello."""
    try:
        config.update(asked.get("config") or {})
        plugin = load()
        kind = asked.get("kind", "reward")
        if not plugin.handlers["score" if kind == "reward" else "prompts"]:
            raise TypeError("%s is no %s" % (plugin.name, kind))
        if plugin.start:
            plugin.start(asked.get("seed", 0))
        return plugin, {"hello": plugin.hello(kind)}
    except (Exception, SystemExit) as error:
        return None, {"error": _explain(error)}


def _serve(load):
    channel = _channel()
    try:
        line = channel.requests.readline()
        plugin, reply = _hello(load, json.loads(line)["hello"]) if line else (None, None)
        while reply:
            channel.send(reply)
            line = channel.requests.readline() if plugin else b""
            reply = _reply(plugin, json.loads(line)) if line else None
    except BrokenPipeError:  # hone has gone, and who reads what is printed with it
        os.dup2(0, 1)
        os.dup2(0, 2)


def serve(what):
    """Answers hone until it closes the pipe. Takes a function, or what batch(), environment(), trl() … return."""
    _serve(lambda: what if isinstance(what, Plugin) else plain(what))


def _value(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def _load(target):
    """What FILE.py:NAME or MODULE:NAME means; NAME(key=value, …) is called first."""
    place, _, name = target.partition(":")
    sys.path[:0] = [os.path.dirname(os.path.abspath(place)), os.getcwd()]
    if place.endswith(".py"):
        spec = importlib.util.spec_from_file_location(os.path.basename(place)[:-3], place)
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    call = ast.parse(name, mode="eval").body
    if not isinstance(call, ast.Call):
        return getattr(module, name)
    arguments = {one.arg: ast.literal_eval(one.value) for one in call.keywords}
    return getattr(module, call.func.id)(*map(ast.literal_eval, call.args), **arguments)


def main(arguments):
    hosts = (plain, batch, trl, verl, openrlhf, verifiers, reasoning_gym)
    hosts = {"--" + host.__name__.replace("_", "-"): host for host in hosts}
    if len(arguments) < 2 or arguments[0] not in hosts:
        sys.exit("python3 hone_plugin.py %s FILE.py:NAME|MODULE:NAME [KEY=VALUE …]" % "|".join(hosts))
    host, target = hosts[arguments[0]], arguments[1]
    options = {key: _value(text) for key, _, text in (one.partition("=") for one in arguments[2:])}
    _serve(lambda: host(target if host is reasoning_gym else _load(target), **options))


if __name__ == "__main__":
    sys.modules["hone_plugin"] = sys.modules["__main__"]  # for files that import it
    main(sys.argv[1:])
