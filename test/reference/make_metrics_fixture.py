"""Writes fixtures/metrics.json: what scikit-learn computes of scores at the edges, after section 1.12 of the behavioural
specification. Scores are fp32, and thresholds are compared with them in fp32, as the reference does.

Where scikit-learn's definition is not ours, the difference stands here:
- average precision without positives is null, and left out of the mean (scikit-learn: 0 with a warning);
- calibration error, which scikit-learn does not have, is that of its calibration curve, the bins weighted by their frames;
- one class only has no AUC (scikit-learn warns and answers NaN): null, and left out of the mean;
- F1 of an action unit that is neither there nor found is 0 (zero_division=0), and so it is without known labels;
- recall and F1 of an expression that does not occur are null (scikit-learn: 0 with a warning), and no part of macro F1,
  which by default has a 0 for an expression that is answered though it does not occur;
- of equal logits the first class counts as larger, as in argmax; scikit-learn's top-k takes the last, so it gets the
  classes in reverse;
- cross-entropy is that of the logits; scikit-learn's cuts probabilities off, which only "far apart" shows;
- no frames, and scores that are no numbers, are refused; scikit-learn refuses the latter too.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from scipy.special import log_softmax
from sklearn import metrics
from sklearn.calibration import calibration_curve

warnings.filterwarnings("ignore")
random = np.random.default_rng(20240717)


def finite(value):
    return None if value is None or np.isnan(value) else float(value)


def shortest(value):
    """The fewest digits that are this number in fp32."""
    return float(str(value))


def mean(values):
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def f1(labels, present):
    if len(labels) == 0:
        return 0.0
    return float(metrics.f1_score(labels, present, zero_division=0))


def average_precision(labels, scores):
    if labels.sum() == 0:
        assert len(labels) == 0 or metrics.average_precision_score(labels, scores) == 0
        return None
    return float(metrics.average_precision_score(labels, scores))


def calibration_error(labels, scores):
    if len(labels) == 0:
        return None
    occurring, probable = calibration_curve(labels, scores.astype(np.float64), n_bins=10, strategy="uniform")
    # calibration_curve tells no frames; its bins, which the edges below must reproduce, are those of its source.
    bins = np.searchsorted(np.linspace(0, 1, 11)[1:-1], scores.astype(np.float64))
    frames = np.bincount(bins, minlength=10)
    frames = frames[frames > 0]
    assert len(frames) == len(occurring)
    return float((frames * np.abs(occurring - probable)).sum() / len(labels))


def brier(labels, scores):
    return float(metrics.brier_score_loss(labels, scores.astype(np.float64), pos_label=1)) if len(labels) > 0 else None


def confusion(labels, present):
    (tn, fp), (fn, tp) = metrics.confusion_matrix(labels, present, labels=[0, 1]).tolist() if len(labels) > 0 else [[0, 0]] * 2
    return {"truePositives": tp, "falsePositives": fp, "falseNegatives": fn, "trueNegatives": tn}


def action_units(name, probabilities, occurrence):
    """probabilities and occurrence: [N][A]; -1 is unknown."""
    scores = np.array(probabilities, dtype=np.float32)
    labels = np.array(occurrence, dtype=np.int64)
    units = [(labels[labels[:, a] != -1, a], scores[labels[:, a] != -1, a]) for a in range(labels.shape[1])]
    at = lambda threshold: [f1(y, p >= np.float32(threshold)) for y, p in units]
    swept = [mean(at(percent / 100)) for percent in range(1, 100)]
    best = int(np.argmax(swept))
    thresholds = [0.3, 0.5, 0.7][: len(units)]
    present = [p >= np.float32(threshold) for (_, p), threshold in zip(units, thresholds)]
    f1s = [f1(y, found) for (y, _), found in zip(units, present)]
    every = np.concatenate([y for y, _ in units]), np.concatenate(present)
    if (labels != -1).all() and len(units) > 1:
        both = np.stack([y for y, _ in units], 1), np.stack(present, 1)
        assert np.isclose(metrics.f1_score(*both, average="micro", zero_division=0), f1(*every))
    precisions = [average_precision(y, p) for y, p in units]
    calibration = [calibration_error(y, p) for y, p in units]
    auc = [finite(metrics.roc_auc_score(y, p)) if len(set(y)) == 2 else None for y, p in units]
    for (y, p), value in zip(units, auc):
        if len(y) > 0 and value is None:
            assert np.isnan(metrics.roc_auc_score(y, p))
    return {
        "name": name,
        "probabilities": [shortest(value) for value in scores.ravel()],
        "occurrence": labels.ravel().tolist(),
        "thresholds": thresholds,
        "f1": f1s,
        "meanF1": mean(f1s),
        "f1Micro": f1(*every),
        "f1AtHalf": at(0.5),
        "confusion": [confusion(y, found) for (y, _), found in zip(units, present)],
        "sweptThreshold": (best + 1) / 100,
        "sweptF1": swept[best],
        "sweptF1OfUnits": at((best + 1) / 100),
        "auc": auc,
        "macroAuc": mean(auc),
        "averagePrecision": precisions,
        "macroAveragePrecision": mean(precisions),
        "calibrationError": calibration,
        "meanCalibrationError": mean(calibration),
        "brierScore": [brier(y, p) for y, p in units],
    }


def expressions(name, logits, labels):
    """logits: [N][C]; labels: [N], -1 is unknown."""
    scores = np.array(logits, dtype=np.float32)
    labels = np.array(labels, dtype=np.int64)
    z, y = scores[labels != -1], labels[labels != -1]
    count = z.shape[1]
    classes = list(range(count))
    answers = z.argmax(axis=1)
    per_class = {"labels": classes, "average": None}
    occurs = np.array([(y == each).any() for each in classes])
    recall = metrics.recall_score(y, answers, zero_division=np.nan, **per_class)
    f1s = metrics.f1_score(y, answers, zero_division=0, **per_class)
    macro_f1 = metrics.f1_score(y, answers, labels=np.flatnonzero(occurs), average="macro", zero_division=0)
    log_probabilities = log_softmax(z.astype(np.float64), axis=1)
    entropy = -log_probabilities[np.arange(len(y)), y].mean()
    if name != "far apart":
        assert np.isclose(entropy, metrics.log_loss(y, np.exp(log_probabilities), labels=classes), atol=1e-12)
    top = lambda k: float(metrics.top_k_accuracy_score(count - 1 - y, z[:, ::-1], k=k, labels=classes))
    assert top(1) == metrics.accuracy_score(y, answers)
    return {
        "name": name,
        "classes": count,
        "logits": [shortest(value) for value in scores.ravel()],
        "labels": labels.tolist(),
        "top1": top(1),
        "top5": top(5),
        "recall": [finite(value) for value in recall],
        "f1": [finite(value) if there else None for value, there in zip(f1s, occurs)],
        "macroF1": float(macro_f1),
        "meanClassAccuracy": float(metrics.balanced_accuracy_score(y, answers)),
        "crossEntropy": float(entropy),
        "confusion": metrics.confusion_matrix(y, answers, labels=classes).tolist(),
    }


def refuses(call):
    try:
        call()
    except ValueError:
        return True
    return False


assert refuses(lambda: metrics.roc_auc_score([0, 1], [0.5, np.nan]))
assert refuses(lambda: metrics.top_k_accuracy_score([0, 1, 2], np.full((3, 3), np.nan), k=1))

labels = random.random((40, 3)) < [0.1, 0.4, 0.8]
scores = np.clip(0.35 * labels + 0.65 * random.random((40, 3)), 0, 1)
unknown = np.where(random.random((40, 3)) < 0.3, -1, labels)
unknown[:, 2] = -1
hundredths = np.arange(1, 100) / 100

action_unit_cases = [
    action_units("ordinary scores", scores, labels),
    action_units("rounded scores, with ties", scores.round(1), labels),
    action_units("one class only", scores, np.stack([labels[:, 0], labels[:, 0] * 0, labels[:, 0] * 0 + 1], 1)),
    action_units("one class only, of every action unit", scores, np.zeros((40, 3))),
    action_units("no positives predicted", scores * 0.49, labels),
    action_units("nothing found by any threshold", scores * 0, labels),
    action_units("everything found by every threshold", scores * 0 + 1, labels),
    action_units("all ties", scores * 0 + 0.3, labels),
    # 0.7 and 0.6 in fp32 are below and above what they are in fp64.
    action_units("scores exactly at 0.7 and others", hundredths[:, None], (hundredths >= 0.7)[:, None]),
    action_units("scores exactly at 0.6 and others", hundredths[:, None], (hundredths >= 0.6)[:, None]),
    # In fp32 0.1 and 0.3 are above the edges of bins, 0.7 and 0.9 below, 0.5 on one, as 0 and 1 are on the outermost.
    action_units("probabilities at the edges of bins", np.repeat(np.arange(11) / 10, 2)[:, None], np.arange(22)[:, None] % 2),
    action_units("unknown labels, of one action unit all", scores, unknown),
    action_units("a single frame", [[0.5, 0.49]], [[1, 1]]),
    action_units("a single frame, of which nothing is known", [[0.5, 0.49]], [[-1, -1]]),
]

z = random.normal(size=(50, 7)) * 2
y = random.integers(0, 7, size=50)
z[np.arange(50), y] += 1.5

expression_cases = [
    expressions("ordinary logits", z, y),
    expressions("rounded logits, with ties", z.round(), y),
    expressions("all ties", z * 0, y),
    expressions("one class only", z, y * 0 + 3),
    expressions("one class answered", z * 0 + np.eye(7)[2] * 5, y),
    expressions("a class that does not occur", z, np.where(y == 4, 1, y)),
    expressions("a class that neither occurs nor is answered", np.where(np.arange(7) == 4, -9, z), np.where(y == 4, 1, y)),
    expressions("unknown labels", z, np.where(random.random(50) < 0.4, -1, y)),
    expressions("far apart", z * 400, y),
    expressions("a single frame", z[:1], y[:1]),
]

path = Path(__file__).parent / "fixtures" / "metrics.json"
path.write_text(json.dumps({"actionUnits": action_unit_cases, "expressions": expression_cases}, separators=(",", ":")) + "\n")
