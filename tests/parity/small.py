"""Small configurations that several make-*.py scripts share.
Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later"""

# AutoencoderKL, 8 pixels a latent
SMALL_VAE = {
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "layers_per_block": 1,
    "sample_size": 64,
    "latent_channels": 4,
    "block_out_channels": (32, 32, 32, 64),
}
