/* DEPTHWISE_CONV_2D of any window, four channels at a time.
 *
 * Two values of a window, x and y, hold four channels each. PKHBT and PKHTB make (x0, x1, y0, y1) and (x2,
 * x3, y2, y3) of them, and SXTB16 of these the lanes (x0, y0), (x1, y1), ...: two values of one channel,
 * which SMLAD multiplies with two weights of it. A table holds how far the values of a window lie from where
 * it begins; those beyond the input lie in a pixel of zero points. Where channels have several filters, or
 * are fewer than four, the window is gathered in working memory first.
 */
#include "requantize.h"

enum { kLanes = 4, kPairBytes = 8 };

typedef struct {
  const tinyml_nn_window* window;
  const int8_t* input;
  const int8_t* weights;
  const int32_t* channels;
  uintptr_t* offsets; /* from a window's first value to each; the last is repeated if they are odd */
  uintptr_t* offsets_end;
  int8_t* memory; /* one pixel of zero points, or a window */
  int32_t pitch;  /* bytes of a pixel in it */
  int is_plain;   /* whether sums and scales may have any size */
} Layer;

static inline int8_t output_of(const Layer* layer, const int32_t* channel, uint32_t sum) {
  if (layer->is_plain) return requantize_plain(sum, channel, layer->window->output_zero_point);
  return requantize_sum(sum, channel);
}

static inline uint32_t load_value(uintptr_t at) {
  return load_word((const void*)at);
}

/* Channels `at` to `at` + 3 of one window, of which those from `first` on are wanted. */
static __attribute__((noinline)) void convolve_quad(const Layer* layer, uintptr_t values,
                                                    const int8_t* weights, int32_t at, int32_t first,
                                                    int8_t* output) {
  const uintptr_t quad = values + (uintptr_t)at;
  uint32_t sums[kLanes] = {0};
  for (const uintptr_t* offset = layer->offsets; offset != layer->offsets_end; offset += 2) {
    const uint32_t x = load_value(quad + offset[0]), y = load_value(quad + offset[1]);
    const uint32_t low = pair_low(x, y), high = pair_high(x, y);
    const uint32_t low_weights = load_word(weights), high_weights = load_word(weights + 4);
    weights += kPairBytes;
    sums[0] = multiply_lanes(widen_even(low), widen_even(low_weights), sums[0]);
    sums[1] = multiply_lanes(widen_odd(low), widen_odd(low_weights), sums[1]);
    sums[2] = multiply_lanes(widen_even(high), widen_even(high_weights), sums[2]);
    sums[3] = multiply_lanes(widen_odd(high), widen_odd(high_weights), sums[3]);
  }
  for (int32_t lane = first; lane < kLanes; ++lane) {
    output[at + lane] = output_of(layer, layer->channels + (at + lane) * kChannelWords, sums[lane]);
  }
}

#if TINYML_NN_DSP

/* The assembly below depends on the order of the fields. */
typedef struct {
  const uintptr_t *offsets, *offsets_end;
  const int32_t* channels;
  int8_t* output;
  int8_t* output_end;
} Job;

/* Two values and weights of four channels; `multiply` is smlad, or smuad for the first ones. */
#define STEP(multiply, a, b, c, d)                                                        \
  "ldmia r1!, {r4, r5}\n\t"                                                               \
  "ldr r4, [r0, r4]\n\t"                                                                  \
  "ldr r5, [r0, r5]\n\t"                                                                  \
  "ldmia r2!, {r10, r11}\n\t"                                                             \
  "pkhbt r6, r4, r5, lsl #16\n\t"                                                         \
  "pkhtb r7, r5, r4, asr #16\n\t"                                                         \
  "sxtb16 r4, r6\n\t"                                                                     \
  "sxtb16 r5, r10\n\t"                                                                    \
  "sxtb16 r6, r6, ror #8\n\t"                                                             \
  "sxtb16 r10, r10, ror #8\n\t" multiply " r8, r4, r5" a "\n\t" multiply " r9, r6, r10" b \
  "\n\t"                                                                                  \
  "sxtb16 r4, r7\n\t"                                                                     \
  "sxtb16 r5, r11\n\t"                                                                    \
  "sxtb16 r7, r7, ror #8\n\t"                                                             \
  "sxtb16 r11, r11, ror #8\n\t" multiply " r12, r4, r5" c "\n\t" multiply " lr, r7, r11" d "\n\t"
#define FIRST_STEP STEP("smuad", "", "", "", "")
#define NEXT_STEP STEP("smlad", ", r8", ", r9", ", r12", ", lr")
/* `requantize` and store a sum. */
#define PUT(sum)                                                           \
  "ldmia r1!, {r4-r7}\n\t" /* doubled bias, multiplier, rounding, shift */ \
  "add " sum ", r4, " sum                                                  \
  ", lsl #1\n\t"                                                           \
  "smmlar r6, " sum                                                        \
  ", r5, r6\n\t"                                                           \
  "add r6, r6, " sum                                                       \
  ", asr #31\n\t"                                                          \
  "asr r6, r6, r7\n\t"                                                     \
  "ssat r6, #8, r6\n\t"                                                    \
  "strb r6, [r3], #1\n\t"

