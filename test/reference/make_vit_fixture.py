"""Writes fixtures/vit.safetensors: a small timm ViT, its outputs, losses, all gradients through the reversal, and its
weights after 12 AdamW steps with layer decay. Everything is fp32 on the CPU."""

from functools import partial
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional as F

IMAGE, PATCH, DIM, DEPTH, HEADS, UNITS, SUBJECTS, BATCH = 16, 8, 12, 2, 3, 3, 5, 4
LAYER_DECAY, WEIGHT_DECAY, LEARNING_RATE, STEPS = 0.65, 0.05, 1e-3, 12

torch.manual_seed(20240716)
torch.set_num_threads(1)


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.vit = VisionTransformer(
            img_size=IMAGE,
            patch_size=PATCH,
            embed_dim=DIM,
            depth=DEPTH,
            num_heads=HEADS,
            num_classes=UNITS,
            global_pool="avg",
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
        )
        self.ID_head = nn.Linear(DIM, SUBJECTS)

    def forward(self, images, strength):
        features = self.vit.forward_head(self.vit.forward_features(images), pre_logits=True)
        return features, self.vit.head(features), self.ID_head(Reverse.apply(features, strength))


def name_of(name):
    return name.removeprefix("vit.")


def layer_of(name):
    if name.startswith("blocks."):
        return int(name.split(".")[1]) + 1
    return 0 if name.startswith(("cls_token", "pos_embed", "patch_embed")) else DEPTH + 1


model = Detector()
for parameter in model.parameters():  # nothing stays at 0 or 1, where mistakes hide
    parameter.data += 0.05 * torch.randn_like(parameter)
initial = {name_of(name): parameter.detach().clone() for name, parameter in model.named_parameters()}
images = torch.randn(BATCH, 3, IMAGE, IMAGE)
occurrence = torch.tensor([[1, 0, -1], [0, 0, 1], [1, -1, 1], [0, 1, 0]])
subjects = torch.tensor([0, 3, 4, 3])
targets, known = (occurrence == 1).float(), (occurrence != -1).float()

out = {"images": images, "occurrence": occurrence.float(), "subjects": subjects.float()}
out |= {f"parameter.{name}": value for name, value in initial.items()}


def au_loss(logits):
    losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (losses * known).sum() / known.sum()


def identity_loss(logits, kind):
    if kind == "ce":
        return F.cross_entropy(logits, subjects)
    return F.binary_cross_entropy_with_logits(logits, F.one_hot(subjects, SUBJECTS).float())


features, logits, identity_logits = model(images, 1.0)
out |= {"features": features, "auLogits": logits, "identityLogits": identity_logits}
out["auLossAllKnown"] = F.binary_cross_entropy_with_logits(logits, targets).reshape(1)

for kind, strength in (("bce", 2.0), ("ce", 0.5)):
    model.zero_grad()
    _, logits, identity_logits = model(images, strength)
    au, identity = au_loss(logits), identity_loss(identity_logits, kind)
    (au + identity).backward()
    out[f"{kind}.auLoss"], out[f"{kind}.identityLoss"] = au.reshape(1), identity.reshape(1)
    for name, parameter in model.named_parameters():
        out[f"{kind}.gradient.{name_of(name)}"] = parameter.grad.clone()

groups = []
for name, parameter in model.named_parameters():
    short = name_of(name)
    decays = parameter.ndim > 1 and short not in ("cls_token", "pos_embed")
    scale = LAYER_DECAY ** (DEPTH + 1 - layer_of(short))
    groups.append(
        {"params": [parameter], "lr": LEARNING_RATE * scale, "weight_decay": WEIGHT_DECAY if decays else 0.0}
    )
optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8)
for _ in range(STEPS):
    optimizer.zero_grad()
    _, logits, identity_logits = model(images, 2.0)
    (au_loss(logits) + identity_loss(identity_logits, "bce")).backward()
    optimizer.step()
out |= {f"trained.{name_of(name)}": parameter for name, parameter in model.named_parameters()}

if __name__ == "__main__":
    path = Path(__file__).parent / "fixtures" / "vit.safetensors"
    metadata = {"torch": torch.__version__, "timm": timm.__version__}
    save_file({name: value.detach().contiguous().float() for name, value in out.items()}, path, metadata)
    print(path, path.stat().st_size, metadata)
