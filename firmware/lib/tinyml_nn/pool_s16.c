/* AVERAGE_POOL_2D and MAX_POOL_2D on int16 activations. */
#include "tinyml_nn_s16.h"

typedef struct {
  int32_t sum, largest, count;
} Seen;

/* One channel of the window that begins at y, x; `input` is its first value. */
static Seen look(const tinyml_nn_window* w, const int16_t* input, int32_t y, int32_t x) {
  const int32_t bottom = y + w->window_height, right = x + w->window_width;
  const int32_t y_end = bottom < w->input_height ? bottom : w->input_height;
  const int32_t x_end = right < w->input_width ? right : w->input_width;
  Seen seen = {0, INT16_MIN, 0};
  for (int32_t row = y > 0 ? y : 0; row < y_end; ++row) {
    for (int32_t column = x > 0 ? x : 0; column < x_end; ++column) {
      const int32_t value = input[(row * w->input_width + column) * w->input_channels];
      seen.sum += value;
      if (value > seen.largest) seen.largest = value;
      ++seen.count;
    }
  }
  return seen;
}

static inline int32_t average(Seen seen) {
  const int32_t half = seen.count / 2;
  return (seen.sum > 0 ? seen.sum + half : seen.sum - half) / seen.count;
}

static inline void pool(const tinyml_nn_window* w, const int16_t* input, int is_average, int16_t* output) {
  const tinyml_nn_range range = w->activation;
  for (int32_t i = 0, y = -w->padding_y; i < w->output_height; ++i, y += w->stride_y) {
    for (int32_t j = 0, x = -w->padding_x; j < w->output_width; ++j, x += w->stride_x) {
      for (int32_t channel = 0; channel < w->output_channels; ++channel) {
        const Seen seen = look(w, input + channel, y, x);
        const int32_t value = is_average ? average(seen) : seen.largest;
        *output++ = (int16_t)(value < range.lowest    ? range.lowest
                              : value > range.highest ? range.highest
                                                      : value);
      }
    }
  }
}

void tinyml_nn_average_pool_s16(const tinyml_nn_window* window, const int16_t* input, int16_t* output) {
  pool(window, input, 1, output);
}

void tinyml_nn_max_pool_s16(const tinyml_nn_window* window, const int16_t* input, int16_t* output) {
  pool(window, input, 0, output);
}
