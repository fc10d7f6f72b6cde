// The library's model, for its own parts.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine_aot.h"
#include "tinyml_library.h"

// Whether the model's first input has this size; for static_assert.
constexpr bool takes(size_t bytes) {
  return aot::kInputBytes[0] == bytes;
}

// Starts the model anew.
void restart_model();

// What tinyml_score_permille() gives.
void set_score(uint32_t permille);
