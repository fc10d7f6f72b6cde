/* Products of two computed matrices. */
#ifndef TINYML_NN_MATMUL_H
#define TINYML_NN_MATMUL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TINYML_NN_MATMUL_BATCHES = 3 };

typedef struct {
  int32_t batches[TINYML_NN_MATMUL_BATCHES]; /* outermost first */
  int32_t a_batch[TINYML_NN_MATMUL_BATCHES]; /* from one of a's matrices to the next; 0 repeats it */
  int32_t b_batch[TINYML_NN_MATMUL_BATCHES];
  int32_t rows, depth, columns;
  int32_t a_row, a_step;      /* from row to row of a, and from value to value of a row */
  int32_t b_column, b_step;   /* from column to column of b, and from value to value of a column */
  int32_t a_offset, b_offset; /* minus the zero points */
  int32_t output_offset;      /* the output's zero point */
  int32_t multiplier;         /* a's scale * b's scale / output scale = multiplier * 2^(shift - 31) */
  int32_t shift;
} tinyml_nn_matmul_params;

/* output [batches][rows][columns] = a times b; `column` is memory for `depth` values. */
void tinyml_nn_matmul_s8(const tinyml_nn_matmul_params* params, const int8_t* a, const int8_t* b,
                         int16_t* column, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_MATMUL_H */
