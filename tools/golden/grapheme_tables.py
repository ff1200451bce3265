#!/usr/bin/env python3
"""Writes src/text/grapheme_ranges.cpp: the classes that decide where grapheme clusters end, for the Unicode version that
the PyPI package `tokenizers` uses.

The properties come from the tables of the package `wcwidth`, which may be newer; marks that `tokenizers` does not know
yet are found by asking it, and left out.

usage: tools/golden/grapheme_tables.py     (needs `pip install tokenizers wcwidth`)
"""
import pathlib
import struct

import wcwidth.table_grapheme as tables
from tokenizers import normalizers

OUT = pathlib.Path(__file__).resolve().parents[2] / "src" / "text" / "grapheme_ranges.cpp"


def charsmap(key, value):
    """A precompiled map with one key, a byte."""
    units = [0] * 768
    units[0] = 256 << 10
    leaf = 256 ^ key
    units[leaf] = key | 1 << 8 | (leaf ^ 512) << 10
    units[512] = 1 << 31
    blob = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(blob)) + blob + value.encode() + b"\0"


def points(*names):
    return {point for name in names for first, last in getattr(tables, name) for point in range(first, last + 1)}


def classes():
    probe = normalizers.Precompiled(charsmap(ord("a"), "Q"))
    extends = {point for point in points("GRAPHEME_EXTEND", "GRAPHEME_SPACINGMARK")
               if probe.normalize_str("a" + chr(point)) == "Q"}
    result = {}
    for name, kind in (("INCB_CONSONANT", "conjunct"), ("EXTENDED_PICTOGRAPHIC", "pictographic"),
                       ("GRAPHEME_CR", "cr"), ("GRAPHEME_LF", "lf"), ("GRAPHEME_CONTROL", "control"),
                       ("GRAPHEME_REGIONAL_INDICATOR", "regional_indicator"), ("GRAPHEME_PREPEND", "prepend"),
                       ("GRAPHEME_L", "hangul_l"), ("GRAPHEME_V", "hangul_v"), ("GRAPHEME_T", "hangul_t")):
        result.update(dict.fromkeys(points(name), kind))
    result.update(dict.fromkeys(points("GRAPHEME_SPACINGMARK") & extends, "spacing_mark"))
    result.update(dict.fromkeys(points("GRAPHEME_EXTEND") & extends, "extend"))
    result.update(dict.fromkeys(points("GRAPHEME_EXTEND") & points("INCB_EXTEND") & extends, "extend_conjunct"))
    result.update(dict.fromkeys(points("GRAPHEME_EXTEND") & points("INCB_LINKER") & extends, "extend_linker"))
    result[0x200D] = "zwj"
    return result


def main():
    ranges = []
    for point, kind in sorted(classes().items()):
        if 0xD800 <= point < 0xE000:
            continue
        if ranges and ranges[-1][1] == point - 1 and ranges[-1][2] == kind:
            ranges[-1][1] = point
        else:
            ranges.append([point, point, kind])
    kinds = sorted({kind for *_, kind in ranges})
    lines = ['#include "text/grapheme_breaks.h"', "", "// Written by tools/golden/grapheme_tables.py.", "",
             "namespace hone {", "namespace {", "", "using enum GraphemeClass;", "", "constexpr GraphemeRange kRanges[] = {"]
    line = "   "
    for first, last, kind in ranges:
        entry = f" {{0x{first:X}, 0x{last:X}, {kind}}},"
        if len(line) + len(entry) > 118:
            lines.append(line)
            line = "   "
        line += entry
    lines += [line, "};", "", "}  // namespace", "",
              "std::span<const GraphemeRange> grapheme_ranges() { return kRanges; }", "", "}  // namespace hone", ""]
    OUT.write_text("\n".join(lines))
    print(len(ranges), "ranges of", ", ".join(kinds))


main()
