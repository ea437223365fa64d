/* Networks for pictures that Sfumato does not run, by names of tensors that no other has: architectures that spandrel
 * 0.4.2 knows. Their files are refused by name, those that hold a known network inside another included.
 * Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later */
#include "family/registry.h"

#include <string.h>

typedef struct {
    const char *name, *sign;
} Foreign;

/* Of two that share a sign, the one with the rarer sign comes first. */
static const Foreign certain[] = {
    {"AdaCode", "weight_predictor.blocks.0.swin_blks.0.residual_group.blocks.0.norm1.weight"},
    {"ATD", "layers.0.residual_group.td"},
    {"AuraSR", "mid_attn.layers.0.0.to_out.weight"},
    {"CodeFormer", "idx_pred_layer.1.weight"},
    {"CRAFT", "layers.0.residual_group.hf_blocks.0.attn.temperature"},
    {"DCTLSA", "B1.body.0.transformer_body.0.blocks.0.attn.qkv.weight"},
    {"DDColor", "refine_net.0.0.weight_orig"},
    {"DITN", "UFONE.0.ITLs.0.attn.temperature"},
    {"DRCT", "layers.0.swin1.attn.qkv.weight"},
    {"FBCNN", "qf_pred.0.res.0.weight"},
    {"DRUNet", "m_down1.0.res.0.weight"},
    {"FDAT", "groups.0.blocks.0.inter.cg.1.weight"},
    {"FeMaSR", "multiscale_encoder.in_conv.weight"},
    {"FFTformer", "encoder_level1.0.ffn.fft"},
    {"GFPGAN", "stylegan_decoder.style_mlp.1.weight"},
    {"GRL", "layers.0.blocks.0.attn.window_attn.attn_transform.logit_scale"},
    {"HVI-CIDNet", "HVE_block0.1.weight"},
    {"IPT", "body.encoder.layers.0.self_attn.in_proj_weight"},
    {"KBNet", "encoders.0.0.attgamma"},
    {"KBNet", "encoder_level1.0.attn.ga1"},
    {"M3SNet", "middle_blks.0.qkv_dwconv.weight"},
    {"MAT", "synthesis.first_stage.conv_first.conv.resample_filter"},
    {"MIRNet-v2", "body.0.body.0.dau_top.body.0.weight"},
    {"MixDehazeNet", "layer1.blocks.0.conv3_19.weight"},
    {"MM-RealSR", "am_list.0.fc.0.weight"},
    {"MoESR", "blocks.0.blocks.0.conv.dwconv_hw.weight"},
    {"MoSR", "gblocks.1.fc1.weight"},
    {"MPRNet", "shallow_feat1.1.CA.conv_du.0.weight"},
    {"NAFNet", "middle_blks.0.beta"},
    {"RCAN", "body.0.body.0.body.3.conv_du.0.weight"},
    {"RealCUGAN", "unet1.conv_bottom.weight"},
    {"Restormer", "encoder_level1.0.attn.qkv_dwconv.weight"},
    {"RestoreFormer or another VQGAN", "quantize.embedding.weight"},
    {"Retinexformer", "body.0.estimator.conv1.weight"},
    {"RGT", "layers.0.blocks.0.gamma"},
    {"SAFMN", "feats.0.safm.mfr.0.weight"},
    {"SAFMN (BCIE)", "feats.0.layers.0.safm.mfr.0.weight"},
    {"SeemoRe", "body.0.local_block.norm_1.weight"},
    {"SwiftSRGAN", "initial.cnn.depthwise.weight"},
    {"Swin2SR", "layers.0.residual_group.blocks.0.attn.cpb_mlp.0.weight"},
    {"Uformer", "encoderlayer_0.blocks.0.norm1.weight"},
};
/* Names that other networks have as well: asked when no family knows the file. */
static const Foreign likely[] = {
    {"SCUNet", "m_tail.0.weight"},
    {"EDSR", "add_mean.weight"},
    {"SRResNet", "upconv1.weight"},
    {"DnCNN", "model.2.weight"},
};

/* Whether a tensor is called so, alone or behind a dot. */
static gboolean holds(const SfuFile *f, const char *sign)
{
    const gsize n = strlen(sign);
    for (guint i = 0; i < f->tensors->len; i++) {
        const char *name = ((const SfuFileTensor *)g_ptr_array_index(f->tensors, i))->name;
        const gsize n_name = strlen(name);
        if (n_name >= n && strcmp(name + n_name - n, sign) == 0 && (n_name == n || name[n_name - n - 1] == '.'))
            return TRUE;
    }
    return FALSE;
}

const char *sfu_family_foreign(const SfuFile *f, gboolean unknown)
{
    const Foreign *list = unknown ? likely : certain;
    const gsize n = unknown ? G_N_ELEMENTS(likely) : G_N_ELEMENTS(certain);
    for (gsize i = 0; i < n; i++)
        if (holds(f, list[i].sign))
            return list[i].name;
    return NULL;
}
