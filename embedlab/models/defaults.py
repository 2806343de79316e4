"""The weights that torchvision takes by default: their files, and what a picture costs them.

They stand here, and are not asked of torchvision, so that the app need not import torch; a test
compares them with torchvision's own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from embedlab.home import home


@dataclass(frozen=True)
class Published:
    """One set of weights.

    Parameters
    ----------
    file : str
        Its name on torchvision's server; empty where there is none.
    operations : float
        Multiplications and additions for one picture, in billions (GMAC).
    side : int
        Side of that picture, in pixels.
    """

    file: str
    operations: float
    side: int

    def operations_at(self, size: int) -> float:
        """Scale the cost to pictures of another side."""
        return self.operations * (size / self.side) ** 2


def weights_at_hand(backbone: str) -> Path | None:
    """Find the default weights' file on this machine; None where it has to be fetched."""
    name = DEFAULTS[backbone].file
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    hub = Path(os.environ.get("TORCH_HOME") or Path(caches) / "torch") / "hub" / "checkpoints"
    for folder in (home("weights"), hub):
        if name and (folder / name).is_file():
            return folder / name
    return None


DEFAULTS: dict[str, Published] = {
    "small": Published("", 0.0134, 64),
    "alexnet": Published("alexnet-owt-7be5be79.pth", 0.714, 224),
    "convnext_base": Published("convnext_base-6075fbad.pth", 15.355, 224),
    "convnext_large": Published("convnext_large-ea097f82.pth", 34.361, 224),
    "convnext_small": Published("convnext_small-0c510722.pth", 8.684, 224),
    "convnext_tiny": Published("convnext_tiny-983f1562.pth", 4.456, 224),
    "densenet121": Published("densenet121-a639ec97.pth", 2.834, 224),
    "densenet161": Published("densenet161-8d451a50.pth", 7.728, 224),
    "densenet169": Published("densenet169-b2777c0a.pth", 3.36, 224),
    "densenet201": Published("densenet201-c1103571.pth", 4.291, 224),
    "efficientnet_b0": Published("efficientnet_b0_rwightman-7f5810bc.pth", 0.386, 224),
    "efficientnet_b1": Published("efficientnet_b1-c27df63c.pth", 0.687, 240),
    "efficientnet_b2": Published("efficientnet_b2_rwightman-c35c1473.pth", 1.088, 288),
    "efficientnet_b3": Published("efficientnet_b3_rwightman-b3899882.pth", 1.827, 300),
    "efficientnet_b4": Published("efficientnet_b4_rwightman-23ab8bcd.pth", 4.394, 380),
    "efficientnet_b5": Published("efficientnet_b5_lukemelas-1a07897c.pth", 10.266, 456),
    "efficientnet_b6": Published("efficientnet_b6_lukemelas-24a108a5.pth", 19.068, 528),
    "efficientnet_b7": Published("efficientnet_b7_lukemelas-c5b4e57e.pth", 37.746, 600),
    "efficientnet_v2_l": Published("efficientnet_v2_l-59c71312.pth", 56.08, 480),
    "efficientnet_v2_m": Published("efficientnet_v2_m-dc08266a.pth", 24.582, 480),
    "efficientnet_v2_s": Published("efficientnet_v2_s-dd5fe13b.pth", 8.366, 384),
    "googlenet": Published("googlenet-1378be20.pth", 1.498, 224),
    "inception_v3": Published("inception_v3_google-0cc3c7bd.pth", 5.713, 299),
    "maxvit_t": Published("maxvit_t-bc5ab103.pth", 5.558, 224),
    "mnasnet0_5": Published("mnasnet0.5_top1_67.823-3ffadce67e.pth", 0.104, 224),
    "mnasnet0_75": Published("mnasnet0_75-7090bc5f.pth", 0.215, 224),
    "mnasnet1_0": Published("mnasnet1.0_top1_73.512-f206786ef8.pth", 0.314, 224),
    "mnasnet1_3": Published("mnasnet1_3-a4c69d6f.pth", 0.526, 224),
    "mobilenet_v2": Published("mobilenet_v2-7ebf99e0.pth", 0.301, 224),
    "mobilenet_v3_large": Published("mobilenet_v3_large-5c1a4163.pth", 0.217, 224),
    "mobilenet_v3_small": Published("mobilenet_v3_small-047dcff4.pth", 0.057, 224),
    "regnet_x_16gf": Published("regnet_x_16gf-ba3796d7.pth", 15.941, 224),
    "regnet_x_1_6gf": Published("regnet_x_1_6gf-a12f2b72.pth", 1.603, 224),
    "regnet_x_32gf": Published("regnet_x_32gf-6eb8fdc6.pth", 31.736, 224),
    "regnet_x_3_2gf": Published("regnet_x_3_2gf-7071aa85.pth", 3.177, 224),
    "regnet_x_400mf": Published("regnet_x_400mf-62229a5f.pth", 0.414, 224),
    "regnet_x_800mf": Published("regnet_x_800mf-94a99ebd.pth", 0.8, 224),
    "regnet_x_8gf": Published("regnet_x_8gf-2b70d774.pth", 7.995, 224),
    "regnet_y_128gf": Published("regnet_y_128gf_swag-c8ce3e52.pth", 374.57, 384),
    "regnet_y_16gf": Published("regnet_y_16gf-3e4a00f9.pth", 15.912, 224),
    "regnet_y_1_6gf": Published("regnet_y_1_6gf-0d7bc02a.pth", 1.612, 224),
    "regnet_y_32gf": Published("regnet_y_32gf-8db6d4b5.pth", 32.28, 224),
    "regnet_y_3_2gf": Published("regnet_y_3_2gf-9180c971.pth", 3.176, 224),
    "regnet_y_400mf": Published("regnet_y_400mf-e6988f5f.pth", 0.402, 224),
    "regnet_y_800mf": Published("regnet_y_800mf-58fc7688.pth", 0.834, 224),
    "regnet_y_8gf": Published("regnet_y_8gf-dc2b1b54.pth", 8.473, 224),
    "resnet101": Published("resnet101-cd907fc2.pth", 7.801, 224),
    "resnet152": Published("resnet152-f82ba261.pth", 11.514, 224),
    "resnet18": Published("resnet18-f37072fd.pth", 1.814, 224),
    "resnet34": Published("resnet34-b627a593.pth", 3.664, 224),
    "resnet50": Published("resnet50-11ad3fa6.pth", 4.089, 224),
    "resnext101_32x8d": Published("resnext101_32x8d-110c445d.pth", 16.414, 224),
    "resnext101_64x4d": Published("resnext101_64x4d-173b62eb.pth", 15.46, 224),
    "resnext50_32x4d": Published("resnext50_32x4d-1a0047aa.pth", 4.23, 224),
    "shufflenet_v2_x0_5": Published("shufflenetv2_x0.5-f707e7126e.pth", 0.04, 224),
    "shufflenet_v2_x1_0": Published("shufflenetv2_x1-5666bf0f80.pth", 0.145, 224),
    "shufflenet_v2_x1_5": Published("shufflenetv2_x1_5-3c479a10.pth", 0.296, 224),
    "shufflenet_v2_x2_0": Published("shufflenetv2_x2_0-8be3c8ee.pth", 0.583, 224),
    "squeezenet1_0": Published("squeezenet1_0-b66bff10.pth", 0.819, 224),
    "squeezenet1_1": Published("squeezenet1_1-b8a52dc0.pth", 0.349, 224),
    "swin_b": Published("swin_b-68c6b09e.pth", 15.431, 224),
    "swin_s": Published("swin_s-5e29d889.pth", 8.741, 224),
    "swin_t": Published("swin_t-704ceda3.pth", 4.491, 224),
    "swin_v2_b": Published("swin_v2_b-781e5279.pth", 20.325, 256),
    "swin_v2_s": Published("swin_v2_s-637d8ceb.pth", 11.546, 256),
    "swin_v2_t": Published("swin_v2_t-b137f0e2.pth", 5.94, 256),
    "vgg11": Published("vgg11-8a719046.pth", 7.609, 224),
    "vgg11_bn": Published("vgg11_bn-6002323d.pth", 7.609, 224),
    "vgg13": Published("vgg13-19584684.pth", 11.308, 224),
    "vgg13_bn": Published("vgg13_bn-abd245e5.pth", 11.308, 224),
    "vgg16": Published("vgg16-397923af.pth", 15.47, 224),
    "vgg16_bn": Published("vgg16_bn-6c64b313.pth", 15.47, 224),
    "vgg19": Published("vgg19-dcbb9e9d.pth", 19.632, 224),
    "vgg19_bn": Published("vgg19_bn-c79401a0.pth", 19.632, 224),
    "vit_b_16": Published("vit_b_16-c867db91.pth", 17.564, 224),
    "vit_b_32": Published("vit_b_32-d86f8d99.pth", 4.409, 224),
    "vit_h_14": Published("vit_h_14_swag-80465313.pth", 1016.717, 518),
    "vit_l_16": Published("vit_l_16-852ce7e3.pth", 61.555, 224),
    "vit_l_32": Published("vit_l_32-c7638314.pth", 15.378, 224),
    "wide_resnet101_2": Published("wide_resnet101_2-d733dc28.pth", 22.753, 224),
    "wide_resnet50_2": Published("wide_resnet50_2-9ba9bcbe.pth", 11.398, 224),
}
