/* Operators that only move bytes: transposition, slices, concatenation, padding, gathering. */
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

/* The input is [outer][count][inner], the output [outer][picked][inner]; `inner` counts bytes. */
typedef struct {
  int32_t outer;
  int32_t count;
  int32_t inner;
  int32_t picked;
} tinyml_nn_gather_params;

/* Copies `values` at `indices` along `count`. Returns 1, and copies nothing, where an index is outside. */
int tinyml_nn_gather(const tinyml_nn_gather_params* params, const void* values, const int32_t* indices,
                     void* output);

#ifdef __cplusplus
}
#endif

#endif /* TINYML_NN_MOVE_H */
