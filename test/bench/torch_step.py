"""The PyTorch side of `npm run bench:train`: the same model, losses and optimizer, written from the method's description.

    python3 torch_step.py CASE_FOLDER

The folder holds case.json (what to train and how), the initial parameters and one batch. Commands come line by line on
standard input, answers go as JSON lines to standard output: "steps N", "weights FILE", "memory".
"""

import json
import os
import re
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

EPSILON = 1e-6


class Reverse(torch.autograd.Function):
    """The identity; its gradient times -strength."""

    @staticmethod
    def forward(context, x, strength):
        context.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient):
        return -context.strength * gradient, None


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        batch, tokens, dim = x.shape
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).reshape(batch, tokens, dim))


class Mlp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim, heads, drop=0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=EPSILON)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=EPSILON)
        self.mlp = Mlp(dim)
        self.drop = drop

    def dropped(self, x):
        """Stochastic depth: whole samples, the survivors scaled up."""
        if self.drop == 0.0:
            return x
        kept = torch.empty(x.shape[0], 1, 1, dtype=x.dtype, device=x.device).bernoulli_(1 - self.drop)
        return x * kept.div_(1 - self.drop)

    def forward(self, x):
        x = x + self.dropped(self.attn(self.norm1(x)))
        return x + self.dropped(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    def __init__(self, patch, dim):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, images):
        return self.proj(images).flatten(2).transpose(1, 2)


class Detector(nn.Module):
    """A vision transformer: mean over the patch tokens, fc_norm, an action unit head and a reversed identity head."""

    def __init__(self, c):
        super().__init__()
        dim, depth = c["dim"], c["depth"]
        tokens = (c["imageSize"] // c["patchSize"]) ** 2 + 1
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens, dim))
        self.patch_embed = PatchEmbed(c["patchSize"], dim)
        rates = [c["dropPath"] * i / max(depth - 1, 1) for i in range(depth)]
        self.blocks = nn.Sequential(*[Block(dim, c["heads"], rate) for rate in rates])
        self.head = nn.Linear(dim, c["actionUnits"])
        self.fc_norm = nn.LayerNorm(dim, eps=EPSILON)
        self.ID_head = nn.Linear(dim, c["numSubjects"])

    def forward(self, images, strength):
        x = self.patch_embed(images)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embed
        features = self.fc_norm(self.blocks(x)[:, 1:].mean(1))
        return self.head(features), self.ID_head(Reverse.apply(features, strength))


class Autoencoder(nn.Module):
    """A masked autoencoder with fixed positions."""

    def __init__(self, c):
        super().__init__()
        dim, width = c["dim"], c["decoderDim"]
        self.patch = c["patchSize"]
        tokens = (c["imageSize"] // self.patch) ** 2 + 1
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens, dim), requires_grad=False)
        self.patch_embed = PatchEmbed(self.patch, dim)
        self.blocks = nn.Sequential(*[Block(dim, c["heads"]) for _ in range(c["depth"])])
        self.norm = nn.LayerNorm(dim, eps=EPSILON)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.decoder_embed = nn.Linear(dim, width)
        self.decoder_pos_embed = nn.Parameter(torch.zeros(1, tokens, width), requires_grad=False)
        self.decoder_blocks = nn.Sequential(*[Block(width, c["decoderHeads"]) for _ in range(c["decoderDepth"])])
        self.decoder_norm = nn.LayerNorm(width, eps=EPSILON)
        self.decoder_pred = nn.Linear(width, 3 * self.patch**2)

    def target(self, images):
        """Patches [B, N, P P 3], each standardised by its own mean and unbiased variance."""
        batch, _, side, _ = images.shape
        grid = side // self.patch
        cut = images.reshape(batch, 3, grid, self.patch, grid, self.patch)
        patches = torch.einsum("nchpwq->nhwpqc", cut).reshape(batch, grid * grid, -1)
        return (patches - patches.mean(-1, keepdim=True)) / (patches.var(-1, keepdim=True) + 1e-6) ** 0.5

    def forward(self, images, kept, restore, masked):
        x = self.patch_embed(images) + self.pos_embed[:, 1:]
        x = torch.gather(x, 1, kept.unsqueeze(-1).expand(-1, -1, x.shape[2]))
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(x.shape[0], -1, -1)
        x = self.decoder_embed(self.norm(self.blocks(torch.cat([cls, x], 1))))
        hidden = self.mask_token.expand(x.shape[0], restore.shape[1] - kept.shape[1], -1).to(x.dtype)
        places = torch.cat([x[:, 1:], hidden], 1)
        places = torch.gather(places, 1, restore.unsqueeze(-1).expand(-1, -1, places.shape[2]))
        x = torch.cat([x[:, :1], places], 1) + self.decoder_pos_embed
        prediction = self.decoder_pred(self.decoder_norm(self.decoder_blocks(x)))[:, 1:]
        errors = (prediction.float() - self.target(images)).square().mean(-1)
        return (errors * masked).sum() / masked.sum()


