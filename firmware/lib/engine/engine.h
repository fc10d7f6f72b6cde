// Runs the model. One class `Engine` with one interface; the build chooses which engine stands behind it:
//
//   bool begin();                     prepares; false: see error()
//   int8_t* input();                  where to write input_bytes() values; write all of them each time
//   bool invoke();                    one inference; false: see error()
//   const int8_t* output() const;     output_bytes() values, valid until the next invoke()
//   size_t input_count() const;       and input(i), input_bytes(i) of each; the same of outputs
//   void reset();                     forgets what a streaming model remembers
//   size_t arena_used() const, arena_bytes() const;
//   const char* name() const;         "aot" or "tflm"
//   const char* error() const;        what went wrong last; "" when nothing did
//
// With TINYML_SECOND_MODEL a second model works in the same arena, between two inferences of the first:
// second_input(), second_invoke(), second_output(). Each writes over the other's input and output.
#pragma once

#include "tinyml_build.h"

#if defined(TINYML_ENGINE_AOT)
#include "engine_aot.h"
#elif defined(TINYML_ENGINE_TFLM)
#include "engine_tflm.h"
#else
#error "tinyml_build.h must define TINYML_ENGINE_AOT or TINYML_ENGINE_TFLM"
#endif
