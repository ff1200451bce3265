#!/usr/bin/env python3
"""Writes tests/golden/metrics.json: values of metrics by sacrebleu, rouge_score, scikit-learn, scipy and NLTK.

    pip install sacrebleu==2.6.0 rouge_score==0.1.2 scikit-learn==1.9.1 scipy==1.17.1
    tools/golden/metrics.py
"""
import collections
import fractions
import json
import math
import pathlib
import random
import re
import string
import warnings

import numpy
import scipy.stats
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_char import TokenizerChar
from sacrebleu.tokenizers.tokenizer_intl import TokenizerV14International
from sklearn import metrics

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/metrics.json"
SENTENCES = [
    "The quick brown fox jumps over the lazy dog.", "A quick brown dog jumped over the lazy foxes!", "",
    "It cost 3.50 dollars, not 1,000.", "It costs $3.5 (about 3,50 €), not 1.000!", " ", "...", "a", "The", "the the the",
    "Ἡ ΟΔΟΣ ΣΟΦΟΣ: Σ", "İstanbul'da YAĞMUR", "Kelvin \u212a sign", "Straße, naïve café — “quotes” …", "中文分词 很 有趣。",
    "これは、テストです！", "ça m'étonne; c'est-à-dire: rien?", "1-2-3 x-y 10-a", "&quot;R&amp;D&quot; &lt;b&gt; &apos;",
    "tabs\tand\u3000wide\u00a0spaces\x1c here ", "hyphen-\nated\nlines", "emoji 😀😀 ok 👍🏽", "½ + ¼ = ¾; x² ≤ 10⁶", "№ 5 § 3 ¶",
    "She was running quickly; the runners ran happily.", "Generalizations of conditional relational hopping flies",
    "first line\nsecond line is longer\nthird", "second line\nthe first line was here\n\nthird line, longer",
    "<skipped> text - with dashes-", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich",
    "Zwölf Boxer jagen Viktor über den Deich", "end.", "U.S.A. vs. U.K., 5.5.2020", "e\u0301te\u0301 d\u0130a", "ΑΣ' ΑΣ.Β ΑΣ",
]


def digits(value):
    return value if value is None or isinstance(value, int) else float(f"{value:.12g}")


def words_cases():
    return [{"text": text, "13a": Tokenizer13a()(text.rstrip()).split(), "intl": TokenizerV14International()(text.rstrip()).split(),
             "char": TokenizerChar()(text.rstrip()).split(), "lower": text.lower()} for text in SENTENCES]


def corpus(rng, rows, references):
    """Texts that share words with their references."""
    texts, columns = [], [[] for _ in range(references)]
    for _ in range(rows):
        base = rng.choice(SENTENCES)
        pool = base.split(" ") + rng.choice(SENTENCES).split(" ")
        mixed = lambda: " ".join(word for word in (base.split(" ") if rng.random() < .8 else pool) if rng.random() < .85)
        texts.append(base if rng.random() < .3 else mixed())
        for column in columns:
            column.append(mixed() if rng.random() < .9 else rng.choice(SENTENCES))
    return texts, columns


def bleu_cases(rng):
    cases = []
    for i in range(80):
        texts, columns = corpus(rng, rng.choice([1, 1, 2, 4]), rng.choice([1, 1, 2, 3]))
        smooth = rng.choice(["exp", "exp", "floor", "add-k", "none"])
        options = {"tokenize": rng.choice(["13a", "intl", "char", "none"]), "smooth_method": smooth,
                   "smooth_value": rng.choice([None, .25, 2]) if smooth in ("floor", "add-k") else None,
                   "lowercase": rng.random() < .3, "max_ngram_order": rng.choice([4, 4, 4, 2, 6]),
                   "effective_order": rng.random() < .5}
        metric = BLEU(force=True, **options)
        score = metric.corpus_score(texts, columns)
        signature = str(metric.get_signature()).split("|version")[0]
        cases.append({"texts": texts, "references": columns, **options, "bleu": digits(score.score), "signature": signature})
    return cases


def chrf_cases(rng):
    cases = []
    for i in range(60):
        texts, columns = corpus(rng, rng.choice([1, 1, 2, 4]), rng.choice([1, 1, 2, 3]))
        options = {"char_order": rng.choice([6, 6, 3]), "word_order": rng.choice([0, 0, 2]), "beta": rng.choice([2, 2, 1, 3]),
                   "lowercase": rng.random() < .3, "whitespace": rng.random() < .3, "eps_smoothing": rng.random() < .3}
        metric = CHRF(**options)
        score = metric.corpus_score(texts, columns)
        signature = str(metric.get_signature()).split("|version")[0]
        cases.append({"texts": texts, "references": columns, **options, "chrf": digits(score.score), "signature": signature})
    return cases


