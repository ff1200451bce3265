#!/usr/bin/env python3
"""Writes tests/golden/math_answers.json: whether the PyPI package math-verify takes two answers for the same.

The pairs are our own. Where hone is of another opinion on purpose, DIFFERENT says so and why; the test holds it to that.

usage: tools/golden/math_answers.py     (needs `pip install math-verify`)
"""
import importlib.metadata
import json
import logging
import pathlib

from math_verify import parse, verify

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "math_answers.json"

# reference | answers, among them wrong ones
PAIRS = r"""
72 | 72.0 | 073 | 72\text{ apples} | x = 72 | \frac{144}{2} | 71 | -72 | 72.5 | 7.2 | \boxed{72} | 72.
-3 | 3 | -3.0 | -(3) | \frac{-6}{2} | - 3 | --3
1234567 | 1,234,567 | 1{,}234{,}567 | 1.234567e6 | 1234568
1/2 | 0.5 | \frac12 | \dfrac{1}{2} | \frac{2}{4} | .5 | 50\% | 2 | \frac{1}{3} | 0.51
\frac{1}{3} | 0.333333 | 0.33 | 0.3 | 1/3 | \frac{-1}{-3} | \frac{3}{1}
-\frac{3}{4} | \frac{-3}{4} | \frac{3}{-4} | -0.75 | 0.75 | -\tfrac{3}{4}
2\frac{1}{2} | 2.5 | \frac{5}{2} | 1
20\% | 0.2 | 20 | 20\% | 2 | \frac{1}{5}
6.02 \times 10^{23} | 6.02 \cdot 10^{23} | 602 \cdot 10^{21} | 6.02 \times 10^{22}
2^{10} | 1024 | 4^5 | 1023 | 2^{5} \cdot 32
100! | 100 \cdot 99! | 99! | 100! + 1
\pi | 3.141593 | π | 3.14 | \frac{2\pi}{2} | 2\pi
2\sqrt{2} | \sqrt{8} | 2 \cdot 2^{1/2} | \frac{4}{\sqrt{2}} | 2.828427 | \sqrt{2} | 2 + \sqrt{2}
\sqrt[3]{27} | 3 | 9 | -3
e^{2} | e^2 | e \cdot e | 2e
\ln 8 | 3\ln 2 | \ln(8) | \ln 4 + \ln 2 | \ln 9
\log_2 8 | 3 | \frac{\ln 8}{\ln 2} | 8
\sin\left(\frac{\pi}{6}\right) | \frac{1}{2} | 0.5 | \frac{\sqrt{3}}{2}
\arctan 1 | \frac{\pi}{4} | \tan^{-1}(1) | 1
3 + 4i | 4i + 3 | 3 - 4i | (2+i)^2
60^\circ | 60 | 60^{\circ} | 61^\circ
x | y | x | 2x | x + 0
(x+1)^2 | x^2 + 2x + 1 | x^2 + 1 | (1 + x)(x + 1) | x^2 + 2x
\frac{x^2 - 1}{x - 1} | x + 1 | x - 1
2xy | 2yx | 2 x y | x + y
\frac{a}{b} | a/b | \frac{2a}{2b} | \frac{b}{a}
a^{-1} | \frac{1}{a} | -a
2^{n+1} | 2 \cdot 2^n | 2^n + 2 | 4^n
n! | (n-1)! \cdot n | n
\sin^2 x | 1 - \cos^2 x | (\sin x)^2 | \sin x^2
x_1 + x_2 | x_2 + x_1 | 2x_1 | x_1
(1, 2) | (1,2) | \left(1, 2\right) | (2, 1) | (1, 3) | (1.0, \frac{4}{2})
(1, -2, 3) | (1,-2,3) | (1, 2, 3) | (1, -2)
[0, 1) | [0,1) | \left[0, 1\right) | (0, 1) | [0, 1] | [0, 2)
(-\infty, 3] | (-\infty, 3] | (-\infty, 3) | (-\infty, \frac{6}{2}]
(0,1) \cup (2,3) | (2,3) \cup (0,1) | (0,1) | (0, 3)
\{1, 2, 3\} | \{3, 1, 2\} | \{1, 2\} | 1, 2, 3 | \{1, 2, 4\}
1, 2 | 2, 1 | 1,2 | 1 | 1, 3
x = 5 | 5 | x=5 | y = 5 | x = 6
y = 2x + 1 | 2x + 1 | y = 1 + 2x | y = 2x
2x + 4y = 6 | x + 2y = 3 | 2x + 4y - 6 = 0 | x + 2y = 4
x > 2 | (2, \infty) | 2 < x | x < 2 | x \geq 2
0 < x < 1 | (0, 1) | 1 > x > 0 | [0, 1]
x = \pm 2 | \{-2, 2\} | \pm 2 | 2
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} | \begin{bmatrix}1&2\\3&4\end{bmatrix} | \begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix}
\infty | \infty | -\infty | 0
\binom{5}{2} | 10 | 20
|x - y| | |y - x| | x - y
0.00000567 | 5.67 \cdot 10^{-6} | 0.0000057
\text{even} | even | \text{odd}
Yes | yes | \text{Yes} | No
\text{(A)} | A | (A) | B
"""

# (reference, answer): what hone says, and why.
DIFFERENT = {
    ("1234567", "1.234567e6"): (True, "scientific notation is read"),
    ("6.02 \\times 10^{23}", "602 \\cdot 10^{21}"): (True, "the same number"),
    ("3 + 4i", "(2+i)^2"): (True, "the same number"),
    ("x", "x + 0"): (True, "the same value"),
    ("0 < x < 1", "1 > x > 0"): (True, "the same range read from the other end"),
    ("0.00000567", "0.0000057"): (False, "small decimals are compared by relative difference"),
}


def answers():
    for line in PAIRS.strip().splitlines():
        if "|x - y|" in line:  # the sign that parts the others
            reference, first, second = "|x - y|", "|y - x|", "x - y"
            yield reference, first
            yield reference, second
            continue
        reference, *given = [part.strip() for part in line.split(" | ")]
        for answer in given:
            yield reference, answer


def verdict(reference, answer):
    read = [parse(f"${text}$") for text in (reference, answer)]
    return bool(verify(*read))


def main():
    logging.disable(logging.CRITICAL)
    cases = []
    for reference, answer in answers():
        case = {"reference": reference, "answer": answer, "same": verdict(reference, answer)}
        if (reference, answer) in DIFFERENT:
            case["hone"], case["why"] = DIFFERENT[reference, answer]
            assert case["hone"] != case["same"], f"no difference any more: {case}"
        cases.append(case)
    document = {"about": "answers and whether math-verify takes them for the same; written by tools/golden/math_answers.py",
                "math_verify": importlib.metadata.version("math-verify"), "cases": cases}
    rows = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases)
    head = json.dumps({key: value for key, value in document.items() if key != "cases"}, ensure_ascii=False)
    OUT.write_text(head[:-1] + ', "cases": [\n' + rows + "\n]}\n", encoding="utf-8")
    print(f"{len(cases)} pairs in {OUT}")


if __name__ == "__main__":
    main()
