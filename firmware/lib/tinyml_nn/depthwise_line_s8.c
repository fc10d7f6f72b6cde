/* DEPTHWISE_CONV_2D whose windows lie in a line, four channels and one line of the image at a time.
 *
 * Pixels of a line are arranged two by two: a "pair" holds, for each of four channels, the lanes (pixel 2j,
 * pixel 2j + 1), padding included. Windows that begin at an even pixel meet their weights as the lanes (w0,
 * w1), (w2, w3), ..., those that begin at an odd one as (0, w0), (w1, w2), ...; both forms are widened once
 * for four channels. Each pixel is so rearranged once, not in every window that it is part of.
 */
#include "requantize.h"

enum { kLanes = 4, kWeightBytes = 8 };

/* How a doubled sum becomes an output. The assembly below depends on the order of the fields. */
typedef struct {
  int32_t multiplier, rounding, shift;
} Put;

/* Four channels. */
typedef struct {
  int32_t doubled_biases[kLanes];
  Put puts[kLanes];
} Channels;

/* Outputs whose windows begin at even pixels, or those of odd ones. The assembly below depends on the order
 * of the fields. */
typedef struct {
  const uint32_t* weights;
  int32_t next_window; /* bytes from the end of a window's pairs to the next window */
  int32_t out_step;
  const int8_t* output_end;
  const Put* puts;
  const uint32_t* weights_end;
  const int32_t* doubled_biases;
} Job;

typedef void ConvolveLine(const uint32_t* pairs, const Job* job, int8_t* output);

typedef struct {
  int32_t pixels, step;      /* of a line of the input: how many, and bytes from one to the next */
  int32_t outputs, out_step; /* of a line of the output */
  int32_t lines, line_step, out_line_step;
  int32_t taps, stride, padding;
  uint32_t zero;                       /* four padded inputs */
  ConvolveLine *any_pairs, *two_pairs; /* for windows of so many */
} Layout;

static Layout layout_of(const tinyml_nn_window* w) {
  const int32_t pixel = w->input_channels, row = w->input_width * pixel, out_row = w->output_width * pixel;
  const int is_column = w->window_width == 1;
  const Layout layout = {
      .pixels = is_column ? w->input_height : w->input_width,
      .step = is_column ? row : pixel,
      .outputs = is_column ? w->output_height : w->output_width,
      .out_step = is_column ? out_row : pixel,
      .lines = is_column ? w->output_width : w->output_height,
      .line_step = is_column ? w->stride_x * pixel : w->stride_y * row,
      .out_line_step = is_column ? pixel : out_row,
      .taps = is_column ? w->window_height : w->window_width,
      .stride = is_column ? w->stride_y : w->stride_x,
      .padding = is_column ? w->padding_y : w->padding_x,
      .zero = (uint8_t)w->input_zero_point * UINT32_C(0x01010101),
  };
  return layout;
}

/* Pairs under a window that begins at an even or at an odd pixel. */
static inline int32_t pairs_of(const Layout* l, int32_t is_odd) {
  return (l->taps + is_odd + 1) / 2;
}

static inline uint32_t* store_pair(uint32_t* pair, uint32_t first, uint32_t second) {
  const uint32_t low = pair_low(first, second), high = pair_high(first, second);
  pair[0] = widen_even(low);
  pair[1] = widen_odd(low);
  pair[2] = widen_even(high);
  pair[3] = widen_odd(high);
  return pair + kLanes;
}

static inline uint32_t pixel_at(const Layout* l, const int8_t* line, int32_t at) {
  return at >= 0 && at < l->pixels ? load_word(line + at * l->step) : l->zero;
}

/* All pairs that some window meets. */
static void fill_pairs(const Layout* l, const int8_t* line, uint32_t* pair) {
  const int32_t step = l->step, end = (l->outputs - 1) * l->stride + l->taps + 1 - l->padding;
  const int32_t inner_end = (end < l->pixels ? end : l->pixels) - 1;
  int32_t at = -l->padding;
  for (; at < 0 && at < end; at += 2) {
    pair = store_pair(pair, pixel_at(l, line, at), pixel_at(l, line, at + 1));
  }
  const int8_t* pixel = line + at * step;
  for (; at < inner_end; at += 2, pixel += 2 * step) {
    pair = store_pair(pair, load_word(pixel), load_word(pixel + step));
  }
  for (; at < end; at += 2) pair = store_pair(pair, pixel_at(l, line, at), pixel_at(l, line, at + 1));
}

static inline uint32_t twice(uint32_t lanes) {
  return add_lanes(lanes, lanes);
}