def rouge_cases(rng):
    kinds = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    cases = []
    for i in range(60):
        texts, columns = corpus(rng, rng.choice([1, 2, 3]), 1)
        text, reference, stem = "\n".join(texts), "\n".join(columns[0]), i % 2 == 1
        scores = rouge_scorer.RougeScorer(kinds, use_stemmer=stem).score(reference, text)
        cases.append({"text": text, "reference": reference, "stem": stem,
                      **{kind: [digits(float(scores[kind].precision)), digits(float(scores[kind].recall)),
                                digits(float(scores[kind].fmeasure))] for kind in kinds}})
    return cases


def stem_cases(rng):
    suffixes = ("s es ies sses ed ied eed ing ational tional enci anci izer bli alli entli eli ousli ization ation ator alism iveness "
                "fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able ible ant "
                "ement ment ent ion sion tion ou ism ate iti ous ive ize e ll y").split()
    stems = "hop fall fil agr plaster troubl siz ti d sky skies dying enjoy happ fl tr yyy toy syzyg roll contr rat rel 12 x".split()
    words = sorted({rng.choice(stems) + rng.choice(suffixes) for _ in range(250)} | {"news", "innings", "howe", "proceed", "is"})
    return [[word, PorterStemmer().stem(word) if len(word) > 0 else ""] for word in words]


def classification_cases(rng):
    cases = []
    for i in range(24):
        classes, rows = rng.choice([2, 2, 3, 5]), rng.choice([1, 3, 10, 40])
        labels = [rng.randrange(classes if i % 5 else 1) for _ in range(rows)]
        predictions = [label if rng.random() < .6 else rng.randrange(classes) for label in labels]
        names = list(range(classes))
        averages = {kind: [digits(float(v)) for v in metrics.precision_recall_fscore_support(
            labels, predictions, labels=sorted(set(labels + predictions)), average=kind, zero_division=0)[:3]]
            for kind in ("micro", "macro", "weighted")}
        per_class = metrics.precision_recall_fscore_support(labels, predictions, labels=names, zero_division=0)
        kappa = metrics.cohen_kappa_score(labels, predictions)
        cases.append({"labels": labels, "predictions": predictions, "classes": classes, **averages,
                      "per_class": [[digits(float(v)) for v in row] for row in zip(*per_class)],
                      "accuracy": digits(float(metrics.accuracy_score(labels, predictions))),
                      "mcc": digits(float(metrics.matthews_corrcoef(labels, predictions))),
                      "kappa": 0 if math.isnan(kappa) else digits(float(kappa)),
                      "confusion": metrics.confusion_matrix(labels, predictions, labels=names).tolist()})
    return cases


def multi_label_cases(rng):
    cases = []
    for _ in range(8):
        rows, classes = rng.choice([1, 5, 20]), rng.choice([2, 4])
        labels = [[int(rng.random() < .4) for _ in range(classes)] for _ in range(rows)]
        predictions = [[v if rng.random() < .7 else 1 - v for v in row] for row in labels]
        scores = {kind: [digits(float(v)) for v in metrics.precision_recall_fscore_support(
            labels, predictions, average=kind, zero_division=0)[:3]] for kind in ("micro", "macro", "weighted")}
        cases.append({"labels": labels, "predictions": predictions, **scores,
                      "accuracy": digits(float(metrics.accuracy_score(labels, predictions)))})
    return cases


def ranking_cases(rng):
    cases = []
    for i in range(20):
        rows, steps = rng.choice([2, 4, 9, 30]), rng.choice([2, 5, 1000])
        scores = [rng.randrange(steps) / steps for _ in range(rows)]
        positive = [int(rng.random() < .5) for _ in range(rows)]
        area = metrics.roc_auc_score(positive, scores) if 0 < sum(positive) < rows else None
        cases.append({"scores": scores, "positive": positive, "auc": digits(area if area is None else float(area))})
    several = []
    for i in range(8):
        labels = [0, 1, 2] + [rng.randrange(3) for _ in range(12)]
        raw = numpy.random.RandomState(i).rand(len(labels), 3).round(1 if i % 2 else 6) + .05
        scores = (raw / raw.sum(1, keepdims=True) * 1024).round() / 1024
        scores[:, 0] = 1 - scores[:, 1] - scores[:, 2]
        several.append({"labels": labels, "scores": scores.flatten().tolist(), **{
            kind: digits(float(metrics.roc_auc_score(labels, scores, multi_class="ovr", average=kind)))
            for kind in ("macro", "weighted")}})
    return cases, several


