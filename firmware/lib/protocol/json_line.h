// Writes one JSON object as one line.
//
//   JsonLine(sink).begin("ack").number("seq", 7).end();      {"event":"ack","seq":7}\n
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "text_line.h"

class JsonLine {
 public:
  explicit JsonLine(TextSink sink) : out_(sink) {}

  JsonLine& begin(const char* event);
  JsonLine& text(const char* key, const char* value);
  // Adds nothing if `value` is nullptr.
  JsonLine& optional_text(const char* key, const char* value) {
    return value == nullptr ? *this : text(key, value);
  }
  JsonLine& number(const char* key, uint64_t value);
  // `value` / 1000 with two digits: 938 -> 0.94.
  JsonLine& permille(const char* key, uint32_t value);
  JsonLine& texts(const char* key, const char* const* values, size_t count);
  JsonLine& numbers(const char* key, const int8_t* values, size_t count);
  JsonLine& signed_number(const char* key, int32_t value);
  JsonLine& flag(const char* key, bool value);
  JsonLine& hex(const char* key, const void* bytes, size_t count);
  JsonLine& base64(const char* key, const void* bytes, size_t count);
  // Hexadecimal digits in pieces: hex_begin(key).hex_bytes(...).hex_bytes(...).hex_end().
  JsonLine& hex_begin(const char* key);
  JsonLine& hex_bytes(const void* bytes, size_t count);
  JsonLine& hex_end();
  void end();

 private:
  void key(const char* name);
  void quoted(const char* text);

  TextLine out_;
};
