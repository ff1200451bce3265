"""Writes the table between two marks of docs/benchmarks.md."""
import os
import statistics
import sys

import floors
import inputs
import rows

BEGIN, END = "<!-- written by tools/bench/all -->", "<!-- end of what tools/bench/all writes -->"


def number(value, unit):
    if unit == "values/s":
        return f"{value / 1e6:,.0f} million values/s"
    digits = {"s": 2, "times": 1}.get(unit, 0)
    return f"{value:,.{digits}f}"


def with_unit(text, unit):
    return text if unit in ("times", "values/s") else f"{text} {unit}"


def spread(values, unit):
    middle, low, high = (number(x, unit) for x in (statistics.median(values), min(values), max(values)))
    if unit == "values/s":
        low, high = low.split()[0], high.split()[0]
    return f"{with_unit(middle, unit)} ({low} … {high}, {len(values)})"


class Page:
    def __init__(self, arguments, store):
        self.arguments, self.store = arguments, store
        self.models = {}

    def peaks(self, group=None):
        """The best calibration of a row, for what is near can only slow one down; or of all rows."""
        found = [peak for peak in self.store.peaks if group in (None, peak["row"])]
        names = {name for peak in found for name in peak} - {"row", "build", "memory"}
        return {name: max(peak[name] for peak in found if name in peak) for name in names}

    def model(self, name):
        """The arithmetic of a model, with the lengths of the texts that hone measured."""
        if name not in self.models:
            config = inputs.read_json(os.path.join(self.arguments.models, name, "config.json"))
            folder = os.path.join(self.store.folder, "inputs", name)
            prompt, lengths = (inputs.read_json(os.path.join(folder, file)) if os.path.exists(os.path.join(folder, file))
                               else otherwise for file, otherwise in (("grpo_prompt_tokens.json", 0),
                                                                      ("shared_lengths.json", [])))
            self.models[name] = floors.Model(config, prompt, lengths)
        return self.models[name]

    def machine(self, group, setting):
        dtype = "float32" if "float32" in setting else "bfloat16"
        peaks = self.peaks(group) or self.peaks()
        known = [peaks.get(f"{dtype} {loop}", 0) for loop in ("peak", "GEMM")]  # the machine's speed drifts
        return floors.Machine(1e9 * (max(known) or peaks["float32 peak"]), 1e9 * peaks["memory bandwidth"],
                              4 if dtype == "float32" else 2, 0.5 if setting == "int8" else 1.0)

    def values(self, line, side, setting):
        """Figures of the runs that count: of hone's last build, undisturbed ones if there are any."""
        runs = [run for run in self.store.of(line.group, side, setting) if line.figure in run.get("figures", {})]
        if runs and side == "hone":
            runs = [run for run in runs if run["build"] == runs[-1]["build"]]
        calm = [run for run in runs if run["others"] <= self.arguments.quiet]
        return [run["figures"][line.figure] for run in calm or runs]

    def best(self, line, side, settings):
        """(setting, its figures) with the best median; None when nothing was measured."""
        found = [(setting, self.values(line, side, setting)) for setting in settings]
        found = [(setting, values) for setting, values in found if values]
        return max(found, key=lambda each: rows.better(line, statistics.median(each[1]), 1), default=None)

    def absent(self, line, side, settings):
        """Why there is no figure."""
        runs = [run for setting in settings for run in self.store.of(line.group, side, setting) if "failed" in run]
        return f"failed: {runs[-1]['failed'].partition(', see ')[0]}" if runs else "not measured"

    def limit(self, line, setting, value):
        """The cell's text, and the share of the limit that was reached."""
        if line.floor is None:
            return "", None
        floor = line.floor(self.model(rows.GROUPS[line.group].model), self.machine(line.group, setting))
        share = rows.better(line, value, floor)
        return f"{with_unit(number(floor, line.unit), line.unit)}: {share:.0%}", share

    def row(self, line):
        ours = self.best(line, "hone", line.hone)
        theirs = self.best(line, line.side, line.peers) if line.side else None
        if ours is None or (line.side and theirs is None):
            cells = [f"{spread(found[1], line.unit)} {found[0]}" if found else self.absent(line, side, settings)
                     for found, side, settings in ((ours, "hone", line.hone), (theirs, line.side, line.peers))]
            return [line.number, line.work, *cells, *[""] * 4]
        value = statistics.median(ours[1])
        ratio = rows.better(line, value, statistics.median(theirs[1])) if theirs else None
        limit, share = self.limit(line, ours[0], value)
        short = []
        if line.wanted and ratio < line.wanted:
            short.append("ratio")
        if line.share and share < line.share:
            short.append("limit")
        wanted = f"{line.wanted}×" if line.wanted else ""
        if line.share == 1:
            wanted = "within the limit"
        elif line.share:
            wanted += f"{', ' if wanted else ''}{line.share:.0%} of the limit"
        return [line.number, line.work, f"{spread(ours[1], line.unit)} {ours[0]}",
                f"{spread(theirs[1], line.unit)} {line.side} {theirs[0]}" if theirs else "",
                f"**{ratio:.2f}×**" if theirs else "", wanted, limit,
                ("no: " + " and ".join(short) if short else "yes") if wanted else ""]

    def table(self):
        text = ["| # | work | hone | peer, its best setting | ratio | wanted | limit: reached | met |",
                "|---|---|---|---|---|---|---|---|"]
        text += ["| " + " | ".join(map(str, self.row(line))) + " |" for line in rows.lines()]
        return text

    def head(self):
        versions = (self.store.read("versions.jsonl") or [{}])[-1]
        cpu = versions.pop("CPU", "unknown CPU")
        days = sorted({run["start"][:10] for run in self.store.runs})
        best = self.peaks()
        peaks = ", ".join(f"{name} {best[name]:,.0f}" for name in
                          ("float32 peak", "bfloat16 peak", "float32 GEMM", "bfloat16 GEMM") if name in best)
        return [f"{cpu}, {os.cpu_count()} cores, 2 threads a side, {' to '.join(dict.fromkeys((days[0], days[-1])))}; "
                + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
                f"The best calibration of all rows (`hone doctor`): GFLOP/s {peaks}; memory "
                f"{best['memory bandwidth']:,.1f} GB/s.", "",
                "Medians of interleaved runs; in brackets the lowest, the highest and their number. A ratio above 1 means that",
                "hone is better. A limit is operations over the register-only peak of hone's dtype, or bytes over the bandwidth,",
                "by the best calibration between the row's own runs (`tools/bench/floors.py`); products in int8 count half of",
                "those in bfloat16.", "",
                "    tools/bench/all --models MODELS --scripts SCRIPTS --peers VENV --trl-ppo trl112 --llama PYTHON "
                f"--runs {self.arguments.runs} OUT", ""]

    def write(self):
        if not self.store.runs or not self.store.peaks:
            sys.exit(f"{self.store.folder}: there are no runs yet")
        with open(self.arguments.page) as file:
            text = file.read()
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not (begin and end):
            sys.exit(f"{self.arguments.page}: expected a line '{BEGIN}' and after it a line '{END}'")
        section = "\n".join([*self.head(), *self.table()])
        unfinished = self.arguments.page + ".new"
        with open(unfinished, "w") as file:
            file.write(f"{before}{BEGIN}\n{section}\n{END}{after}")
        os.rename(unfinished, self.arguments.page)