def regression_cases(rng):
    cases = []
    for i in range(24):
        rows, steps = rng.choice([2, 3, 8, 40]), rng.choice([3, 6, 10000])
        a = [rng.randrange(steps) / 7 - 1 for _ in range(rows)]
        b = [v + rng.randrange(steps) / 9 if rng.random() < .8 else 2.5 for v in a] if i % 8 else [1.5] * rows
        constant = len(set(a)) < 2 or len(set(b)) < 2
        cases.append({"predictions": a, "labels": b, "mse": digits(float(metrics.mean_squared_error(b, a))),
                      "mae": digits(float(metrics.mean_absolute_error(b, a))),
                      "r2": None if len(set(b)) < 2 else digits(float(metrics.r2_score(b, a))),
                      "pearson": None if constant else digits(float(scipy.stats.pearsonr(a, b)[0])),
                      "spearman": None if constant else digits(float(scipy.stats.spearmanr(a, b)[0])),
                      "kendall": None if constant else digits(float(scipy.stats.kendalltau(a, b)[0]))})
    return cases


def calibration_cases(rng):
    cases = []
    for bins in (1, 2, 10, 15):
        for rows in (1, 7, 60):
            confidence = [rng.choice([0., .5, 1., rng.random()]) for _ in range(rows)]
            right = [int(rng.random() < c) for c in confidence]
            place = [min(int(c * bins), bins - 1) for c in confidence]
            gaps = [(sum(1 for p in place if p == b) / rows, abs(numpy.mean([r for r, p in zip(right, place) if p == b]) -
                     numpy.mean([c for c, p in zip(confidence, place) if p == b]))) for b in sorted(set(place))]
            cases.append({"confidence": confidence, "right": right, "bins": bins, "ece": digits(float(sum(w * g for w, g in gaps))),
                          "mce": digits(float(max(g for _, g in gaps)))})
    return cases


def normalize_answer(text):
    """As the evaluation script of SQuAD 1.1 and 2.0 does it."""
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def answer_cases(rng):
    texts = SENTENCES + ["The Beatles", "beatles!", "an apple–a day", "a", "an the", "The 5th", "5 th", "A–B", "theory", "the\u0301", "_a_"]
    cases = []
    for _ in range(60):
        text, reference = rng.choice(texts), rng.choice(texts)
        if rng.random() < .6:
            words = text.split()
            reference = " ".join(w for w in words if rng.random() < .8)
        mine, gold = normalize_answer(text).split(), normalize_answer(reference).split()
        common = sum((collections.Counter(mine) & collections.Counter(gold)).values())
        f1 = int(mine == gold) if not mine or not gold else 2 * common / (len(mine) + len(gold))
        cases.append({"text": text, "reference": reference, "normalized": normalize_answer(text), "exact": int(mine == gold),
                      "f1": digits(f1)})
    return cases


def pass_cases(rng):
    cases = []
    for _ in range(30):
        n = rng.choice([1, 2, 5, 20, 200])
        c, k = rng.randint(0, n), rng.randint(1, n)
        cases.append([n, c, k, float(1 - fractions.Fraction(math.comb(n - c, k), math.comb(n, k)))])
    return cases


def main():
    warnings.simplefilter("ignore")
    rng = random.Random(20)
    ranking, several = ranking_cases(rng)
    document = {"made_by": "tools/golden/metrics.py", "words": words_cases(), "bleu": bleu_cases(rng), "chrf": chrf_cases(rng),
                "rouge": rouge_cases(rng), "stems": stem_cases(rng), "classification": classification_cases(rng),
                "multi_label": multi_label_cases(rng), "roc_auc": ranking, "roc_auc_ovr": several, "regression": regression_cases(rng),
                "calibration": calibration_cases(rng), "answers": answer_cases(rng), "pass_at_k": pass_cases(rng)}
    lines = ",\n".join(f'"{key}": ' + (json.dumps(value) if isinstance(value, str) else
                       "[\n" + ",\n".join(json.dumps(case) for case in value) + "\n]") for key, value in document.items())
    OUT.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


main()
