"""SCons script of this library: the C++ standard that the TensorFlow Lite Micro in use asks for, if any."""

Import("env")  # noqa: F821  (SCons defines it)

if standard := env.GetProjectOption("custom_tflm_standard", ""):  # noqa: F821
    env.Append(CXXFLAGS=["-std=" + standard])  # noqa: F821
