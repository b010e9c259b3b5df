"""Writes fixtures/augmentation.json: what Pillow, torchvision and timm make of small images with given arguments (as
pixels), of 224 x 224 images with drawn ones (as digests), and how timm's draws are distributed."""

import base64
import hashlib
import io
import json
import random
from pathlib import Path

import numpy as np
import PIL
import timm
import torch
import torchvision
from PIL import Image
from timm.data import auto_augment
from timm.data.random_erasing import RandomErasing
from timm.data.transforms import RandomResizedCropAndInterpolation
from torchvision import transforms
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
INCREASING = {"Posterize", "Solarize", "Color", "Contrast", "Brightness", "Sharpness"}
HPARAMS = {"img_mean": tuple(min(255, round(255 * m)) for m in MEAN)}
KWARGS = {"fillcolor": HPARAMS["img_mean"], "resample": Image.Resampling.BICUBIC}
FILTERS = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}
ARGUMENTS = {
    "AutoContrast": [0],
    "Equalize": [0],
    "Invert": [0],
    "Rotate": [27.4, -13.0, 0.2],
    "Posterize": [1, 0, 4],
    "Solarize": [26, 256, 0],
    "SolarizeAdd": [99, 110],
    "Color": [1.83, 0.17, 1.0],
    "Contrast": [1.83, 0.17],
    "Brightness": [1.83, 0.17],
    "Sharpness": [1.83, 0.17],
    "ShearX": [0.271, -0.3],
    "ShearY": [0.271, -0.3],
    "TranslateXRel": [0.41, -0.383],
    "TranslateYRel": [0.41, -0.383],
}
random.seed(20240717)
noise = np.random.default_rng(20240717)


def timm_name(name):
    return f"{name}Increasing" if name in INCREASING else name


def apply(image, name, argument):
    arguments = () if name in ("AutoContrast", "Equalize", "Invert") else (argument,)
    return auto_augment.NAME_TO_OP[timm_name(name)](image, *arguments, **KWARGS)


def encode(data):
    return base64.b64encode(data).decode()


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


def textured(width, height):
    """Smooth shapes, noise, and a corner at either end of the scale."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 90 * np.sin(x / 5 + c) * np.cos(y / (4 + c)) for c in range(3)]
    pixels = np.stack(waves, -1) + noise.normal(0, 25, (height, width, 3))
    pixels[:5, :5], pixels[-5:, -5:] = 0, 255
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def faint(width, height):
    """Few levels, one flat channel."""
    pixels = noise.integers(90, 131, (height, width, 3), dtype=np.uint8)
    pixels[..., 1] = 77
    return Image.fromarray(pixels)


def formula(width, height):
    """An image that any language makes alike."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return Image.fromarray((((x * x * 3 + y * y * 5 + x * y * 7 + c * 1000) >> 6) & 255).astype(np.uint8))


small = {"textured": textured(31, 23), "faint": faint(20, 20)}
out = {
    "versions": {m.__name__: m.__version__ for m in (torch, torchvision, timm, PIL)},
    "images": {
        name: {"width": image.width, "height": image.height, "data": encode(image.tobytes())}
        for name, image in small.items()
    },
    "operations": [
        {"name": name, "argument": argument, "image": key, "data": encode(apply(image, name, argument).tobytes())}
        for name, arguments in ARGUMENTS.items()
        for argument in arguments
        for key, image in small.items()
    ],
}

sizes = [(31, 23), (16, 16), (48, 40), (7, 60), (31, 9), (64, 23), (1, 1)]
out["resizes"] = [
    {
        "filter": name,
        "width": width,
        "height": height,
        "data": encode(F.resize(small["textured"], [height, width], mode).tobytes()),
    }
    for name, mode in FILTERS.items()
    for width, height in sizes
]
crops = [(0, 0, 31, 23), (4, 3, 20, 17), (11, 2, 20, 20), (0, 18, 31, 5), (30, 22, 1, 1)]
out["crops"] = [
    {
        "filter": name,
        "crop": {"left": left, "top": top, "width": width, "height": height},
        "size": 20,
        "data": encode(F.resized_crop(small["textured"], top, left, height, width, [20, 20], mode).tobytes()),
    }
    for name, mode in FILTERS.items()
    for left, top, width, height in crops
]

large = formula(224, 224)
drawn = []
for name in ARGUMENTS:
    level_fn = auto_augment.LEVEL_TO_ARG[timm_name(name)]
    for _ in range(8):
        argument = level_fn(max(0.0, min(random.gauss(9, 0.5), 10.0)), HPARAMS)[0] if level_fn else 0
        drawn.append({"name": name, "argument": argument, "sha256": digest(apply(large, name, argument))})
out["drawnOperations"] = drawn
cropper = RandomResizedCropAndInterpolation(224, interpolation="bicubic")
wide = formula(300, 240)
drawn = []
for name, mode in FILTERS.items():
    for _ in range(20):
        top, left, height, width = cropper.get_params(wide, cropper.scale, cropper.ratio)
        crop = {"left": left, "top": top, "width": width, "height": height}
        result = F.resized_crop(wide, top, left, height, width, [224, 224], mode)
        drawn.append({"filter": name, "crop": crop, "sha256": digest(result)})
out["drawnCrops"] = drawn

out["magnitudes"] = []
for name in ARGUMENTS:
    level_fn = auto_augment.LEVEL_TO_ARG[timm_name(name)]
    for magnitude in (0, 2.5, 7.7, 9, 9.6, 10):
        values = {level_fn(magnitude, HPARAMS)[0] for _ in range(40)} if level_fn else {0}
        out["magnitudes"].append({"name": name, "magnitude": magnitude, "arguments": sorted(values)})

levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
to_input = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
out["normalised"] = encode(to_input(Image.fromarray(levels)).numpy().astype("<f4").tobytes())

jpeg = io.BytesIO()
textured(40, 32).save(jpeg, "JPEG", quality=92)
out["jpeg"] = {"file": encode(jpeg.getvalue()), "data": encode(Image.open(jpeg).convert("RGB").tobytes())}


def moments(rows):
    values = np.array(rows, dtype=np.float64)
    return {"mean": values.mean(0).tolist(), "std": values.std(0).tolist(), "count": len(rows)}


canvas = Image.new("RGB", (260, 200))
rows = [cropper.get_params(canvas, cropper.scale, cropper.ratio) for _ in range(40000)]
out["cropMoments"] = moments([(left, top, width, height, width * height) for top, left, height, width in rows])
eraser, rows = RandomErasing(0.25, mode="pixel", max_count=1, device="cpu"), []
for _ in range(20000):
    hit = eraser(torch.zeros(3, 48, 48))[0] != 0
    if hit.any():
        ys, xs = torch.where(hit)
        left, top = int(xs.min()), int(ys.min())
        width, height = int(xs.max()) - left + 1, int(ys.max()) - top + 1
        rows.append((left, top, width, height, width * height))
out["erasingMoments"] = moments(rows)

path = Path(__file__).parent / "fixtures" / "augmentation.json"
path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, out["versions"])
