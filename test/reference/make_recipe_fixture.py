"""Writes fixtures/recipes.safetensors: 20 optimizer steps of every recipe on small models (warm-up and cosine per step,
layer decay, no-decay groups, gradient reversal, a moving average of the weights), and the logits of detectors with typical
mistakes. Everything is fp32 on the CPU; nothing is random but the first weights and the data."""

import copy
import math
from functools import partial
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional as F

from make_mae_fixture import Autoencoder
from make_mae_fixture import IMAGE as MAE_IMAGE
from make_mae_fixture import PATCH as MAE_PATCH
from make_vit_fixture import DEPTH, DIM, HEADS, IMAGE, PATCH, SUBJECTS, UNITS, Reverse, layer_of

BATCH, CLASSES, TEACHER_DIM, STEPS, STEPS_PER_EPOCH, EPOCHS, WARMUP = 4, 7, 18, 20, 5, 4, 1
PEAK, FLOOR, LAYER_DECAY, WEIGHT_DECAY, EMA = 1e-3, 1e-6, 0.65, 0.05, 0.9
LAMBDA, TEMPERATURE, LOGITS_WEIGHT, FEATURES_WEIGHT, LABELS_WEIGHT = 2.0, 2.0, 1.0, 0.5, 0.25

torch.manual_seed(20240718)
out = {}


def vit(outputs, dim=DIM, eps=1e-6, act=nn.GELU):
    return VisionTransformer(
        img_size=IMAGE,
        patch_size=PATCH,
        embed_dim=dim,
        depth=DEPTH,
        num_heads=HEADS,
        num_classes=outputs,
        global_pool="avg",
        norm_layer=partial(nn.LayerNorm, eps=eps),
        act_layer=act,
    )


