"""The ahead-of-time compiler: from a quantised flatbuffer to plain C11 over kernels of our own."""
