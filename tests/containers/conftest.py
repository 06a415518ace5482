"""The image of the daemon, built once."""

from __future__ import annotations

import pytest
from containers.image import DOCKERFILE, Image, stages


@pytest.fixture(scope="session")
def image(tmp_path_factory) -> Image:
    root = tmp_path_factory.mktemp("image")
    image = Image(stages(DOCKERFILE.read_text())["maildrop"], root)
    image.build()
    return image
