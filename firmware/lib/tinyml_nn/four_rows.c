#include "four_rows.h"

#include "simd.h"

static inline uint32_t multiply_four_columns(uint32_t weights, uint32_t even, uint32_t odd, uint32_t sum) {
  return multiply_lanes(widen_odd(weights), odd, multiply_lanes(widen_even(weights), even, sum));
}

/* Fewer than four values; what is missing is 0. */
static inline uint32_t load_last(const int8_t* vector, int32_t count) {
  uint32_t word = 0;
  while (count > 0) word = word << 8 | (uint8_t)vector[--count];
  return word;
}

const int8_t* multiply_four_rows(const int8_t* rows, const int8_t* vector, int32_t columns,
                                 uint32_t sums[kRows]) {
  uint32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (; columns > 0; columns -= kColumns, vector += kColumns, rows += kRows * kColumns) {
    const uint32_t values = columns >= kColumns ? load_word(vector) : load_last(vector, columns);
    const uint32_t even = widen_even(values), odd = widen_odd(values);
    s0 = multiply_four_columns(load_word(rows), even, odd, s0);
    s1 = multiply_four_columns(load_word(rows + 4), even, odd, s1);
    s2 = multiply_four_columns(load_word(rows + 8), even, odd, s2);
    s3 = multiply_four_columns(load_word(rows + 12), even, odd, s3);
  }
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
  return rows;
}