/* Twice the weights of four channels for windows that begin at even pixels, then for odd ones. */
static void widen_weights(const Layout* l, const int8_t* weights, uint32_t* even) {
  const int32_t pairs = pairs_of(l, 0), shifts = l->stride % 2;
  uint32_t *odd = even + pairs * kLanes, last[kLanes] = {0};
  for (int32_t i = 0; i < pairs; ++i, weights += kWeightBytes, even += kLanes) {
    const uint32_t low = load_word(weights), high = load_word(weights + 4);
    even[0] = twice(widen_even(low));
    even[1] = twice(widen_odd(low));
    even[2] = twice(widen_even(high));
    even[3] = twice(widen_odd(high));
    if (!shifts) continue;
    for (int lane = 0; lane < kLanes; ++lane) {
      *odd++ = pair_low(last[lane] >> 16, even[lane]);
      last[lane] = even[lane];
    }
  }
  if (!shifts || pairs_of(l, 1) == pairs) return;
  for (int lane = 0; lane < kLanes; ++lane) *odd++ = last[lane] >> 16;
}

#if TINYML_NN_DSP

#define STEP                   \
  "ldmia r0!, {r3-r6}\n\t"     \
  "ldmia r1!, {r7, r8}\n\t"    \
  "smlad r9, r3, r7, r9\n\t"   \
  "smlad r10, r4, r8, r10\n\t" \
  "ldmia r1!, {r7, r8}\n\t"    \
  "smlad r11, r5, r7, r11\n\t" \
  "smlad r12, r6, r8, r12\n\t"
/* `requantize`: the sign of the sum is that of its product, or the product is 0 and the sign does not matter.
 */
#define PUT(sum, offset, sign) \
  "ldmia r3!, {r5-r7}\n\t" /* multiplier, rounding, shift */ \
  "smmlar r6, " sum ", r5, r6\n\t" sign(sum)              \
  "asr r6, r6, r7\n\t"                                    \
  "ssat r6, #8, r6\n\t"                                   \
  "strb r6, [lr" offset "]\n\t"
#define WITH_SIGN(sum) "add r6, r6, " sum ", asr #31\n\t"
#define WITHOUT_SIGN(sum)
#define ALL_STEPS  \
  "2:\n\t" STEP    \
  "cmp r1, r2\n\t" \
  "bne 2b\n\t"
#define TWO_STEPS STEP STEP

/* r0 pairs, r1 weights, r2 their end, r3-r6 inputs, r7, r8 weights, r9-r12 sums, lr output. r7 may be the
 * frame pointer, so it is saved here. */
#define CONVOLVE_LINE(steps, sign) \
  "push {r7}\n\t"                                                    \
  "mov lr, r2\n\t"                                                   \
  "ldmia r1, {r3-r7}\n\t"                                            \
  "ldrd r2, r8, [r1, #20]\n\t"                                       \
  "push {r3-r8}\n\t"                                                 \
  "mov r1, r3\n"                                                     \
  "1:\n\t"                                                           \
  "ldr r8, [sp, #20]\n\t"                                            \
  "ldmia r8, {r9-r12}\n\t" steps                                     \
  "ldr r3, [sp, #16]\n\t"                                            \
  PUT("r9", "", sign) PUT("r10", ", #1", sign)                       \
  PUT("r11", ", #2", sign) PUT("r12", ", #3", sign)                  \
  "ldmia sp, {r1, r4-r6}\n\t"                                        \
  "add r0, r0, r4\n\t"                                               \
  "add lr, lr, r5\n\t"                                               \
  "cmp lr, r6\n\t"                                                   \
  "bne 1b\n\t"                                                       \
  "add sp, sp, #24\n\t"                                              \
  "pop {r7}"

