#include "tinyml_nn_elementwise.h"

void tinyml_nn_broadcast(const tinyml_nn_broadcast_shape* shape, tinyml_nn_row* row, const void* params,
                         const int8_t* a, const int8_t* b, int8_t* output) {
  const int32_t inner = shape->rank - 1;
  const int32_t count = shape->size[inner];
  int32_t at[TINYML_NN_BROADCAST_RANK] = {0};
  for (;;) {
    row(params, a, shape->a_stride[inner], b, shape->b_stride[inner], output, count);
    output += shape->row_bytes;
    int32_t axis = inner - 1;
    for (; axis >= 0; --axis) {
      a += shape->a_stride[axis];
      b += shape->b_stride[axis];
      if (++at[axis] < shape->size[axis]) break;
      a -= shape->a_stride[axis] * shape->size[axis];
      b -= shape->b_stride[axis] * shape->size[axis];
      at[axis] = 0;
    }
    if (axis < 0) return;
  }
}
