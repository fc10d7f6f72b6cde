// What TensorFlow Lite Micro asks of a platform. Its texts are dropped: the engine reports what goes wrong.
#include "tinyml_build.h"

#if defined(TINYML_ENGINE_TFLM)

// Releases disagree about the arguments (a text; a format and its values): none is looked at, so any caller
// may call. A library that comes as a whole brings its own DebugLog, which prints and waits for the host; the
// linker is told to lead its callers here (--wrap=DebugLog).
#if defined(TINYML_ARDUINO)
extern "C" void __wrap_DebugLog() {}
#else
extern "C" void DebugLog() {}
#endif

extern "C" int DebugVsnprintf() {
  return 0;
}

#endif