def read(folder, name, kind, shape):
    values = torch.frombuffer(bytearray(open(os.path.join(folder, name), "rb").read()), dtype=kind)
    return values.reshape(shape)


def load_parameters(model, folder, case):
    values = read(folder, "parameters.bin", torch.float32, [-1])
    named = dict(model.named_parameters())
    start = 0
    with torch.no_grad():
        for entry in case["parameters"]:
            parameter = named.pop(entry["name"])
            size = parameter.numel()
            parameter.copy_(values[start : start + size].reshape(parameter.shape))
            start += size
    assert not named and start == values.numel(), f"left over: {list(named)}"


def memory():
    status = open("/proc/self/status").read()
    peak, now = (int(re.search(rf"{key}:\s+(\d+) kB", status)[1]) * 1024 for key in ("VmHWM", "VmRSS"))
    return {"peakBytes": peak, "residentBytes": now}


def main():
    folder = sys.argv[1]
    case = json.load(open(os.path.join(folder, "case.json")))
    torch.set_num_threads(case["threads"])
    torch.manual_seed(case["seed"])
    config, batch = case["config"], case["batch"]
    side, patches = config["imageSize"], (config["imageSize"] // config["patchSize"]) ** 2
    images = read(folder, "images.bin", torch.float32, [batch, 3, side, side])
    device = torch.device(case["device"])
    if case["task"] == "fine-tune":
        model = Detector(config)
        targets = read(folder, "targets.bin", torch.float32, [batch, config["actionUnits"]])
        subjects = read(folder, "subjects.bin", torch.int32, [batch]).long()
        inputs = (images, targets, F.one_hot(subjects, config["numSubjects"]).float())

        def loss(images, targets, identities):
            units, subject = model(images, case["lambda"])
            bce = F.binary_cross_entropy_with_logits
            return bce(units.float(), targets) + bce(subject.float(), identities)

    else:
        model = Autoencoder(config)
        kept = read(folder, "kept.bin", torch.int32, [batch, -1]).long() - patches * torch.arange(batch).unsqueeze(1)
        restore = read(folder, "restore.bin", torch.int32, [batch, patches]).long()
        inputs = (images, kept, restore, read(folder, "masked.bin", torch.float32, [batch, patches]))

        def loss(images, kept, restore, masked):
            return model(images, kept, restore, masked)

    load_parameters(model, folder, case)
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TensorFloat-32, as ours.
        model.to(device)
        loss = torch.compile(loss)
        inputs = tuple(each.pin_memory() for each in inputs)
    named = dict(model.named_parameters())
    groups = [
        {
            "params": [named[name] for name in group["names"]],
            "lr": case["learningRate"] * group["learningRateScale"],
            "weight_decay": group["weightDecay"],
        }
        for group in case["groups"]
    ]
    # Fused is the fastest of its three implementations.
    optimizer = torch.optim.AdamW(groups, betas=tuple(case["betas"]), eps=1e-8, fused=True)

    def step():
        given = tuple(each.to(device, non_blocking=True) for each in inputs)
        with torch.autocast(device.type, torch.bfloat16, enabled=case["precision"] == "bfloat16"):
            value = loss(*given)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        return value.item()

    def answer(**fields):
        print(json.dumps(fields), flush=True)

    answer(version=torch.__version__, threads=torch.get_num_threads(), **memory())
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "steps":
            milliseconds, losses = [], []
            for _ in range(int(argument)):
                start = time.perf_counter()
                losses.append(step())
                milliseconds.append((time.perf_counter() - start) * 1e3)
            answer(milliseconds=milliseconds, losses=losses)
        elif command == "weights":
            with open(argument, "wb") as file:
                for entry in case["parameters"]:
                    values = named[entry["name"]].detach().cpu().contiguous()
                    file.write(bytes(values.untyped_storage()))
            answer(written=True)
        elif command == "memory":
            answer(**memory())


main()
