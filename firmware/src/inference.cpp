#include "inference.h"

#include <string.h>

namespace {

constexpr uint32_t kHostWritesMs = 2000;

}  // namespace

bool Inference::begin(Hal& hal) {
  hal_ = &hal;
  ready_ = engine_.begin();
  if (!ready_) {
    return false;
  }
  for (size_t i = 0; i < engine_.input_count(); ++i) {
    input_bytes_ += engine_.input_bytes(i);
  }
  for (size_t i = 0; i < engine_.output_count(); ++i) {
    output_bytes_ += engine_.output_bytes(i);
  }
  return true;
}

Reject Inference::write(size_t offset, const uint8_t* data, size_t bytes) {
  if (!ready_) {
    return Reject::kCommand;
  }
  if (offset > input_bytes_ || bytes > input_bytes_ - offset) {
    return Reject::kRange;
  }
  written_ = true;
  written_ms_ = hal_->clock_ms();
  for (size_t i = 0; i < engine_.input_count() && bytes > 0; ++i) {
    const size_t size = engine_.input_bytes(i);
    if (offset >= size) {
      offset -= size;
      continue;
    }
    const size_t piece = bytes < size - offset ? bytes : size - offset;
    memcpy(static_cast<uint8_t*>(engine_.input(i)) + offset, data, piece);
    data += piece;
    bytes -= piece;
    offset = 0;
  }
  return Reject::kNone;
}

bool Inference::is_host_writing() {
  written_ = written_ && hal_->clock_ms() - written_ms_ < kHostWritesMs;
  return written_;
}

template <class Invoke>
bool Inference::measure(Invoke invoke) {
  if (!ready_) {
    return false;
  }
  const uint64_t start_us = hal_->clock_us();
  const uint64_t start = hal_->instruction_count();
  const bool done = invoke();
  instructions_ = hal_->instruction_count() - start;
  microseconds_ = static_cast<uint32_t>(hal_->clock_us() - start_us);
  return done;
}

bool Inference::run() {
  return measure([this] { return engine_.invoke(); });
}

#if defined(TINYML_SECOND_MODEL)

bool Inference::run_second() {
  return measure([this] { return engine_.second_invoke(); });
}

#endif

#if defined(TINYML_MODEL_SLOTS)

bool Inference::gives(const uint8_t* input, size_t input_bytes, const uint8_t* output, size_t output_bytes,
                      int32_t tolerance) {
  if (!ready_ || input_bytes != input_bytes_ || output_bytes != output_bytes_) {
    return false;
  }
  engine_.reset();
  write(0, input, input_bytes);
  written_ = false;
  bool near = engine_.invoke();
  for (size_t i = 0; i < engine_.output_count(); ++i) {
    const int8_t* given = static_cast<const int8_t*>(engine_.output(i));
    for (size_t j = 0; j < engine_.output_bytes(i); ++j, ++output) {
      const int32_t difference = given[j] - static_cast<int8_t>(*output);
      near = near && difference <= tolerance && difference >= -tolerance;
    }
  }
  engine_.reset();
  return near;
}

#endif

void Inference::report_outputs(JsonLine* event, const char* key) {
  event->hex_begin(key);
  for (size_t i = 0; i < engine_.output_count(); ++i) {
    event->hex_bytes(engine_.output(i), engine_.output_bytes(i));
  }
  event->hex_end();
}
