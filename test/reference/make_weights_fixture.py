"""Writes fixtures/weights: small checkpoints in the published layouts, after two steps of AdamW with the published
groups, in the zip of PyTorch 2.x and in that of 1.8, in fp32, fp16 and bf16; a state dict of views; a file in the old
format without a zip; and expected.safetensors with what they hold, a detector's answers, and interpolated position
embeddings."""

import io
import zipfile
from argparse import Namespace
from collections import OrderedDict
from functools import partial
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import Block, PatchEmbed
from torch import nn
from torch.nn import functional as F

IMAGE, PATCH, DIM, DEPTH, HEADS, UNITS, SUBJECTS = 16, 4, 12, 2, 3, 12, 5
CLASSES, DECODER_DIM, DECODER_DEPTH, DECODER_HEADS = 7, 8, 1, 2
LAYER_DECAY, WEIGHT_DECAY, LEARNING_RATE = 0.65, 0.05, 1e-3

torch.manual_seed(20250101)
torch.set_num_threads(1)
folder = Path(__file__).parent / "fixtures" / "weights"
folder.mkdir(exist_ok=True)
norm = partial(nn.LayerNorm, eps=1e-6)
block = partial(Block, mlp_ratio=4, qkv_bias=True, norm_layer=norm)


class Encoder(nn.Module):
    """The part that all layouts share, its parameters in the reference's order."""

    def __init__(self, mask_dim=None):
        super().__init__()
        tokens = (IMAGE // PATCH) ** 2 + 1
        self.cls_token = nn.Parameter(torch.randn(1, 1, DIM) * 0.02)
        self.pos_embed = nn.Parameter(torch.randn(1, tokens, DIM) * 0.02, requires_grad=mask_dim is None)
        if mask_dim is not None:
            self.mask_token = nn.Parameter(torch.randn(1, 1, mask_dim) * 0.02)
            self.decoder_pos_embed = nn.Parameter(torch.randn(1, tokens, mask_dim) * 0.02, requires_grad=False)
        self.patch_embed = PatchEmbed(IMAGE, PATCH, 3, DIM)
        self.blocks = nn.ModuleList([block(DIM, HEADS) for _ in range(DEPTH)])

    def encode(self, images):
        x = self.patch_embed(images)
        x = torch.cat([self.cls_token.expand(len(images), -1, -1), x], dim=1) + self.pos_embed
        for each in self.blocks:
            x = each(x)
        return x


class Detector(Encoder):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(DIM, UNITS)
        self.fc_norm = norm(DIM)
        self.ID_head = nn.Linear(DIM, SUBJECTS)

    def forward(self, images):
        features = self.fc_norm(self.encode(images)[:, 1:].mean(1))
        return self.head(features), self.ID_head(features)


class Classifier(Encoder):
    """RAF-DB: the classifier is AU_head; a 1000-class head is there and never used."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(DIM, 1000)
        self.fc_norm = norm(DIM)
        self.AU_head = nn.Linear(DIM, CLASSES)

    def forward(self, images):
        return (self.AU_head(self.fc_norm(self.encode(images)[:, 1:].mean(1))),)


class Autoencoder(Encoder):
    def __init__(self):
        super().__init__(mask_dim=DECODER_DIM)
        self.norm = norm(DIM)
        self.decoder_embed = nn.Linear(DIM, DECODER_DIM)
        self.decoder_blocks = nn.ModuleList([block(DECODER_DIM, DECODER_HEADS) for _ in range(DECODER_DEPTH)])
        self.decoder_norm = norm(DECODER_DIM)
        self.decoder_pred = nn.Linear(DECODER_DIM, PATCH * PATCH * 3)

    def forward(self, images):
        x = self.decoder_embed(self.norm(self.encode(images)))
        x = torch.cat([x[:, :1], x[:, 1:] + self.mask_token], dim=1) + self.decoder_pos_embed
        for each in self.decoder_blocks:
            x = each(x)
        return (self.decoder_pred(self.decoder_norm(x)),)


def layer_of(name):
    if name.startswith("blocks."):
        return int(name.split(".")[1]) + 1
    return 0 if name.startswith(("cls_token", "pos_embed", "patch_embed")) else DEPTH + 1


def layer_groups(model):
    """1.11: by layer and decay, in the order of first appearance."""
    groups = {}
    for name, parameter in model.named_parameters():
        decays = parameter.ndim > 1 and name not in ("cls_token", "pos_embed")
        scale = LAYER_DECAY ** (DEPTH + 1 - layer_of(name))
        group = {"lr_scale": scale, "lr": LEARNING_RATE * scale, "weight_decay": WEIGHT_DECAY * decays, "params": []}
        groups.setdefault((layer_of(name), decays), group)["params"].append(parameter)
    return list(groups.values())


def decay_groups(model):
    """1.5: timm's add_weight_decay."""
    still, decaying = [], []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (still if parameter.ndim == 1 or name.endswith(".bias") else decaying).append(parameter)
    return [{"params": still, "weight_decay": 0.0}, {"params": decaying, "weight_decay": WEIGHT_DECAY}]


def train(model, groups):
    optimizer = torch.optim.AdamW(groups(model), lr=LEARNING_RATE)
    for _ in range(2):
        optimizer.zero_grad()
        outputs = model(torch.randn(2, 3, IMAGE, IMAGE))
        sum(F.mse_loss(each, torch.ones_like(each)) for each in outputs).backward()
        optimizer.step()
    return optimizer


def checkpoint(model, optimizer, **args):
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 19,
        "scaler": {"scale": 65536.0, "growth_factor": 2.0, "backoff_factor": 0.5, "_growth_tracker": 7},
        "args": Namespace(
            lr=1.25e-4, drop_path=0.2, output_dir="/home/someone/out", model="vit_large_patch16", resume="",
            distributed=False, mixup_minmax=None, seed=2**40, **args,
        ),
    }


