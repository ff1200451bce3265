#!/usr/bin/env python3
"""Writes tests/golden/jinja_snippets.json: small templates of every feature with Jinja2's output, or null where it raises.

usage: tools/golden/jinja_snippets.py        (needs transformers 5 and Jinja2 3.1.6)

Half of them are written by hand, one a line (neighbouring lines also make longer ones), half come from a grammar with a
fixed seed. Left out is what shows an address in memory and what depends on how Jinja2 folds constants.
"""
import copy
import datetime
import json
import pathlib
import random
import re
import warnings

import transformers.utils.chat_template_utils as chat_template_utils
from jinja_handwritten import CTX, HAND

FILE = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "jinja_snippets.json"
GENERATORS = ["batch", "items", "map", "reject", "rejectattr", "select", "selectattr", "slice", "unique", "reverse"]
# What docs/chat_templates.md lists as different.
FOLDED_SLICE = re.compile(r"(?:[\d})]|none|true|false)\[-?\d*:")
LEFT_OUT = ["100000000000000000000", "BULLET", "autoescape", "{% block", "self", "pprint", "wordcount", "lipsum"]

ATOMS = ["s","e","u","w","n","i","z","neg","f","b","nb","l","le","ls","mix","d","de","html","users","lines","digits","nest","messages","items","missing","1","0","2","-1","3.5","'a'","'lo'","''","\"x y\"","true","false","none","[]","{}","[1, 2]","('a', 'b')","{'a': 1}","range(3)","users[0]","messages[1]","d.a","ls[0]","nest.x"]
BIN = ["+","-","*","/","//","%","**","~","==","!=","<",">","<=",">=","in","not in","and","or"]
FILT = ["abs","capitalize","count","d('q')","default('q', true)","dictsort","e","first","float","indent","indent(2, true)","int","items","join","join(', ')","last","length","list","lower","map('string')","map(attribute='name')","map('upper')","max","min","reject","reject('none')","rejectattr('age')","replace('a', 'b')","replace('l', '', 1)","reverse","round","round(1)","safe","select","select('string')","selectattr('age', 'gt', 26)","sort","sort(reverse=true)","string","sum","title","tojson","tojson(indent=2)","trim","trim('x')","unique","upper","batch(2)","slice(2)","truncate(5)","striptags","groupby('age')","map('length')","select('number')","attr('x')","center(9)","tojson(separators=(',', ':'), sort_keys=true)","map('tojson')","join('|', attribute='name')","sort(attribute='age')","map(attribute='age')","list|length","list|first"]
TEST = ["defined","undefined","none","string","number","integer","float","boolean","true","false","mapping","sequence","iterable","callable","odd","even","divisibleby 2","divisibleby(3)","eq 1","ne 'a'","gt 1","lt 2","ge 1","le 1","in [1, 'a']","in 'abc'","sameas none","lower","upper","equalto 'a'","escaped"]
METH = ["strip()","lstrip('H ')","rstrip()","split()","split('l')","split(' ', 1)","rsplit('o', 1)","upper()","lower()","title()","capitalize()","startswith('H')","endswith('d')","replace('l', 'L')","splitlines()","find('o')","count('l')","index('a')","items()","keys()","values()","get('a')","get('zz', 1)","join(ls)","join(['a'])","format(1, 2)","isdigit()","isalpha()","swapcase()","partition('o')","zfill(5)","append(1)","copy()","pop()","isupper()","removeprefix('He')","count(1)","index(1)"]
SUB = ["[0]","[-1]","['a']","['name']","[1:]","[:-1]","[::-1]","[::2]",".a",".name",".role",".content",".x","[5]","[i]","[n]","[1:3]","[-3:]",".0"]
def expr(r, depth):
    if depth <= 0: return r.choice(ATOMS)
    k = r.random()
    if k < .16: return f"{expr(r, depth-1)} {r.choice(BIN)} {expr(r, depth-1)}"
    if k < .22: return f"({expr(r, depth-1)} {r.choice(BIN)} {expr(r, depth-1)})"
    if k < .42: return f"{expr(r, depth-1)}|{r.choice(FILT)}"
    if k < .50: return f"({expr(r, depth-1)})|{r.choice(FILT)}"
    if k < .58: return f"{expr(r, depth-1)} is {r.choice(['', 'not '])}{r.choice(TEST)}"
    if k < .70: return f"{r.choice(ATOMS)}.{r.choice(METH)}"
    if k < .82: return f"{r.choice(ATOMS)}{r.choice(SUB)}"
    if k < .86: return f"({expr(r, depth-1)}){r.choice(SUB)}"
    if k < .90: return f"{expr(r, depth-1)} if {expr(r, depth-1)} else {expr(r, depth-1)}"
    if k < .93: return f"not {expr(r, depth-1)}"
    if k < .96: return f"[{expr(r, depth-1)}, {expr(r, depth-1)}]"
    if k < .98: return f"{{'k': {expr(r, depth-1)}, {r.choice(ATOMS)}: {expr(r, depth-1)}}}"
    return f"(-{expr(r, depth-1)})"
