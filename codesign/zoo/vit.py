"""Vision Transformer B/16: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.zoo.layers import PreNormBlock, image

WIDTH, HEADS, LAYERS, PATCH, SIZE = 768, 12, 12, 16, 224


class VisionTransformer(nn.Module):
    """Patch embedding, a class token, learned positions, encoder blocks and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.class_token = nn.Parameter(torch.empty(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.empty(1, (SIZE // PATCH) ** 2 + 1, WIDTH))
        self.blocks = nn.Sequential(*(PreNormBlock(WIDTH, HEADS, 1e-6) for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        self.head = nn.Linear(WIDTH, 1000)

    def forward(self, images: Tensor) -> Tensor:
        """Maps [batch, 3, 224, 224] to the scores of 1,000 classes."""
        patches = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(images), -1, -1), patches], dim=1)
        return self.head(self.norm(self.blocks(tokens + self.positions))[:, 0])


def vit_b_16(batch: int) -> tuple[nn.Module, tuple[Tensor]]:
    """ViT-B/16 and a batch of images."""
    return VisionTransformer(), (image(batch, SIZE),)
