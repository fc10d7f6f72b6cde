// Inputs of the model from standard input: every output.
#include <MODEL_NAME.h>
#include <stdio.h>

#include "binary_input.h"

int main() {
  size_t bytes = 0;
  use_binary_input();
  if (!tinyml_begin()) {
    return 1;
  }
  while (tinyml_input(&bytes) && fread(tinyml_input(nullptr), bytes, 1, stdin) == 1) {
    if (!tinyml_invoke()) {
      return 1;
    }
    print_output();
  }
  return 0;
}
