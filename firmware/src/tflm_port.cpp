// What TensorFlow Lite Micro asks of a platform. Its texts are dropped: the engine reports what goes wrong.
#include "tinyml_build.h"

#if defined(TINYML_ENGINE_TFLM)

extern "C" void DebugLog(const char*) {}

#endif
