// Engine over network.{h,c}, the model compiled ahead of time. See engine.h.
//
// If the network takes inputs and outputs in buffers of its caller, Engine owns those buffers. Another
// network may use the same arena between two inferences, or lie behind it where one of them remembers:
// TINYML_ARENA_BYTES is what both need, TINYML_SECOND_ARENA_OFFSET where the second one's begins.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "network.h"
#include "tinyml_build.h"

#if defined(TINYML_SECOND_MODEL)
#include "second_network.h"
#endif

namespace aot {

#if defined(TINYML_ARENA_BYTES)
constexpr size_t kArenaBytes = TINYML_ARENA_BYTES;
static_assert(kArenaBytes >= NETWORK_ARENA_BYTES, "the shared arena is smaller than the network's own");
#else
constexpr size_t kArenaBytes = NETWORK_ARENA_BYTES;
#endif

constexpr uint32_t kInputBytes[NETWORK_INPUT_COUNT] = NETWORK_INPUTS_BYTES;
constexpr uint32_t kOutputBytes[NETWORK_OUTPUT_COUNT] = NETWORK_OUTPUTS_BYTES;

// Offset of tensor `index` when they are concatenated, each aligned like the arena.
constexpr size_t start_of(const uint32_t* bytes, size_t index) {
  size_t start = 0;
  for (size_t i = 0; i < index; ++i) {
    start += (bytes[i] + NETWORK_ARENA_ALIGNMENT - 1) / NETWORK_ARENA_ALIGNMENT * NETWORK_ARENA_ALIGNMENT;
  }
  return start;
}

#if NETWORK_IO_CALLER

class Memory {
 public:
  void* input(size_t index) { return inputs_ + start_of(kInputBytes, index); }
  const void* output(size_t index) const { return outputs_ + start_of(kOutputBytes, index); }
  void reset() { network_reset(arena_); }

  int invoke() {
    const void* inputs[NETWORK_INPUT_COUNT];
    void* outputs[NETWORK_OUTPUT_COUNT];
    for (size_t i = 0; i < NETWORK_INPUT_COUNT; ++i) inputs[i] = input(i);
    for (size_t i = 0; i < NETWORK_OUTPUT_COUNT; ++i) outputs[i] = outputs_ + start_of(kOutputBytes, i);
    return network_invoke_io(arena_, inputs, outputs);
  }

 private:
  alignas(NETWORK_ARENA_ALIGNMENT) uint8_t inputs_[start_of(kInputBytes, NETWORK_INPUT_COUNT)] = {};
  alignas(NETWORK_ARENA_ALIGNMENT) uint8_t outputs_[start_of(kOutputBytes, NETWORK_OUTPUT_COUNT)] = {};
  alignas(NETWORK_ARENA_ALIGNMENT) uint8_t arena_[NETWORK_ARENA_BYTES] = {};
};

#else

class Memory {
 public:
  void* input(size_t index) { return network_input_at(arena_, static_cast<int>(index)); }
  const void* output(size_t index) const { return network_output_at(arena_, static_cast<int>(index)); }
  void reset() { network_reset(arena_); }
  int invoke() { return network_invoke(arena_); }
  uint8_t* arena() { return arena_; }

 private:
  alignas(NETWORK_ARENA_ALIGNMENT) uint8_t arena_[kArenaBytes] = {};
};

#endif

}  // namespace aot

class Engine {
 public:
  bool begin() {
    reset();
    return true;
  }

  int8_t* input() { return static_cast<int8_t*>(input(0)); }
  size_t input_bytes() const { return input_bytes(0); }

  bool invoke() {
    failed_ = memory_.invoke() != 0;
    return !failed_;
  }

  const int8_t* output() const { return static_cast<const int8_t*>(output(0)); }
  size_t output_bytes() const { return output_bytes(0); }

  // Indices must be below the counts.
  size_t input_count() const { return NETWORK_INPUT_COUNT; }
  void* input(size_t index) { return memory_.input(index); }
  size_t input_bytes(size_t index) const { return aot::kInputBytes[index]; }
  size_t output_count() const { return NETWORK_OUTPUT_COUNT; }
  const void* output(size_t index) const { return memory_.output(index); }
  size_t output_bytes(size_t index) const { return aot::kOutputBytes[index]; }
  void reset() {
    memory_.reset();
#if defined(TINYML_SECOND_MODEL)
    second_network_reset(second_arena());
#endif
  }

  size_t arena_used() const { return NETWORK_ARENA_BYTES; }
  size_t arena_bytes() const { return aot::kArenaBytes; }

#if defined(TINYML_SECOND_MODEL)
  int8_t* second_input() { return static_cast<int8_t*>(second_network_input_at(second_arena(), 0)); }
  const int8_t* second_output() {
    return static_cast<const int8_t*>(second_network_output_at(second_arena(), 0));
  }

  bool second_invoke() {
    failed_ = second_network_invoke(second_arena()) != 0;
    return !failed_;
  }
#endif

  const char* name() const { return "aot"; }
  const char* error() const { return failed_ ? "an operator of the network refused its arguments" : ""; }

 private:
#if defined(TINYML_SECOND_MODEL)
  static_assert(aot::kArenaBytes >= TINYML_SECOND_ARENA_OFFSET + SECOND_NETWORK_ARENA_BYTES &&
                    TINYML_SECOND_ARENA_OFFSET % SECOND_NETWORK_ARENA_ALIGNMENT == 0,
                "the arena does not hold the second network's");

  uint8_t* second_arena() { return memory_.arena() + TINYML_SECOND_ARENA_OFFSET; }
#endif

  aot::Memory memory_;
  bool failed_ = false;
};
