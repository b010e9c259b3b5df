"""Writes fixtures/mae.safetensors: a small masked autoencoder after section 1.5 of the behavioural specification, on
timm's blocks, with its loss, prediction and all gradients for a given noise. Everything is fp32 on the CPU."""

from functools import partial
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import Block, PatchEmbed
from torch import nn

IMAGE, PATCH, DIM, DEPTH, HEADS = 24, 8, 16, 2, 2
DECODER_DIM, DECODER_DEPTH, DECODER_HEADS, BATCH, MASK_RATIO = 12, 2, 3, 3, 0.75

torch.manual_seed(20240717)
torch.set_num_threads(1)


def positions(grid, dim):
    table = torch.zeros(grid * grid + 1, dim, dtype=torch.float64)
    frequency = 1 / 10000 ** (torch.arange(dim // 4, dtype=torch.float64) / (dim // 4))
    for row in range(grid):
        for column in range(grid):
            parts = []
            for coordinate in (column, row):
                angle = coordinate * frequency
                parts += [angle.sin(), angle.cos()]
            table[1 + row * grid + column] = torch.cat(parts)
    return table.float()[None]


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        norm = partial(nn.LayerNorm, eps=1e-6)
        block = partial(Block, mlp_ratio=4, qkv_bias=True, norm_layer=norm)
        self.grid = IMAGE // PATCH
        self.patch_embed = PatchEmbed(IMAGE, PATCH, 3, DIM)
        self.cls_token = nn.Parameter(torch.randn(1, 1, DIM))
        self.mask_token = nn.Parameter(torch.randn(1, 1, DECODER_DIM))
        self.pos_embed = nn.Parameter(positions(self.grid, DIM), requires_grad=False)
        self.decoder_pos_embed = nn.Parameter(positions(self.grid, DECODER_DIM), requires_grad=False)
        self.blocks = nn.ModuleList([block(DIM, HEADS) for _ in range(DEPTH)])
        self.norm = norm(DIM)
        self.decoder_embed = nn.Linear(DIM, DECODER_DIM)
        self.decoder_blocks = nn.ModuleList([block(DECODER_DIM, DECODER_HEADS) for _ in range(DECODER_DEPTH)])
        self.decoder_norm = norm(DECODER_DIM)
        self.decoder_pred = nn.Linear(DECODER_DIM, PATCH * PATCH * 3)

    def forward(self, images, noise, standardise):
        count, patches = noise.shape
        keep = int(patches * (1 - MASK_RATIO))
        order = noise.argsort(dim=1)
        restore = order.argsort(dim=1)
        x = self.patch_embed(images) + self.pos_embed[:, 1:]
        x = torch.gather(x, 1, order[:, :keep, None].expand(-1, -1, DIM))
        x = torch.cat([(self.cls_token + self.pos_embed[:, :1]).expand(count, -1, -1), x], dim=1)
        for each in self.blocks:
            x = each(x)
        x = self.decoder_embed(self.norm(x))
        hidden = self.mask_token.expand(count, patches - keep, -1)
        body = torch.cat([x[:, 1:], hidden], dim=1)
        body = torch.gather(body, 1, restore[:, :, None].expand(-1, -1, DECODER_DIM))
        x = torch.cat([x[:, :1], body], dim=1) + self.decoder_pos_embed
        for each in self.decoder_blocks:
            x = each(x)
        prediction = self.decoder_pred(self.decoder_norm(x))[:, 1:]
        target = images.reshape(count, 3, self.grid, PATCH, self.grid, PATCH)
        target = target.permute(0, 2, 4, 3, 5, 1).reshape(count, patches, -1)
        if standardise:
            target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        masked = (restore >= keep).float()
        loss = (((prediction - target) ** 2).mean(-1) * masked).sum() / masked.sum()
        return loss, prediction, masked


model = Autoencoder()
for name, parameter in model.named_parameters():
    if parameter.requires_grad:
        parameter.data += 0.05 * torch.randn_like(parameter)
images = torch.randn(BATCH, 3, IMAGE, IMAGE)
noise = torch.rand(BATCH, (IMAGE // PATCH) ** 2)
out = {"images": images, "noise": noise}
out |= {f"parameter.{name}": value for name, value in model.named_parameters()}
for kind, standardise in (("normPix", True), ("pixels", False)):
    model.zero_grad()
    loss, prediction, masked = model(images, noise, standardise)
    loss.backward()
    out |= {f"{kind}.loss": loss.reshape(1), "prediction": prediction, "masked": masked}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            out[f"{kind}.gradient.{name}"] = parameter.grad.clone()

if __name__ == "__main__":
    path = Path(__file__).parent / "fixtures" / "mae.safetensors"
    metadata = {"torch": torch.__version__, "timm": timm.__version__}
    save_file({name: value.detach().contiguous().float() for name, value in out.items()}, path, metadata)
    print(path, path.stat().st_size, metadata)
