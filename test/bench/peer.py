"""The work of `evaluate` as a Python user does it today: scikit-learn's metrics, matplotlib's charts, csv and html.

usage: peer.py IMAGES LABELS MODEL OUT      (IDX files, gzipped or not; the bundled ONNX model; a folder)
"""

import base64
import csv
import gzip
import html
import json
import os
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression


def read(path, header):
    opened = open(path, "rb").read()
    content = gzip.decompress(opened) if opened[:2] == b"\x1f\x8b" else opened
    return np.frombuffer(content[header:], np.uint8)


def fields(message):
    """The fields of a protobuf message: enough to read the weights of a linear model without the onnx package."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 2:
            length = varint()
            yield key >> 3, message[at : at + length]
            at += length
        elif key & 7 == 0:
            yield key >> 3, varint()
        else:
            width = 4 if key & 7 == 5 else 8
            yield key >> 3, message[at : at + width]
            at += width


def weights(path):
    """The float32 initializers of 7,840 and of 10 numbers: coefficients and intercepts."""
    graph = next(value for key, value in fields(open(path, "rb").read()) if key == 7)
    found = {}
    for key, value in fields(graph):
        if key != 5:
            continue
        tensor = dict(fields(value))
        if 9 in tensor:
            numbers = np.frombuffer(tensor[9], "<f4")
            found[numbers.size] = numbers
    return found[7840], found[10]


def save(figure, out, name):
    figure.savefig(f"{out}/charts/{name}.svg")
    figure.savefig(f"{out}/charts/{name}.png", dpi=200)
    plt.close(figure)


def main(images_path, labels_path, model_path, out):
    os.makedirs(f"{out}/charts", exist_ok=True)
    images = read(images_path, 16).reshape(-1, 784)
    truth = read(labels_path, 8)
    classes = [str(digit) for digit in range(10)]
    coefficients, intercepts = weights(model_path)
    model = LogisticRegression(solver="liblinear", multi_class="ovr")
    # A Gemm holds its weights as [784, 10] or as [10, 784]: the one that scores well is the right one.
    model.classes_ = np.arange(10)
    model.intercept_ = intercepts.astype(float)
    candidates = [coefficients.reshape(784, 10).T, coefficients.reshape(10, 784)]
    sample = images[:200] / 255
    model.coef_ = max(candidates, key=lambda c: ((sample @ c.T + intercepts).argmax(1) == truth[:200]).mean()).astype(float)
    probabilities = model.predict_proba(images / 255.0)
    predicted = probabilities.argmax(1)
    confidence = probabilities.max(1)
    right = predicted == truth
    onehot = np.eye(10)[truth]

    matrix = metrics.confusion_matrix(truth, predicted)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, predicted)
    result = {
        "confusionMatrix": matrix.tolist(),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "macro": metrics.precision_recall_fscore_support(truth, predicted, average="macro")[:3],
        "weighted": metrics.precision_recall_fscore_support(truth, predicted, average="weighted")[:3],
        "cohen_kappa": metrics.cohen_kappa_score(truth, predicted),
        "matthews_corrcoef": metrics.matthews_corrcoef(truth, predicted),
        "top_k": [metrics.top_k_accuracy_score(truth, probabilities, k=k) for k in (2, 3, 5)],
        "log_loss": metrics.log_loss(truth, probabilities),
        "brier_score": ((probabilities - onehot) ** 2).sum(1).mean(),
        "roc_auc_macro": metrics.roc_auc_score(truth, probabilities, multi_class="ovr"),
        "roc_auc_weighted": metrics.roc_auc_score(truth, probabilities, multi_class="ovr", average="weighted"),
        "average_precision": [metrics.average_precision_score(onehot[:, c], probabilities[:, c]) for c in range(10)],
        "perClass": [list(map(float, row)) for row in zip(precision, recall, f1, support)],
    }
    json.dump(result, open(f"{out}/metrics.json", "w"), indent=2, default=float)
    with open(f"{out}/predictions.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["index", "truth", "predicted", "correct", "confidence", *(f"p_{c}" for c in range(10))])
        for i in range(len(truth)):
            rows.writerow([i, truth[i], predicted[i], int(right[i]), confidence[i], *probabilities[i]])
    np.savetxt(f"{out}/confusion_matrix.csv", matrix, fmt="%d", delimiter=",", header=",".join(classes))

    figure, axes = plt.subplots(figsize=(8, 7))
    metrics.ConfusionMatrixDisplay(matrix, display_labels=classes).plot(ax=axes)
    axes.set_title(f"Accuracy {result['accuracy']:.4f}")
    save(figure, out, "confusion_matrix")

    figure, axes = plt.subplots(figsize=(8, 7))
    rates = matrix / matrix.sum(1, keepdims=True)
    np.fill_diagonal(rates, 0)
    axes.matshow(rates, cmap=plt.cm.gray)
    for i in range(10):
        for j in range(10):
            axes.text(j, i, f"{rates[i, j]:.1%}", ha="center", va="center", color="red", fontsize=7)
    axes.set_xticks(range(10), classes)
    axes.set_yticks(range(10), classes)
    save(figure, out, "confusion_errors")

    def digits(chosen, name):
        figure = plt.figure(figsize=(16, 4))
        for position, i in enumerate(chosen):
            axes = figure.add_subplot(2, 15, position + 1)
            axes.axis("off")
            wrong = predicted[i] != truth[i]
            axes.text(10, -10, predicted[i], fontsize=18, color="red" if wrong else "black")
            axes.imshow(images[i].reshape(28, 28), cmap=plt.cm.gray if wrong else plt.cm.Greys)
        save(figure, out, name)

    digits(np.random.RandomState(42).permutation(len(truth))[:30], "sample_predictions")
    mistakes = np.flatnonzero(~right)
    digits(mistakes[np.argsort(-confidence[mistakes])][:30], "worst_errors")

    figure, axes = plt.subplots(figsize=(8, 5))
    for offset, (values, name) in enumerate([(precision, "precision"), (recall, "recall"), (f1, "f1")]):
        axes.bar(np.arange(10) + 0.25 * offset, values, 0.25, label=name)
    axes.set_ylim(0.8, 1)
    axes.legend()
    save(figure, out, "per_class")

    figure, axes = plt.subplots(figsize=(8, 5))
    pairs = sorted(((matrix[i, j], f"{i} → {j}") for i in range(10) for j in range(10) if i != j), reverse=True)[:10]
    axes.barh([name for _, name in pairs], [count for count, _ in pairs])
    save(figure, out, "top_confusions")

    figure, axes = plt.subplots(figsize=(6, 6))
    share, mean = calibration_curve(right, confidence, n_bins=15)
    axes.plot([0, 1], [0, 1], "--")
    axes.plot(mean, share, "o-")
    save(figure, out, "reliability")

    figure, axes = plt.subplots(figsize=(8, 5))
    axes.hist([confidence[right], confidence[~right]], bins=50, label=["right", "wrong"])
    axes.set_yscale("log")
    axes.legend()
    save(figure, out, "confidence")

    for name, curve in [("roc", metrics.roc_curve), ("precision_recall", metrics.precision_recall_curve)]:
        figure, axes = plt.subplots(figsize=(7, 6))
        for c in range(10):
            first, second, _ = curve(onehot[:, c], probabilities[:, c])
            axes.plot(*((first, second) if name == "roc" else (second, first)), label=classes[c])
        axes.legend()
        save(figure, out, name)

    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in matrix)
    pictures = "".join(
        f'<img src="data:image/svg+xml;base64,{base64.b64encode(open(f"{out}/charts/{name}", "rb").read()).decode()}">'
        for name in sorted(os.listdir(f"{out}/charts"))
        if name.endswith(".svg")
    )
    with open(f"{out}/report.html", "w") as file:
        file.write(f"<!doctype html><pre>{html.escape(metrics.classification_report(truth, predicted))}</pre>")
        file.write(f"<table>{cells}</table>{pictures}")
    with open(f"{out}/report.md", "w") as file:
        file.write(f"accuracy {result['accuracy']}\n\n```\n{metrics.classification_report(truth, predicted)}\n```\n")
    print(matrix, result["accuracy"], sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
