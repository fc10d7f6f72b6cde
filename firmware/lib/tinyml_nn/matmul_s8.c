/* One column of b at a time, widened and less its zero point, times all rows of a. Its values lie in the
 * order 0 2 1 3 in each whole group of four, as the widened values of a row do.
 */
#include "fixed_point.h"
#include "simd.h"
#include "tinyml_nn_matmul.h"

/* Returns the sum of the column's values. */
static int32_t widen_column(const tinyml_nn_matmul_params* p, const int8_t* b, int16_t* column) {
  const int32_t step = p->b_step, offset = p->b_offset;
  int32_t sum = 0, left = p->depth;
  for (; left >= 4; left -= 4, b += 4 * step, column += 4) {
    column[0] = (int16_t)(b[0] + offset);
    column[1] = (int16_t)(b[2 * step] + offset);
    column[2] = (int16_t)(b[step] + offset);
    column[3] = (int16_t)(b[3 * step] + offset);
    sum += column[0] + column[1] + column[2] + column[3];
  }
  for (; left > 0; --left, b += step) sum += * column++ = (int16_t)(*b + offset);
  return sum;
}

static int32_t dot_of_neighbours(const int8_t* a, const int16_t* column, int32_t depth, int32_t start) {
  uint32_t sum = (uint32_t)start;
  for (; depth >= 4; depth -= 4, a += 4, column += 4) {
    const uint32_t four = load_word(a);
    sum = multiply_lanes(widen_even(four), load_word(column), sum);
    sum = multiply_lanes(widen_odd(four), load_word(column + 2), sum);
  }
  for (; depth > 0; --depth) sum += (uint32_t)(*a++ * *column++);
  return (int32_t)sum;
}

static int32_t dot(const int8_t* a, int32_t step, const int16_t* column, int32_t depth, int32_t sum) {
  for (; depth >= 4; depth -= 4, a += 4 * step, column += 4) {
    sum += a[0] * column[0] + a[2 * step] * column[1] + a[step] * column[2] + a[3 * step] * column[3];
  }
  for (; depth > 0; --depth, a += step) sum += *a * *column++;
  return sum;
}

static void multiply(const tinyml_nn_matmul_params* p, const int8_t* a, const int8_t* b, int16_t* column,
                     int8_t* output) {
  for (int32_t j = 0; j < p->columns; ++j) {
    const int32_t start = widen_column(p, b + j * p->b_column, column) * p->a_offset;
    for (int32_t i = 0; i < p->rows; ++i) {
      const int8_t* row = a + i * p->a_row;
      const int32_t sum = p->a_step == 1 ? dot_of_neighbours(row, column, p->depth, start)
                                         : dot(row, p->a_step, column, p->depth, start);
      output[i * p->columns + j] = (int8_t)clamp_s8(rescale(sum, p->multiplier, p->shift) + p->output_offset);
    }
  }
}

void tinyml_nn_matmul_s8(const tinyml_nn_matmul_params* params, const int8_t* a, const int8_t* b,
                         int16_t* column, int8_t* output) {
  const tinyml_nn_matmul_params* p = params;
  for (int32_t i = 0; i < p->batches[0]; ++i) {
    for (int32_t j = 0; j < p->batches[1]; ++j) {
      for (int32_t k = 0; k < p->batches[2]; ++k) {
        multiply(p, a + i * p->a_batch[0] + j * p->a_batch[1] + k * p->a_batch[2],
                 b + i * p->b_batch[0] + j * p->b_batch[1] + k * p->b_batch[2], column, output);
        output += p->rows * p->columns;
      }
    }
  }
}
