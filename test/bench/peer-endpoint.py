"""The tutorial's way to test a web service: all images in one request of JSON, and the confusion matrix of the answers.

usage: peer-endpoint.py IMAGES LABELS URL      (IDX files that are not gzipped; the scoring URL of an Azure ML service)
"""

import json
import sys
import urllib.request

import numpy as np

images, labels, url = sys.argv[1:]
X = np.fromfile(images, np.uint8)[16:].reshape(-1, 784) / 255.0
y = np.fromfile(labels, np.uint8)[8:]
body = bytes(json.dumps({"data": X.tolist()}), encoding="utf8")
request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
answers = np.array(json.loads(urllib.request.urlopen(request).read()))
predicted = answers.argmax(axis=1) if answers.ndim == 2 else answers
matrix = np.zeros((10, 10), int)
np.add.at(matrix, (y, predicted), 1)
print(matrix)
print("Overall accuracy:", np.average(predicted == y))
