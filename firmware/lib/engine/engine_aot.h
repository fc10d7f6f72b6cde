// Engine over network.{h,c}, the model compiled ahead of time. See engine.h.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "network.h"

class Engine {
 public:
  bool begin() { return true; }

  int8_t* input() { return network_input(arena_); }
  size_t input_bytes() const { return NETWORK_INPUT_BYTES; }

  bool invoke() {
    failed_ = network_invoke(arena_) != 0;
    return !failed_;
  }

  const int8_t* output() const { return network_output(arena_); }
  size_t output_bytes() const { return NETWORK_OUTPUT_BYTES; }

  size_t input_count() const { return 1; }
  void* input(size_t) { return input(); }
  size_t input_bytes(size_t) const { return input_bytes(); }
  size_t output_count() const { return 1; }
  const void* output(size_t) const { return output(); }
  size_t output_bytes(size_t) const { return output_bytes(); }
  void reset() {}

  size_t arena_used() const { return NETWORK_ARENA_BYTES; }
  size_t arena_bytes() const { return NETWORK_ARENA_BYTES; }
  const char* name() const { return "aot"; }
  const char* error() const { return failed_ ? "an operator of the network refused its arguments" : ""; }

 private:
  alignas(NETWORK_ARENA_ALIGNMENT) uint8_t arena_[NETWORK_ARENA_BYTES] = {};
  bool failed_ = false;
};