def as_written_by_1_8(content):
    """The zip of PyTorch 1.8: root "archive", storages named by large integers in no order, none of the newer entries,
    Adam's steps as numbers."""
    for state in content["optimizer"]["state"].values():
        state["step"] = int(state["step"])
    buffer = io.BytesIO()
    torch.save(content, buffer)
    source = zipfile.ZipFile(buffer)
    root = source.namelist()[0].split("/")[0]
    keys = sorted(name.split("/")[2] for name in source.namelist() if name.startswith(f"{root}/data/"))
    names = {key: str(94_000_000_000_000 + (int(key) * 7919 + 13) % 104_729 * 64) for key in keys}
    pickled = source.read(f"{root}/data.pkl")
    for key in keys:  # within the pickle a key is a text (X, length, bytes) that is remembered (q or r)
        for put in (b"q", b"r"):
            old, new = (b"X" + len(each).to_bytes(4, "little") + each.encode() + put for each in (key, names[key]))
            pickled = pickled.replace(old, new)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as out:
        def write(name, data):
            out.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)

        write("archive/data.pkl", pickled)
        for key in keys:
            write(f"archive/data/{names[key]}", source.read(f"{root}/data/{key}"))
        write("archive/version", b"3\n")
    check = torch.load(io.BytesIO(target.getvalue()), weights_only=False)
    for name, value in content["model"].items():
        assert torch.equal(check["model"][name], value), name
    return target.getvalue()


expected = {}


def expect(prefix, model, optimizer=None):
    expected.update({f"{prefix}.{name}": value for name, value in model.state_dict().items()})
    if optimizer is not None:
        for name, parameter in model.named_parameters():
            if parameter in optimizer.state:
                expected[f"{prefix}.first.{name}"] = optimizer.state[parameter]["exp_avg"]
                expected[f"{prefix}.second.{name}"] = optimizer.state[parameter]["exp_avg_sq"]


detector = Detector()
optimizer = train(detector, layer_groups)
expect("detector", detector, optimizer)
torch.save(checkpoint(detector, optimizer, nb_classes=UNITS, grad_reverse=2.0), folder / "detector.pth")
(folder / "detector-1.8.pth").write_bytes(as_written_by_1_8(checkpoint(detector, optimizer, nb_classes=UNITS)))
state = detector.state_dict()
torch.save({name: value.half() for name, value in state.items()}, folder / "detector-fp16.pth")
torch.save({"model": {name: value.bfloat16() for name, value in state.items()}}, folder / "detector-bf16.pth")
save_file({name: value.bfloat16() for name, value in state.items()}, folder / "detector-bf16.safetensors")

# Views: a transposed weight, and biases that are parts of one storage.
views = OrderedDict(state)
views["head.weight"] = state["head.weight"].t().contiguous().t()
together = torch.cat([state["head.bias"], state["ID_head.bias"]])
views["head.bias"], views["ID_head.bias"] = together[:UNITS], together[UNITS:]
torch.save({"model": views}, folder / "detector-views.pth")
torch.save({"model": {"head.bias": state["head.bias"]}}, folder / "legacy.pth", _use_new_zipfile_serialization=False)

detector.eval()
images = torch.randn(3, 3, IMAGE, IMAGE)
with torch.no_grad():
    expected["forward.images"], expected["forward.logits"] = images, detector(images)[0]

classifier = Classifier()
optimizer = train(classifier, layer_groups)
expect("classifier", classifier, optimizer)
del expected["classifier.head.weight"], expected["classifier.head.bias"]
torch.save(checkpoint(classifier, optimizer), folder / "classifier.pth")

autoencoder = Autoencoder()
optimizer = train(autoencoder, decay_groups)
expect("mae", autoencoder, optimizer)
torch.save(checkpoint(autoencoder, optimizer, mask_ratio=0.75), folder / "mae.pth")
encoder = {name: value for name, value in autoencoder.state_dict().items() if "decoder" not in name and name != "mask_token"}
torch.save({"model": encoder}, folder / "mae-encoder.pth")

for side in (2, 3, 7):
    table = detector.pos_embed.detach()
    patches = table[:, 1:].reshape(1, IMAGE // PATCH, IMAGE // PATCH, DIM).permute(0, 3, 1, 2)
    resized = F.interpolate(patches, size=(side, side), mode="bicubic", align_corners=False)
    expected[f"positions.{side}"] = torch.cat([table[:, :1], resized.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)

metadata = {"torch": torch.__version__, "timm": timm.__version__}
out = {name: value.detach().contiguous().float().clone() for name, value in expected.items()}
save_file(out, folder / "expected.safetensors", metadata)
for path in sorted(folder.iterdir()):
    print(path.name, path.stat().st_size)
