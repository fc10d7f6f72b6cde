#include "motion_window.h"

#include <string.h>

bool motion_window_reset(MotionWindow* window, const MotionWindowConfig* config) {
  memset(window, 0, sizeof(*window));
  window->config = *config;
  window->collecting = config->start_mg == 0;
  return config->window_samples >= 1 && config->window_samples <= MOTION_MAX_WINDOW &&
         config->stride_samples >= 1 && config->stride_samples <= config->window_samples &&
         config->shift >= 1 && config->shift <= 62;
}

static int32_t magnitude(int32_t value) {
  return value < 0 ? -value : value;
}

bool motion_window_push(MotionWindow* window, const int16_t sample[MOTION_VALUES]) {
  const MotionWindowConfig* config = &window->config;
  memcpy(window->samples[window->next], sample, sizeof(window->samples[0]));
  window->next = (uint16_t)((window->next + 1) % config->window_samples);
  window->quiet -= window->quiet > 0;
  if (!window->collecting) {
    const bool loud = magnitude(sample[0]) + magnitude(sample[1]) + magnitude(sample[2]) >= config->start_mg;
    if (!loud || window->quiet > 0) {
      return false;
    }
    window->collecting = true;
  }
  ++window->held;
  if (window->held < config->window_samples) {
    return false;
  }
  if (config->start_mg > 0) {
    window->collecting = false;
    window->held = 0;
    return true;
  }
  window->held = (uint16_t)(window->held - config->stride_samples);
  return window->quiet == 0;
}

void motion_window_input(const MotionWindow* window, int8_t* input) {
  const MotionWindowConfig* config = &window->config;
  const int64_t half = (int64_t)1 << (config->shift - 1);
  for (size_t i = 0; i < config->window_samples; ++i) {
    const int16_t* sample = window->samples[(window->next + i) % config->window_samples];
    for (int j = 0; j < MOTION_VALUES; ++j) {
      const int64_t scaled = ((int64_t)sample[j] * config->multipliers[j] + half) >> config->shift;
      const int64_t value = scaled + config->zero_point;
      *input++ = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
    }
  }
}

void motion_window_accept(MotionWindow* window) {
  window->quiet = window->config.suppression_samples;
}
