/* A matrix times a vector, four rows at a time. */
#ifndef TINYML_NN_FOUR_ROWS_H
#define TINYML_NN_FOUR_ROWS_H

#include <stdint.h>

enum { kRows = 4, kColumns = 4 };

/* sums[r] = row r times `vector`, modulo 2^32; rows interleaved as in tinyml_nn_recurrent.h. Returns where
 * the next four rows begin. */
const int8_t* multiply_four_rows(const int8_t* rows, const int8_t* vector, int32_t columns,
                                 uint32_t sums[kRows]);

#endif /* TINYML_NN_FOUR_ROWS_H */
