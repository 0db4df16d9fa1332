"""``python -m engine.reduction``: downloads VGG-16's weights through torchvision, for the encoders that need them."""

from __future__ import annotations

import sys

from torchvision.models import VGG16_Weights

from engine.reduction.choice import weights_file


def main() -> int:
    """Download the weights if they are missing; return 0, or 1 with the reason on standard error."""
    try:
        VGG16_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
    except OSError as error:
        sys.stderr.write(f"VGG-16's weights could not be downloaded: {error}\n")
        return 1
    sys.stdout.write(f"VGG-16's weights are in {weights_file()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
