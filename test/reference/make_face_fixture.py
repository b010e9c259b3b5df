"""Writes fixtures/face-models.json: what LiteRT answers for the two TensorFlow Lite models inside face_landmarker.task,
on inputs that a formula makes (value i is 0.5 + 0.5 sin(a i + b)).

usage: make_face_fixture.py PATH/face_landmarker.task"""

import hashlib
import json
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

INPUTS = {
    "face_landmarks_detector.tflite": [(0.013, 0.1), (1.7, 0.4)],
    "face_blendshapes.tflite": [(0.37, 0.2), (0.9, 1.1)],
}

task = Path(sys.argv[1]).read_bytes()
cases = []
with zipfile.ZipFile(sys.argv[1]) as archive:
    for name, formulas in INPUTS.items():
        interpreter = Interpreter(model_content=archive.read(name), num_threads=1)
        interpreter.allocate_tensors()
        (entry,) = interpreter.get_input_details()
        for a, b in formulas:
            values = 0.5 + 0.5 * np.sin(a * np.arange(np.prod(entry["shape"]), dtype=np.float64) + b)
            interpreter.set_tensor(entry["index"], values.astype(np.float32).reshape(entry["shape"]))
            interpreter.invoke()
            outputs = [interpreter.get_tensor(each["index"]).ravel() for each in interpreter.get_output_details()]
            cases.append(
                {
                    "model": name,
                    "a": a,
                    "b": b,
                    "shape": [int(size) for size in entry["shape"]],
                    "outputs": [[float(f"{value:.7g}") for value in output] for output in outputs],
                }
            )

path = Path(__file__).parent / "fixtures" / "face-models.json"
document = {"taskSha256": hashlib.sha256(task).hexdigest(), "litert": version("ai-edge-litert"), "cases": cases}
path.write_text(json.dumps(document, indent=None) + "\n")
print(path, path.stat().st_size)
