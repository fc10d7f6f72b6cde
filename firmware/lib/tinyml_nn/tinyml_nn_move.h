/* Operators that only move bytes: transposition, slices, concatenation, padding. */
#ifndef TINYML_NN_MOVE_H
#define TINYML_NN_MOVE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TINYML_NN_MOVE_RANK = 8 };

/* A box of bytes and how far source and target move for one step along each dimension, outermost first.
 * Strides may be 0 (repeat) or negative (reverse). */
typedef struct {
  int32_t rank;
  int32_t size[TINYML_NN_MOVE_RANK];
  int32_t from[TINYML_NN_MOVE_RANK];
  int32_t to[TINYML_NN_MOVE_RANK];
} tinyml_nn_box;

/* Copies every byte of the box; input and output do not overlap. */
void tinyml_nn_move(const tinyml_nn_box* box, const void* input, void* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_MOVE_H */