/* r0 values, r1 offsets, then channels, r2 weights, r3 end of the offsets, then output, r4-r7, r10, r11
 * inputs and weights, r8, r9, r12, lr sums. r7 may be the frame pointer, so it is saved here. */
static __attribute__((noinline)) void convolve_quads(uintptr_t values, const Job* job,
                                                     const int8_t* weights) {
  register uintptr_t r0 __asm__("r0") = values;
  register const Job* r1 __asm__("r1") = job;
  register const int8_t* r2 __asm__("r2") = weights;
  __asm__ volatile(
      "push {r7}\n\t"
      "ldmia r1, {r4-r8}\n\t"
      "push {r4-r8}\n"
      "1:\n\t"
      "ldrd r1, r3, [sp]\n\t" FIRST_STEP
      "subs r4, r3, r1\n\t"
      "beq 4f\n\t"
      "lsls r4, r4, #28\n\t" /* an odd number of pairs is left */
      "bmi 3f\n"
      "2:\n\t" NEXT_STEP
      "3:\n\t" NEXT_STEP
      "cmp r1, r3\n\t"
      "bne 2b\n"
      "4:\n\t"
      "ldrd r1, r3, [sp, #8]\n\t" PUT("r8") PUT("r9") PUT("r12") PUT("lr")
      "strd r1, r3, [sp, #8]\n\t"
      "ldr r5, [sp, #16]\n\t"
      "add r0, r0, #4\n\t"
      "cmp r3, r5\n\t"
      "bne 1b\n\t"
      "add sp, sp, #20\n\t"
      "pop {r7}"
      : "+r"(r0), "+r"(r1), "+r"(r2)
      :
      : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

#endif

/* All channels of one window. The last four overlap the ones before them if they are not whole. */
static void convolve_window(const Layer* layer, uintptr_t values, int8_t* output) {
  const int32_t channels = layer->window->output_channels;
  const int32_t quad_bytes = (int32_t)(layer->offsets_end - layer->offsets) / 2 * kPairBytes;
  const int8_t* weights = layer->weights;
  int32_t at = 0;
#if TINYML_NN_DSP
  if (!layer->is_plain && channels >= kLanes) {
    at = channels / kLanes * kLanes;
    const Job job = {layer->offsets, layer->offsets_end, layer->channels, output, output + at};
    convolve_quads(values, &job, weights);
    weights += at / kLanes * quad_bytes;
  }
#endif
  for (; at < channels; at += kLanes, weights += quad_bytes) {
    const int32_t first = at + kLanes <= channels ? at : channels - kLanes;
    convolve_quad(layer, values, weights, first, at - first, output);
  }
}

/* The pixel of the input at this place; NULL outside. */
static inline const int8_t* pixel_at(const Layer* layer, int32_t y, int32_t x) {
  const tinyml_nn_window* const w = layer->window;
  if (y < 0 || y >= w->input_height || x < 0 || x >= w->input_width) return NULL;
  return layer->input + (y * w->input_width + x) * w->input_channels;
}

static void fill_with_zero_point(const Layer* layer, int8_t* pixel) {
  const uint32_t zero = (uint8_t)layer->window->input_zero_point * UINT32_C(0x01010101);
  for (int32_t i = 0; i < layer->pitch; i += kLanes) store_word(pixel + i, zero);
}

/* Repeats each of a pixel's channels as often as it has filters. */
static void spread(const tinyml_nn_window* w, const int8_t* pixel, int8_t* to) {
  const int32_t multiplier = w->output_channels / w->input_channels;
  for (int32_t i = 0; i < w->input_channels; ++i) {
    for (int32_t j = 0; j < multiplier; ++j) *to++ = pixel[i];
  }
}

/* The window that begins at y, x in working memory, its channels at the ends of pixels of whole words. */
static uintptr_t gather(const Layer* layer, int32_t y, int32_t x) {
  const tinyml_nn_window* const w = layer->window;
  int8_t* to = layer->memory;
  for (int32_t i = 0; i < w->window_height; ++i) {
    for (int32_t j = 0; j < w->window_width; ++j, to += layer->pitch) {
      const int8_t* pixel = pixel_at(layer, y + i * w->dilation_y, x + j * w->dilation_x);
      if (pixel) {
        spread(w, pixel, to + layer->pitch - w->output_channels);
      } else {
        fill_with_zero_point(layer, to);
      }
    }
  }
  return (uintptr_t)layer->memory + (uintptr_t)(layer->pitch - w->output_channels);
}

/* Fills the table for windows that lie in the input. */
static void point_inside(const Layer* layer) {
  const tinyml_nn_window* const w = layer->window;
  const uintptr_t row_step = (uintptr_t)(w->dilation_y * w->input_width * w->input_channels);
  const int is_column = w->window_width == 1;
  const uintptr_t step = is_column ? row_step : (uintptr_t)(w->dilation_x * w->input_channels);
  const int32_t values = is_column ? w->window_height : w->window_width;
  const uintptr_t* const end = layer->offsets + w->window_height * w->window_width;
  uintptr_t* offset = layer->offsets;
  for (uintptr_t row = 0; offset != end; row += row_step) {
    const uintptr_t* const row_end = offset + values;
    for (uintptr_t at = row; offset != row_end; at += step) *offset++ = at;
  }
  if (offset != layer->offsets_end) *offset = offset[-1];
}

/* Fills the table for the window that begins at y, x, which lies at `values`. */
static void point_to(const Layer* layer, int32_t y, int32_t x, uintptr_t values) {
  const tinyml_nn_window* const w = layer->window;
  uintptr_t* offset = layer->offsets;
  for (int32_t i = 0; i < w->window_height; ++i) {
    for (int32_t j = 0; j < w->window_width; ++j) {
      const int8_t* pixel = pixel_at(layer, y + i * w->dilation_y, x + j * w->dilation_x);
      *offset++ = (uintptr_t)(pixel ? pixel : layer->memory) - values;
    }
  }
  if (offset != layer->offsets_end) *offset = offset[-1];
}

static void convolve_gathered(const Layer* layer, int8_t* output) {
  const tinyml_nn_window* const w = layer->window;
  uintptr_t at = 0;
  for (uintptr_t* offset = layer->offsets; offset != layer->offsets_end; ++offset) {
    *offset = at;
    if (offset + 1 != layer->offsets + w->window_height * w->window_width) at += (uintptr_t)layer->pitch;
  }
  for (int32_t i = 0, y = -w->padding_y; i < w->output_height; ++i, y += w->stride_y) {
    for (int32_t j = 0, x = -w->padding_x; j < w->output_width; ++j, x += w->stride_x) {
      convolve_window(layer, gather(layer, y, x), output);
      output += w->output_channels;
    }
  }
}

static void convolve_in_place(const Layer* layer, int8_t* output) {
  const tinyml_nn_window* const w = layer->window;
  const int32_t last_y = w->input_height - 1 - (w->window_height - 1) * w->dilation_y;
  const int32_t last_x = w->input_width - 1 - (w->window_width - 1) * w->dilation_x;
  int is_inner = 0, is_filled = 0;
  for (int32_t i = 0, y = -w->padding_y; i < w->output_height; ++i, y += w->stride_y) {
    for (int32_t j = 0, x = -w->padding_x; j < w->output_width; ++j, x += w->stride_x) {
      const uintptr_t values =
          (uintptr_t)layer->input + (uintptr_t)((y * w->input_width + x) * w->input_channels);
      const int was_inner = is_inner;
      is_inner = y >= 0 && y <= last_y && x >= 0 && x <= last_x;
      if (is_inner && !was_inner) point_inside(layer);
      if (!is_inner && !is_filled) fill_with_zero_point(layer, layer->memory);
      is_filled |= !is_inner;
      if (!is_inner) point_to(layer, y, x, values);
      convolve_window(layer, values, output);
      output += w->output_channels;
    }
  }
}

static void convolve(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                     const int32_t* channels, uint8_t* scratch, int is_plain, int8_t* output) {
  const int32_t outputs = window->output_channels;
  uintptr_t* const offsets = (uintptr_t*)(void*)scratch;
  uintptr_t* const end = offsets + (window->window_height * window->window_width + 1) / 2 * 2;
  const Layer layer = {.window = window,
                       .input = input,
                       .weights = weights,
                       .channels = channels,
                       .offsets = offsets,
                       .offsets_end = end,
                       .memory = (int8_t*)end,
                       .pitch = (outputs + kLanes - 1) / kLanes * kLanes,
                       .is_plain = is_plain};
  (outputs == window->input_channels && outputs >= kLanes ? convolve_in_place : convolve_gathered)(&layer,
                                                                                                   output);
  clamp_outputs(output, window->output_height * window->output_width * outputs, &window->activation);
}

void tinyml_nn_depthwise_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                            const int32_t* channels, uint8_t* scratch, int8_t* output) {
  convolve(window, input, weights, channels, scratch, 0, output);
}

void tinyml_nn_depthwise_plain_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                                  const int32_t* channels, uint8_t* scratch, int8_t* output) {
  convolve(window, input, weights, channels, scratch, 1, output);
}
