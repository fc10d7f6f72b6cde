#include "tinyml_nn_elementwise.h"

void tinyml_nn_lookup(const void* table, const void* input, void* output, int32_t count) {
  const uint8_t* values = (const uint8_t*)table;
  const uint8_t* from = (const uint8_t*)input;
  uint8_t* to = (uint8_t*)output;
  for (int32_t i = 0; i < count; ++i) to[i] = values[from[i]];
}

void tinyml_nn_lookup_16(const int16_t table[256], const void* input, int16_t* output, int32_t count) {
  const uint8_t* from = (const uint8_t*)input;
  for (int32_t i = 0; i < count; ++i) output[i] = table[from[i]];
}

void tinyml_nn_clamp_s8(int8_t lowest, int8_t highest, const int8_t* input, int8_t* output, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    const int8_t value = input[i];
    output[i] = value < lowest ? lowest : value > highest ? highest : value;
  }
}
