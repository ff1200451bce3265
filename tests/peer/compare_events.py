#!/usr/bin/env python3
"""Whether TensorBoard's own reader finds in a run directory's events what metrics.jsonl and samples.jsonl hold.

usage: compare_events.py [--episodes] RUN_DIRECTORY [STAGE=STEPS]...

Every row's values must be there as scalars of its stage, step by step, and nothing else; the first samples of each step
as texts whose HTML shows them literally; histograms must add up. --episodes demands that there are texts and histograms,
STAGE=STEPS that a stage has the steps 1 to STEPS. Numbers are compared as float32, which is what TensorBoard keeps.
"""
import collections
import html
import json
import logging
import os
import re
import sys

import numpy
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.plugins.text import text_plugin
from tensorboard.util import tensor_util

MOST_SAMPLES = 8  # texts of one step and split
Events = collections.namedtuple("Events", "scalars histograms texts")  # tag: {step: array}


def rows_of(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def read_events(directory, problems):
    """Stage: Events."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={
        "scalars": 0, "histograms": 0, "text": 0})
    multiplexer.AddRunsFromDirectory(directory)
    multiplexer.Reload()
    stages = {}
    for stage in multiplexer.Runs():
        events = stages[stage] = Events({}, {}, {})
        of_plugin = {"scalars": events.scalars, "histograms": events.histograms, "text": events.texts}
        for tag in multiplexer.Runs()[stage]["tensors"]:
            plugin = multiplexer.SummaryMetadata(stage, tag).plugin_data.plugin_name
            found = of_plugin[plugin].setdefault(tag, {})
            for event in multiplexer.Tensors(stage, tag):
                if event.step in found:
                    problems.append(f"{stage}: {tag} is there twice at step {event.step}")
                found[event.step] = tensor_util.make_ndarray(event.tensor_proto)
    return stages


def compare_scalars(rows, stages, problems):
    expected = {stage: {} for stage in stages}
    for row in rows:
        tags = expected.setdefault(row["stage"], {})
        for name, value in row.items():
            if name not in ("stage", "step", "seconds"):
                tags.setdefault(name, {})[row["step"]] = value
    for stage, tags in expected.items():
        found = stages[stage].scalars if stage in stages else {}
        if tags.keys() != found.keys():
            problems.append(f"{stage}: scalars that differ: {sorted(tags.keys() ^ found.keys())}")
        for tag in tags.keys() & found.keys():
            if list(tags[tag]) != list(found[tag]):
                problems.append(f"{stage}: {tag}: steps {list(tags[tag])} expected, {list(found[tag])} found")
                continue
            for step, value in tags[tag].items():
                got = found[tag][step]
                if numpy.isfinite(got) if value is None else got != numpy.float32(value):
                    problems.append(f"{stage}: {tag} at step {step}: {value} expected, {got} found")
    return sum(len(steps) for tags in expected.values() for steps in tags.values())


def shown(text):
    """Control characters as \\x1b, tabs as spaces; a first line end is lost in HTML."""
    text = text.replace("\t", "    ").removeprefix("\n")
    return "".join(c if c == "\n" or not (c < " " or "\x7f" <= c < "\xa0") else f"\\x{ord(c):02x}" for c in text)


def compare_texts(samples, stages, problems):
    compared = 0
    counts = collections.Counter()
    for row in samples:
        key = row["stage"], row["step"], row["split"]
        counts[key] += 1
        if counts[key] > MOST_SAMPLES:
            continue
        tag = f"samples/{row['split']}/{counts[key]}"
        where = f"{row['stage']}: {tag} at step {row['step']}"
        markdown = stages[row["stage"]].texts.get(tag, {}).get(row["step"])
        if markdown is None:
            problems.append(f"{where}: missing")
            continue
        page = text_plugin.text_array_to_html(markdown, True)
        texts = [html.unescape(text) for text in re.findall("<pre>(.*?)</pre>", page, re.S)]
        around = set(re.findall("<[^>]*>", re.sub("<pre>.*?</pre>", "", page, flags=re.S)))
        if texts[:2] != [shown(row["prompt"]), shown(row["completion"])] or len(texts) != 3:
            problems.append(f"{where}: {row['prompt']!r}, {row['completion']!r} expected, {texts} found")
        if not around <= {"<p>", "</p>", "<strong>", "</strong>"}:
            problems.append(f"{where}: unexpected markup {around}")
        compared += 1
    texts = sum(len(steps) for events in stages.values() for steps in events.texts.values())
    if texts != compared:
        problems.append(f"{texts} texts found, {compared} expected")
    return compared


def check_histograms(stages, problems):
    """[left edge, right edge, count] each: edges go up, whole counts."""
    checked = 0
    for stage, events in stages.items():
        for tag, steps in events.histograms.items():
            for step, buckets in steps.items():
                left, right, count = buckets.T
                if not (len(buckets) and (left <= right).all() and (left[1:] == right[:-1]).all() and count.sum() >= 1
                        and (count == count.round()).all()):
                    problems.append(f"{stage}: {tag} at step {step}: {buckets}")
                checked += 1
    return checked


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--episodes"]
    run, steps = arguments[0], dict(argument.split("=") for argument in arguments[1:])
    logging.disable(logging.WARNING)  # each purge is one
    problems = []
    stages = read_events(os.path.join(run, "tensorboard"), problems)
    rows, samples = rows_of(os.path.join(run, "metrics.jsonl")), rows_of(os.path.join(run, "samples.jsonl"))
    for stage, last in steps.items():
        found = sorted({step for tag in stages[stage].scalars.values() for step in tag}) if stage in stages else None
        if found is None or set(found) - {0} != set(range(1, int(last) + 1)):
            problems.append(f"{stage}: steps 1 to {last} expected, {found} found")
    scalars, texts = compare_scalars(rows, stages, problems), compare_texts(samples, stages, problems)
    histograms = check_histograms(stages, problems)
    if "--episodes" in sys.argv and not (texts and histograms):
        problems.append("texts and histograms expected")
    print(f"{run}: {', '.join(sorted(stages))}: {scalars} scalars, {texts} texts, {histograms} histograms,",
          f"{len(problems)} problems")
    for problem in problems[:50]:
        print(f"  {problem}")
    return 1 if problems or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
