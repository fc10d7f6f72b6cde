"""Keeps what SCons remembers of a project inside the project.

PlatformIO puts it into the object cache, which all projects share. Their objects have equal relative paths, so a
project would take its own stale object for the fresh one that another project has built.
"""

Import("env")  # noqa: F821  (SCons gives it to the script)

env.SConsignFile("$BUILD_DIR/.sconsign")  # noqa: F821