WS = ["", "", "", "\n", "  ", "\n  ", " \n"]
def tag(r, inner): return "{%" + r.choice(["", "", "-", "+"]) + " " + inner + " " + r.choice(["", "", "-", "+"]) + "%}"
def var(r, inner): return "{{" + r.choice(["", "", "-"]) + " " + inner + " " + r.choice(["", "", "-"]) + "}}"
def stmt(r, depth, loop=False, names=("x", "y")):
    k = r.random(); ws = lambda: r.choice(WS)
    if depth <= 0 or k < .3: return ws() + r.choice(["t", "text\n", " ", ""]) + (var(r, sexpr(r, loop)) if r.random() < .8 else "")
    if k < .45:
        s = tag(r, "if " + sexpr(r, loop)) + body(r, depth-1, loop)
        if r.random() < .3: s += tag(r, "elif " + sexpr(r, loop)) + body(r, depth-1, loop)
        if r.random() < .5: s += tag(r, "else") + body(r, depth-1, loop)
        return ws() + s + tag(r, "endif")
    if k < .65:
        src = r.choice(["l","ls","users","messages","range(4)","d.items()","le","missing","u[:3]","d","items", "l if x", "l if x != 1", "mix"])
        tgt = r.choice(["x","x","y"]) if "items" not in src else r.choice(["x, y","x"])
        s = tag(r, f"for {tgt} in {src}") + body(r, depth-1, True)
        if r.random() < .2: s += tag(r, "if " + sexpr(r, True)) + tag(r, r.choice(["break", "continue"])) + tag(r, "endif") + body(r, depth-1, True)
        if r.random() < .25: s += tag(r, "else") + body(r, depth-1, loop)
        return ws() + s + tag(r, "endfor")
    if k < .75: return ws() + tag(r, f"set {r.choice(names)} = {sexpr(r, loop)}")
    if k < .80: return tag(r, f"set {r.choice(names)}{r.choice(['', ' | upper', '|trim'])}") + body(r, depth-1, loop) + tag(r, "endset")
    if k < .86: return tag(r, f"macro m(x, y={expr(r,1)})") + body(r, depth-1) + tag(r, "endmacro") + var(r, f"m({sexpr(r, loop)})")
    if k < .89: return tag(r, "filter upper") + body(r, depth-1, loop) + tag(r, "endfilter")
    if k < .92: return tag(r, f"with x = {sexpr(r, loop)}") + body(r, depth-1, loop) + tag(r, "endwith")
    if k < .95: return "{#" + r.choice(["", "-"]) + " c " + r.choice(["", "-", "+"]) + "#}"
    if k < .97: return tag(r, "generation") + body(r, depth-1, loop) + tag(r, "endgeneration")
    return "{% set ns = namespace(c=0) %}" + tag(r, "for x in l") + "{% set ns.c = ns.c + 1 %}" + body(r, depth-1, True) + tag(r, "endfor") + var(r, "ns.c")
def sexpr(r, loop):
    k = r.random()
    if loop and k < .4: return r.choice(["x","y","loop.index","loop.last","x.role","loop.first","x ~ y","x.name","loop.nextitem","loop.index0 % 2 == 0","loop.length", "x == 1", "x|string|upper", "loop.previtem is defined"])
    if k < .5: return r.choice(["x", "y", "x|default('u')", "y is defined", "x|string"])
    return expr(r, r.choice([0,1,1,2]))
def body(r, depth, loop=False): return "".join(stmt(r, depth, loop) for _ in range(r.choice([1,1,2,3])))


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26, 13, 5, 9)


class Nameless:
    """A generator that cannot be printed."""

    def __init__(self, items):
        self.items = iter(items)

    def __iter__(self):
        return self.items

    def __next__(self):
        return next(self.items)

    def __str__(self):
        raise TypeError("would show an address")

    __repr__ = __str__


def nameless(function):
    def wrapped(*args, **kwargs):
        result = function(*args, **kwargs)
        return result if isinstance(result, (str, list)) else Nameless(result)
    for mark in ("jinja_pass_arg",):
        if hasattr(function, mark):
            setattr(wrapped, mark, getattr(function, mark))
    return wrapped


def outcome(source, strict):
    try:
        template = chat_template_utils._cached_compile_jinja_template("")
        environment = template.environment
        if strict:
            environment.optimized = False
            for name in GENERATORS:
                environment.filters[name] = nameless(environment.filters[name])
        return environment.from_string(source).render(**copy.deepcopy(CTX))
    except Exception:
        return None


def fnv(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def snippets():
    r = random.Random(4)
    lines = HAND.strip("\n").split("\n")
    yield from lines
    start = lines.index("a {# comment #} b{#- c -#} d {#") - 4
    for size in range(2, 9):
        yield from ("\n".join(lines[i:i + size]) for i in range(start, start + 30))
    yield from ("\n".join(lines[i:i + 2]) for i in range(0, len(lines) - 2, 3))
    yield from ("{{ " + expr(r, r.choice([1, 2, 2, 3])) + " }}" for _ in range(1500))
    yield from (body(r, 3) for _ in range(700))


def main():
    warnings.simplefilter("ignore")
    chat_template_utils.datetime = FixedTime
    cases, raising = {}, 0
    for source in snippets():
        if source in cases or any(word in source for word in LEFT_OUT) or FOLDED_SLICE.search(source):
            continue
        if len(source) > 500:
            continue
        result = outcome(source, False)
        if result != outcome(source, True) or "0x7" in (result or ""):
            continue
        if result is None:
            raising += 1
            if raising > 500:  # most random snippets raise: enough of them
                continue
        # a long output as its hash
        cases[source] = result if result is None or len(result) <= 40 else {"fnv": fnv(result)}
    rows = ",\n".join(json.dumps([source, result], ensure_ascii=False) for source, result in cases.items())
    FILE.write_text('{"variables": ' + json.dumps(CTX, ensure_ascii=False) + ',\n"cases": [\n' + rows + "]}\n")
    raised = sum(result is None for result in cases.values())
    print(f"{len(cases)} snippets, {raised} of them raise, {FILE.stat().st_size} bytes")


main()
