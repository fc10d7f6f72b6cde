"""Container images with tinyml, a compiler and QEMU, written as OCI layouts without a daemon."""
