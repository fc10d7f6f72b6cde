// The scale of a model's scores, for integer arithmetic; and what a configuration is that consists of the
// model's settings.
#pragma once

#include <stdint.h>

#if defined(TINYML_MODEL_SLOTS)
#define MODEL_CONSTANT const  // the settings are known once a slot was selected
#else
#define MODEL_CONSTANT static constexpr
#endif

// One quantisation step in 1/65536 ‰. The compiler folds it where the scale is
// compiled in: no floating point at run time.
constexpr uint32_t permille_per_step_q16(double scale) {
  return static_cast<uint32_t>(scale * 1000.0 * 65536.0 + 0.5);
}
