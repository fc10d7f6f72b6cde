#include <string.h>

#include "tinyml_nn_move.h"

void tinyml_nn_move(const tinyml_nn_box* box, const void* input, void* output) {
  const int8_t* from = (const int8_t*)input;
  int8_t* to = (int8_t*)output;
  const int32_t inner = box->rank - 1;
  const int32_t count = box->size[inner], from_step = box->from[inner], to_step = box->to[inner];
  int32_t at[TINYML_NN_MOVE_RANK] = {0};
  for (;;) {
    if (from_step == 1 && to_step == 1) {
      memcpy(to, from, (size_t)count);
    } else {
      for (int32_t i = 0; i < count; ++i) to[i * to_step] = from[i * from_step];
    }
    int32_t axis = inner - 1;
    for (; axis >= 0; --axis) {
      from += box->from[axis];
      to += box->to[axis];
      if (++at[axis] < box->size[axis]) break;
      from -= box->from[axis] * box->size[axis];
      to -= box->to[axis] * box->size[axis];
      at[axis] = 0;
    }
    if (axis < 0) return;
  }
}