#define DEFINE_CONVOLVE_LINE(name, steps, sign)                                                        \
  static __attribute__((noinline)) void name(const uint32_t* pairs, const Job* job, int8_t* output) {  \
    register const uint32_t* r0 __asm__("r0") = pairs;                                                 \
    register const Job* r1 __asm__("r1") = job;                                                        \
    register int8_t* r2 __asm__("r2") = output;                                                        \
    __asm__ volatile(CONVOLVE_LINE(steps, sign)                                                        \
                     : "+r"(r0), "+r"(r1), "+r"(r2)                                                    \
                     :                                                                                 \
                     : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory"); \
  }

DEFINE_CONVOLVE_LINE(convolve_line, ALL_STEPS, WITH_SIGN)
DEFINE_CONVOLVE_LINE(convolve_two, TWO_STEPS, WITH_SIGN)
/* Where the output's zero point is the lowest int8, sums below 0 give it however they are rounded. */
DEFINE_CONVOLVE_LINE(convolve_line_from_lowest, ALL_STEPS, WITHOUT_SIGN)
DEFINE_CONVOLVE_LINE(convolve_two_from_lowest, TWO_STEPS, WITHOUT_SIGN)

#else

static void convolve_line(const uint32_t* pairs, const Job* job, int8_t* output) {
  for (; output != job->output_end; output += job->out_step) {
    uint32_t sums[kLanes];
    for (int i = 0; i < kLanes; ++i) sums[i] = (uint32_t)job->doubled_biases[i];
    for (const uint32_t* weights = job->weights; weights != job->weights_end;
         weights += kLanes, pairs += kLanes) {
      for (int i = 0; i < kLanes; ++i) sums[i] = multiply_lanes(pairs[i], weights[i], sums[i]);
    }
    pairs += job->next_window / 4;
    for (int i = 0; i < kLanes; ++i) {
      const Put* const put = job->puts + i;
      output[i] = requantize((int32_t)sums[i], put->multiplier, put->rounding, put->shift);
    }
  }
}

#define convolve_two convolve_line
#define convolve_line_from_lowest convolve_line
#define convolve_two_from_lowest convolve_line

#endif

/* The outputs of a line whose windows begin at even pixels, or at odd ones. */
static void convolve_outputs(const Layout* l, int32_t is_odd, const uint32_t* weights, const uint32_t* pairs,
                             const Channels* channels, int8_t* output) {
  const int32_t each = l->stride % 2 == 0 ? 1 : 2;
  if (is_odd >= l->outputs) return;
  const int32_t outputs = (l->outputs - is_odd + each - 1) / each, words = pairs_of(l, is_odd) * kLanes;
  int8_t* const to = output + is_odd * l->out_step;
  const Job job = {.weights = weights,
                   .next_window = (each * l->stride / 2 * kLanes - words) * 4,
                   .out_step = each * l->out_step,
                   .output_end = to + outputs * each * l->out_step,
                   .puts = channels->puts,
                   .weights_end = weights + words,
                   .doubled_biases = channels->doubled_biases};
  (words == 2 * kLanes ? l->two_pairs : l->any_pairs)(pairs + is_odd * l->stride / 2 * kLanes, &job, to);
}

/* All lines of four channels. */
static void convolve_lanes(const Layout* l, const int8_t* input, const int32_t* channel, uint32_t* even,
                           int8_t* output) {
  Channels channels;
  for (int lane = 0; lane < kLanes; ++lane, channel += kChannelWords) {
    channels.doubled_biases[lane] = channel[kDoubledBias];
    channels.puts[lane] = (Put){channel[kMultiplier], channel[kRounding], channel[kShift]};
  }
  const int32_t shifts = l->stride % 2;
  const uint32_t* const odd = even + pairs_of(l, 0) * kLanes;
  uint32_t* const pairs = even + (pairs_of(l, 0) + shifts * pairs_of(l, 1)) * kLanes;
  for (int32_t i = 0; i < l->lines; ++i, input += l->line_step, output += l->out_line_step) {
    fill_pairs(l, input, pairs);
    convolve_outputs(l, 0, even, pairs, &channels, output);
    if (shifts) convolve_outputs(l, 1, odd, pairs, &channels, output);
  }
}

void tinyml_nn_depthwise_line_s8(const tinyml_nn_window* window, const int8_t* input, const int8_t* weights,
                                 const int32_t* channels, uint8_t* scratch, int8_t* output) {
  const int32_t depth = window->output_channels;
  Layout layout = layout_of(window);
  const int is_lowest = window->output_zero_point == INT8_MIN;
  layout.any_pairs = is_lowest ? convolve_line_from_lowest : convolve_line;
  layout.two_pairs = is_lowest ? convolve_two_from_lowest : convolve_two;
  uint32_t* const words = (uint32_t*)(void*)scratch;
  for (int32_t done = 0; done < depth; done += kLanes) {
    /* The last four channels overlap the ones before them if they are not whole. */
    const int32_t first = done + kLanes <= depth ? done : depth - kLanes;
    widen_weights(&layout, weights, words);
    convolve_lanes(&layout, input + first, channels + first * kChannelWords, words, output + first);
    weights += pairs_of(&layout, 0) * kWeightBytes;
  }
  clamp_outputs(output, window->output_height * window->output_width * depth, &window->activation);
}
