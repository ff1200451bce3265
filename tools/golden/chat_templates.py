#!/usr/bin/env python3
"""Writes tests/golden/chat_templates.json: what transformers renders from chat_formats.py for generated conversations.

usage: tools/golden/chat_templates.py        (needs transformers 5 and Jinja2 3.1.6)
"""
import copy
import datetime
import json
import pathlib
import random

import transformers.utils.chat_template_utils as chat_template_utils
from chat_formats import FORMATS

FILE = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "chat_templates.json"
WORDS = ["hello", "Grüße", "世界", "🎉", "it's", '"quoted"', "a\\b", "<|im_end|>", "</s>", "[INST]", "tab\there", "{{ x }}",
         "{% y %}", "1.5", "null", "line\nbreak", "  spaced  ", "\u200b", "é", "&<>", "<think>\nhm\n</think>\n\nok"]


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26, 13, 5, 9)


def fnv(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def words(r):
    return " ".join(r.choice(WORDS) for _ in range(r.randrange(0, 7)))


def tool(r, name):
    types = [{"type": "string", "description": words(r)}, {"type": "integer"}, {"type": "array", "items": {"type": "number"}},
             {"type": ["string", "null"]}, {"type": "object"}]
    return {"type": "function", "function": {"name": name, "description": words(r), "parameters": {
        "type": "object", "properties": {f"p{i}": r.choice(types) for i in range(r.randrange(0, 4))}, "required": []}}}


def conversation(r):
    messages = []
    if r.random() < 0.5:
        messages.append({"role": "system", "content": words(r)})
    for _ in range(r.randrange(1, 4)):
        if r.random() < 0.15:
            messages.append({"role": "user", "content": [{"type": "text", "text": words(r)}, {"type": "image"}]})
        else:
            messages.append({"role": "user", "content": words(r)})
        if r.random() < 0.3:
            arguments = {"p0": words(r), "p1": r.choice([1, 2.5, None, True, [1, "x"], {"k": {"z": []}}])}
            calls = [{"id": "abcdefgh" + str(i), "type": "function", "function": {"name": f"f{i}", "arguments": arguments}}
                     for i in range(r.choice([1, 1, 2]))]
            messages.append({"role": "assistant", "content": r.choice([None, "", words(r)]), "tool_calls": calls})
            for call in calls:
                messages.append({"role": "tool", "content": r.choice([words(r), "42"]), "tool_call_id": call["id"]})
        message = {"role": "assistant", "content": words(r)}
        if r.random() < 0.2:
            message["reasoning_content"] = words(r)
        if r.random() < 0.8:
            messages.append(message)
    case = {"messages": messages, "add_generation_prompt": r.random() < 0.5}
    if r.random() < 0.5:
        case["tools"] = [tool(r, f"f{i}") for i in range(r.randrange(1, 3))]
    if r.random() < 0.3:
        case["documents"] = [{"title": words(r), "text": words(r)} for _ in range(2)]
    if r.random() < 0.3:
        case["extra"] = {"enable_thinking": r.random() < 0.5}
    return case


def render(source, case, **more):
    try:
        return chat_template_utils.render_jinja_template(
            [copy.deepcopy(case["messages"])], tools=case.get("tools"), documents=case.get("documents"),
            chat_template=source, add_generation_prompt=case["add_generation_prompt"], bos_token="<s>", eos_token="</s>",
            **more, **case.get("extra", {}))
    except Exception:
        return None


def main():
    chat_template_utils.datetime = FixedTime
    r = random.Random(20240726)
    conversations = [conversation(r) for _ in range(40)]
    templates = []
    for name, source in FORMATS.items():
        hashes, first, continued = [], None, []
        for case in conversations:
            result = render(source, case)
            hashes.append(None if result is None else fnv(result[0][0]))
            if result is not None and first is None and len(case["messages"]) > 3:
                first = result[0][0]
            plain = dict(case, add_generation_prompt=False)
            again = render(source, plain, continue_final_message=True)
            continued.append(None if again is None else fnv(again[0][0]))
        entry = {"name": name, "source": source, "hashes": hashes, "continued": continued, "example": first}
        if "{% generation %}" in source:
            entry["generation"] = []
            for case in conversations:
                result = render(source, case, return_assistant_tokens_mask=True)
                entry["generation"].append(None if result is None else [
                    [len(result[0][0][:at].encode()) for at in span] for span in result[1][0]])
        templates.append(entry)
    FILE.write_text(json.dumps({"conversations": conversations, "templates": templates}, ensure_ascii=False) + "\n")
    rendered = sum(h is not None for t in templates for h in t["hashes"])
    print(f"{len(templates)} templates, {rendered} renderings, "
          f"{sum(len(t['hashes']) for t in templates) - rendered} refusals, {FILE.stat().st_size} bytes")


main()
