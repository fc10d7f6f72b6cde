// The scale of a model's scores, for integer arithmetic.
#pragma once

#include <stdint.h>

// One quantisation step in 1/65536 ‰. The compiler folds it: no floating point at run time.
constexpr uint32_t permille_per_step_q16(double scale) {
  return static_cast<uint32_t>(scale * 1000.0 * 65536.0 + 0.5);
}
