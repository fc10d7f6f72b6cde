/* CONV_2D with a window of one pixel. */
#include "columns.h"
#include "requantize.h"

/* One pixel; the last quad may be short, its missing values count as 0. */
static void fill_column(const int8_t* pixel, int32_t channels, uint8_t* column) {
  const int32_t quads = channels / kQuad, rest = channels % kQuad;
  column = tinyml_nn_widen(pixel, quads, column);
  if (rest == 0) return;
  int8_t last[kQuad] = {0};
  for (int32_t i = 0; i < rest; ++i) last[i] = pixel[quads * kQuad + i];
  tinyml_nn_widen(last, 1, column);
}

#if TINYML_NN_DSP

/* The whole quads of three pixels that lie `step` bytes apart. */
static __attribute__((noinline)) void widen_three(const int8_t* pixel, int32_t step, int32_t quads,
                                                  uint8_t* columns) {
  register const int8_t* r0 __asm__("r0") = pixel;
  register const int8_t* r1 __asm__("r1") = pixel + step;
  register const int8_t* r2 __asm__("r2") = pixel + 2 * step;
  register uint8_t* r3 __asm__("r3") = columns;
  register const int8_t* end __asm__("r12") = pixel + quads * kQuad;
  __asm__ volatile(
      "1:\n\t"
      "ldr r8, [r0], #4\n\t"
      "ldr r9, [r1], #4\n\t"
      "ldr r10, [r2], #4\n\t"
      "sxtb16 r4, r8\n\t"
      "sxtb16 r5, r9\n\t"
      "sxtb16 r6, r10\n\t"
      "sxtb16 r8, r8, ror #8\n\t"
      "sxtb16 r9, r9, ror #8\n\t"
      "sxtb16 r10, r10, ror #8\n\t"
      "stmia r3!, {r4-r6, r8-r10}\n\t"
      "cmp r0, r12\n\t"
      "bne 1b"
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
      : "r"(end)
      : "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory");
}

#else

static void widen_three(const int8_t* pixel, int32_t step, int32_t quads, uint8_t* columns) {
  for (int i = 0; i < kColumns; ++i) tinyml_nn_widen(pixel + i * step, quads, columns + i * kWordBytes);
}

#endif

void tinyml_nn_convolve_1x1_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                               const int32_t* channels, uint8_t* scratch, int8_t* output) {
  const tinyml_nn_window* w = window;
  const int32_t depth = w->input_channels, quads = (depth + kQuad - 1) / kQuad;
  const int32_t step = w->stride_x * depth, row_step = w->stride_y * w->input_width * depth;
  /* Without strides the image is one row. */
  const int is_row = w->stride_x == 1 && w->stride_y == 1;
  const int32_t rows = is_row ? 1 : w->output_height;
  const int32_t width = is_row ? w->output_height * w->output_width : w->output_width;
  int8_t* to = output;
  for (int32_t y = 0; y < rows; ++y, input += row_step) {
    const int8_t* pixel = input;
    for (int32_t left = width; left > 0; left -= kColumns, pixel += kColumns * step) {
      const int32_t count = left < kColumns ? left : kColumns;
      if (count == kColumns && depth % kQuad == 0) {
        widen_three(pixel, step, quads, scratch);
      } else {
        for (int32_t i = 0; i < count; ++i) fill_column(pixel + i * step, depth, scratch + i * kWordBytes);
      }
      tinyml_nn_multiply_columns(w, scratch, count, quads, weights, channels, to);
      to += count * w->output_channels;
    }
  }
  clamp_outputs(output, w->output_height * w->output_width * w->output_channels, &w->activation);
}
