// TensorFlow Lite Micro's platform function. Its texts are discarded: the engine reports errors.
#include "tinyml_build.h"

#if defined(TINYML_ENGINE_TFLM)

// Releases differ in the arguments (a text; a format and its values). None is used, so any caller
// works. A library installed as a whole has its own DebugLog, which prints and waits for the host; the
// linker redirects its callers here (--wrap=DebugLog).
#if defined(TINYML_ARDUINO)
extern "C" void __wrap_DebugLog() {}
#else
extern "C" void DebugLog() {}
#endif

extern "C" int DebugVsnprintf() {
  return 0;
}

#endif
