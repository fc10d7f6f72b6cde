// Runs the model. One class `Engine` with one interface; the build selects the engine behind it:
//
//   bool begin();                     prepares; false: see error()
//   int8_t* input();                  where to write input_bytes() values; write all of them each time
//   bool invoke();                    one inference; false: see error()
//   const int8_t* output() const;     output_bytes() values, valid until the next invoke()
//   size_t input_count() const;       and input(i), input_bytes(i) of each; the same of outputs
//   void reset();                     resets the state of a streaming model
//   size_t arena_used() const, arena_bytes() const;
//   const char* name() const;         "aot" or "tflm"
//   const char* error() const;        the last error; "" if there was none
//
// With TINYML_SECOND_MODEL a second model uses the same arena, between two inferences of the first:
// second_input(), second_invoke(), second_output(). Each overwrites the other's input and output.
#pragma once

#include "tinyml_build.h"

#if defined(TINYML_ENGINE_AOT)
#include "engine_aot.h"
#elif defined(TINYML_ENGINE_TFLM)
#include "engine_tflm.h"
#else
#error "tinyml_build.h must define TINYML_ENGINE_AOT or TINYML_ENGINE_TFLM"
#endif
