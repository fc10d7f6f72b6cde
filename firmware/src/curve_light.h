// How bright the light of a curve is.
#pragma once

#include <stdint.h>

#include "model_settings.h"

// 0 for y = -1, 255 for y = 1; of the network's output.
inline uint8_t curve_light(int8_t y) {
  constexpr int32_t kBrightest = 255;
  const int32_t middle = 128 << 16;  // 127.5, and a half to round by
  const int32_t value = middle + (y - OUTPUT_ZERO_POINT) * LIGHT_PER_STEP_Q16;
  if (value < 0) {
    return 0;
  }
  const int32_t whole = value >> 16;
  return static_cast<uint8_t>(whole > kBrightest ? kBrightest : whole);
}
