/* The matrix product of the convolutions: three windows ("columns") times pairs of output channels. */
#ifndef TINYML_NN_COLUMNS_H
#define TINYML_NN_COLUMNS_H

#include "tinyml_nn_convolution.h"

enum { kColumns = 3, kWordBytes = 4, kColumnStep = kColumns * kWordBytes, kQuad = 4 };

/* Widens `quads` times four int8 values into one column: [quads][2][3 columns] words of two lanes, which hold
 * values 0 and 2, then 1 and 3. Returns where the column continues. */
uint8_t* tinyml_nn_widen(const int8_t* values, int32_t quads, uint8_t* column);

/* The same for rows of as many values, `row_step` bytes apart. */
uint8_t* tinyml_nn_widen_rows(const int8_t* row, int32_t rows, int32_t row_step, int32_t quads,
                              uint8_t* column);

/* The same for three columns at a time, whose values lie `step` bytes apart. */
uint8_t* tinyml_nn_widen_three(const int8_t* row, int32_t step, int32_t rows, int32_t row_step, int32_t quads,
                               uint8_t* columns);

/* The outputs of `count` <= 3 windows, `quads` quads each. */
void tinyml_nn_multiply_columns(const tinyml_nn_window* window, const uint8_t* columns, int32_t count,
                                int32_t quads, const int8_t* weights, const int32_t* channels,
                                int8_t* output);

/* The same over weights that are not packed in pairs, for plain kernels. */
void tinyml_nn_multiply_plain_columns(const tinyml_nn_window* window, const uint8_t* columns, int32_t count,
                                      int32_t quads, const int8_t* weights, const int32_t* channels,
                                      int8_t* output);

#endif /* TINYML_NN_COLUMNS_H */
