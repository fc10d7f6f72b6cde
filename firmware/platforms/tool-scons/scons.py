"""Runs the SCons that is installed beside PlatformIO."""

import sys

from SCons.Script.Main import main

sys.exit(main())
