/* AVERAGE_POOL_2D and MAX_POOL_2D, four channels at a time. */
#include "requantize.h"
#include "tinyml_nn_convolution.h"

enum { kLanes = 4, kMostInLane = INT16_MAX / 128 };

/* The part of a window inside the image. */
typedef struct {
  const int8_t* corner;
  int32_t rows, columns;
  int32_t row_step, step; /* from row to row and from column to column */
} Part;

static Part part_of(const tinyml_nn_window* w, const int8_t* input, int32_t y, int32_t x) {
  const int32_t bottom = y + w->window_height, right = x + w->window_width;
  const int32_t top = y > 0 ? y : 0, left = x > 0 ? x : 0, step = w->input_channels;
  Part part = {.corner = input + (top * w->input_width + left) * step,
               .rows = (bottom < w->input_height ? bottom : w->input_height) - top,
               .columns = (right < w->input_width ? right : w->input_width) - left,
               .row_step = w->input_width * step,
               .step = step};
  if (part.columns == w->input_width) { /* one run of pixels */
    part.columns *= part.rows;
    part.rows = 1;
  }
  return part;
}

/* Lanes of 16 bits hold the sums of 255 values. */
static void sum_quad(const Part* part, const int8_t* corner, int32_t sums[kLanes]) {
  uint32_t even = 0, odd = 0;
  int32_t room = kMostInLane;
  for (int i = 0; i < kLanes; ++i) sums[i] = 0;
  for (int32_t row = 0; row < part->rows; ++row, corner += part->row_step) {
    const int8_t* values = corner;
    for (int32_t left = part->columns; left > 0;) {
      const int32_t count = left < room ? left : room;
      for (int32_t i = 0; i < count; ++i, values += part->step) {
        const uint32_t word = load_word(values);
        even = add_even(even, word);
        odd = add_odd(odd, word);
      }
      left -= count;
      room -= count;
      if (room > 0 && (left > 0 || row + 1 < part->rows)) continue;
      sums[0] += low_lane(even);
      sums[1] += low_lane(odd);
      sums[2] += high_lane(even);
      sums[3] += high_lane(odd);
      even = odd = 0;
      room = kMostInLane;
    }
  }
}

static int32_t sum_one(const Part* part, const int8_t* corner) {
  int32_t sum = 0;
  for (int32_t row = 0; row < part->rows; ++row, corner += part->row_step) {
    for (int32_t i = 0; i < part->columns; ++i) sum += corner[i * part->step];
  }
  return sum;
}

/* Halves away from zero. */
static inline int8_t average(int32_t sum, int32_t count) {
  return (int8_t)((sum > 0 ? sum + count / 2 : sum - count / 2) / count);
}

static void average_part(const Part* part, int8_t* output) {
  const int32_t count = part->rows * part->columns;
  int32_t channel = 0;
  for (; channel + kLanes <= part->step; channel += kLanes) {
    int32_t sums[kLanes];
    sum_quad(part, part->corner + channel, sums);
    for (int i = 0; i < kLanes; ++i) output[channel + i] = average(sums[i], count);
  }
  for (; channel < part->step; ++channel) {
    output[channel] = average(sum_one(part, part->corner + channel), count);
  }
}

static uint32_t largest_quad(const Part* part, const int8_t* corner) {
  uint32_t largest = UINT32_C(0x80808080);
  for (int32_t row = 0; row < part->rows; ++row, corner += part->row_step) {
    const int8_t* values = corner;
    for (int32_t i = 0; i < part->columns; ++i, values += part->step) {
      largest = largest_bytes(largest, load_word(values));
    }
  }
  return largest;
}

static int8_t largest_one(const Part* part, const int8_t* corner) {
  int8_t largest = INT8_MIN;
  for (int32_t row = 0; row < part->rows; ++row, corner += part->row_step) {
    for (int32_t i = 0; i < part->columns; ++i) {
      if (corner[i * part->step] > largest) largest = corner[i * part->step];
    }
  }
  return largest;
}

static void largest_of_part(const Part* part, int8_t* output) {
  int32_t channel = 0;
  for (; channel + kLanes <= part->step; channel += kLanes) {
    store_word(output + channel, largest_quad(part, part->corner + channel));
  }
  for (; channel < part->step; ++channel) output[channel] = largest_one(part, part->corner + channel);
}

static void pool(const tinyml_nn_window* w, const int8_t* input, void (*pool_part)(const Part*, int8_t*),
                 int8_t* output) {
  int8_t* to = output;
  for (int32_t i = 0, y = -w->padding_y; i < w->output_height; ++i, y += w->stride_y) {
    for (int32_t j = 0, x = -w->padding_x; j < w->output_width; ++j, x += w->stride_x) {
      const Part part = part_of(w, input, y, x);
      pool_part(&part, to);
      to += w->output_channels;
    }
  }
  clamp_outputs(output, w->output_height * w->output_width * w->output_channels, &w->activation);
}

void tinyml_nn_average_pool_s8(const tinyml_nn_window* window, const int8_t* input, int8_t* output) {
  pool(window, input, average_part, output);
}

void tinyml_nn_max_pool_s8(const tinyml_nn_window* window, const int8_t* input, int8_t* output) {
  pool(window, input, largest_of_part, output);
}
