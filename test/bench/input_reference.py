"""Images per second of torchvision's and timm's pipelines over the JPEGs below a folder, as JSON on standard output."""

import json
import sys
import time
from itertools import islice
from pathlib import Path

import torch
from PIL import Image
from timm.data import create_transform
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
finish = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
pipelines = {
    "none": transforms.Compose([transforms.Resize((224, 224)), *finish]),
    "flip": transforms.Compose([transforms.Resize((224, 224)), transforms.RandomHorizontalFlip(), *finish]),
    "paper": create_transform(
        224,
        is_training=True,
        color_jitter=None,
        auto_augment="rand-m9-mstd0.5-inc1",
        interpolation="bicubic",
        re_prob=0.25,
        re_mode="pixel",
        re_count=1,
        mean=MEAN,
        std=STD,
    ),
}


class Files(Dataset):
    def __init__(self, paths, transform):
        self.paths, self.transform = paths, transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        # Each path is visited many times, so that no epoch ends while the clock runs.
        return self.transform(Image.open(self.paths[index]).convert("RGB"))


folder, batch_size, measured = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
paths = sorted(folder.rglob("images/*"))
warm_up = 2 * len(paths) // batch_size
repeated = paths * (1 + (warm_up + measured) * batch_size // len(paths))
torch.set_num_threads(1)
out = {}
for name, transform in pipelines.items():
    for workers in (1, 2):
        loader = DataLoader(Files(repeated, transform), batch_size, shuffle=True, num_workers=workers)
        batches = iter(loader)
        for _ in islice(batches, warm_up):
            pass
        begin = time.perf_counter()
        for _ in islice(batches, measured):
            pass
        out[f"{name}/{workers}"] = measured * batch_size / (time.perf_counter() - begin)
print(json.dumps(out))
