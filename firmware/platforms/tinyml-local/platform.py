"""PlatformIO platform without packages: the compilers are the ones on PATH."""

from platformio.public import PlatformBase


class Tinyml_localPlatform(PlatformBase):  # noqa: N801  (PlatformIO derives this name from platform.json)
    def is_embedded(self):
        return False
