// For the programs on a computer: bytes as they are from standard input, and scores as text.
#pragma once

#include <stdio.h>

#if defined(_WIN32)
#include <fcntl.h>
#include <io.h>
#endif

static inline void use_binary_input() {
#if defined(_WIN32)
  _setmode(_fileno(stdin), _O_BINARY);
#endif
}

static inline void print_output() {
  size_t bytes = 0;
  const int8_t* output = tinyml_output(&bytes);
  printf("\nscores");
  for (size_t i = 0; i < bytes; ++i) printf(" %d", output[i]);
  printf("\n");
}
