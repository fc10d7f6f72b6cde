// Writes text piece by piece through a small buffer: no printf, no float, no heap.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Destination of finished pieces of text.
struct TextSink {
  void (*write)(void* context, const char* text, size_t count);
  void* context;
};

class TextLine {
 public:
  explicit TextLine(TextSink sink) : sink_(sink) {}

  TextLine& put(char c);
  TextLine& text(const char* text);
  TextLine& number(uint64_t value);
  TextLine& signed_number(int64_t value);
  // `value` / 10^decimals, with that many digits after the point: (-1234, 3) -> -1.234.
  TextLine& decimal(int64_t value, int decimals);
  TextLine& hex_byte(uint8_t byte);
  void flush();

 private:
  TextSink sink_;
  size_t used_ = 0;
  char buffer_[96];
};