def spread(model):
    """Large weights: nothing stays where mistakes hide."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.2 * torch.randn_like(parameter)
    return model


def features_of(model, images):
    return model.forward_head(model.forward_features(images), pre_logits=True)


def learning_rate(step):
    epoch = step / STEPS_PER_EPOCH
    if epoch < WARMUP:
        return PEAK * epoch / WARMUP
    return FLOOR + (PEAK - FLOOR) * 0.5 * (1 + math.cos(math.pi * (epoch - WARMUP) / (EPOCHS - WARMUP)))


def train(recipe, named, loss_at, scale_of, decays, betas=(0.9, 0.999), ema=0.0):
    named = [(name, parameter) for name, parameter in named if parameter.requires_grad]
    out.update({f"{recipe}.parameter.{name}": parameter.detach().clone() for name, parameter in named})
    average = {name: parameter.detach().clone() for name, parameter in named}
    groups = [
        {"params": [parameter], "scale": scale_of(name), "weight_decay": WEIGHT_DECAY if decays(name, parameter) else 0.0}
        for name, parameter in named
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=1e-8)
    losses = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step) * group["scale"]
        optimizer.zero_grad()
        loss = loss_at(step)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if ema > 0:
            for name, parameter in named:
                average[name] = ema * average[name] + (1 - ema) * parameter.detach()
    out[f"{recipe}.losses"] = torch.tensor(losses)
    out.update({f"{recipe}.trained.{name}": parameter.detach().clone() for name, parameter in named})
    if ema > 0:
        out.update({f"{recipe}.average.{name}": value for name, value in average.items()})


def fine_tune_scale(name):
    return LAYER_DECAY ** (DEPTH + 1 - layer_of(name))


def fine_tune_decays(name, parameter):
    return parameter.ndim > 1 and name not in ("cls_token", "pos_embed")


# Three batches, seen in turn.
images = torch.randn(3, BATCH, 3, IMAGE, IMAGE)
occurrence = torch.randint(-1, 2, (3, BATCH, UNITS))
subjects = torch.randint(0, SUBJECTS, (3, BATCH))
expressions = torch.randint(0, CLASSES, (3, BATCH))
out |= {"images": images, "occurrence": occurrence.float(), "subjects": subjects.float()}
out |= {"expressions": expressions.float()}


def au_loss(logits, batch):
    known = (occurrence[batch] != -1).float()
    losses = F.binary_cross_entropy_with_logits(logits, (occurrence[batch] == 1).float(), reduction="none")
    return (losses * known).sum() / known.sum()


def identity_loss(logits, batch):
    return F.binary_cross_entropy_with_logits(logits, F.one_hot(subjects[batch], SUBJECTS).float())


# An action unit fine-tune with identity adversarial training and a moving average.
detector = spread(vit(UNITS))
head = spread(nn.Linear(DIM, SUBJECTS))


def fine_tune_loss(step):
    features = features_of(detector, images[step % 3])
    identity = identity_loss(head(Reverse.apply(features, LAMBDA)), step % 3)
    return au_loss(detector.head(features), step % 3) + identity


# What a mistake changes is read best from small embeddings, where epsilon counts, by a head with large weights.
sharp = copy.deepcopy(detector)
for name, parameter in sharp.named_parameters():
    if name.startswith(("patch_embed", "pos_embed", "cls_token")):
        parameter.data *= 0.2
    if name == "head.weight":
        parameter.data *= 4
state = sharp.state_dict()
out |= {f"detector.parameter.{name}": value.clone() for name, value in state.items()}
out["detector.logits"] = sharp(images[0]).detach()
for mistake, wrong in {
    "epsilon": vit(UNITS, eps=1e-5),
    "tanhGelu": vit(UNITS, act=partial(nn.GELU, approximate="tanh")),
}.items():
    wrong.load_state_dict(state)
    out[f"mistake.{mistake}.logits"] = wrong(images[0]).detach()
tokens = sharp.forward_features(images[0])
out["mistake.classTokenInMean.logits"] = sharp.head(sharp.fc_norm(tokens.mean(1))).detach()

named = list(detector.named_parameters()) + [(f"ID_head.{name}", each) for name, each in head.named_parameters()]
train("fineTune", named, fine_tune_loss, fine_tune_scale, fine_tune_decays, ema=EMA)

# An expression fine-tune.
classifier = spread(vit(CLASSES))
train(
    "expression",
    list(classifier.named_parameters()),
    lambda step: F.cross_entropy(classifier(images[step % 3]), expressions[step % 3]),
    fine_tune_scale,
    fine_tune_decays,
)

# A linear probe without bias on features that stay as they are.
features = torch.randn(3, BATCH, DIM)
probe = spread(nn.Linear(DIM, SUBJECTS, bias=False))
out["probe.features"] = features
train(
    "probe",
    [("probe.0.weight", probe.weight)],
    lambda step: identity_loss(probe(features[step % 3]), step % 3),
    lambda name: 1.0,
    lambda name, parameter: True,
)

# A distillation: answers, features through a projection, and labels.
teacher = spread(vit(UNITS, dim=TEACHER_DIM))
out |= {f"teacher.{name}": parameter.detach().clone() for name, parameter in teacher.named_parameters()}
student = spread(vit(UNITS))
projection = spread(nn.Linear(DIM, TEACHER_DIM))


def distil_loss(step):
    batch = images[step % 3]
    with torch.no_grad():
        taught = features_of(teacher, batch)
        soft = torch.sigmoid(teacher.head(taught) / TEMPERATURE)
    own = features_of(student, batch)
    logits = student.head(own)
    answers = F.binary_cross_entropy_with_logits(logits / TEMPERATURE, soft) * TEMPERATURE**2
    distance = F.mse_loss(projection(own), taught)
    return LOGITS_WEIGHT * answers + FEATURES_WEIGHT * distance + LABELS_WEIGHT * au_loss(logits, step % 3)


PROJECTION = "distillation.projection."
train(
    "distil",
    list(student.named_parameters()) + [(PROJECTION + name, each) for name, each in projection.named_parameters()],
    distil_loss,
    lambda name: 1.0 if name.startswith(PROJECTION) else fine_tune_scale(name),
    fine_tune_decays,
)

# Pretraining.
autoencoder = spread(Autoencoder())
mae_images = torch.randn(3, BATCH, 3, MAE_IMAGE, MAE_IMAGE)
noise = torch.rand(3, BATCH, (MAE_IMAGE // MAE_PATCH) ** 2)
out |= {"mae.images": mae_images, "mae.noise": noise}
out |= {
    f"pretrain.parameter.{name}": value
    for name, value in autoencoder.named_parameters()
    if not value.requires_grad
}
train(
    "pretrain",
    list(autoencoder.named_parameters()),
    lambda step: autoencoder(mae_images[step % 3], noise[step % 3], True)[0],
    lambda name: 1.0,
    lambda name, parameter: parameter.ndim > 1,
    betas=(0.9, 0.95),
)

path = Path(__file__).parent / "fixtures" / "recipes.safetensors"
metadata = {"torch": torch.__version__, "timm": timm.__version__}
save_file({name: value.detach().contiguous().float() for name, value in out.items()}, path, metadata)
print(path, path.stat().st_size, metadata)
