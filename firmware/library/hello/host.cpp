// One period of the curve: the brightness of each point, and what the model said.
#include <MODEL_NAME.h>
#include <stdio.h>

#include "binary_input.h"

int main() {
  if (!tinyml_begin()) {
    return 1;
  }
  for (uint32_t point = 0; point < CURVE_POINTS; ++point) {
    printf("light %d", tinyml_draw(point));
    print_output();
  }
  return 0;
}
