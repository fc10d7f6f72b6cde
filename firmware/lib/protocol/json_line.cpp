#include "json_line.h"

#include "base64.h"

JsonLine& JsonLine::begin(const char* event) {
  out_.text("{\"event\":");
  quoted(event);
  return *this;
}

JsonLine& JsonLine::text(const char* name, const char* value) {
  key(name);
  quoted(value);
  return *this;
}

JsonLine& JsonLine::number(const char* name, uint64_t value) {
  key(name);
  out_.number(value);
  return *this;
}

JsonLine& JsonLine::permille(const char* name, uint32_t value) {
  const uint32_t hundredths = (value + 5) / 10;
  key(name);
  out_.number(hundredths / 100).put('.').number(hundredths / 10 % 10).number(hundredths % 10);
  return *this;
}

JsonLine& JsonLine::texts(const char* name, const char* const* values, size_t count) {
  key(name);
  for (size_t i = 0; i < count; ++i) {
    out_.put(i == 0 ? '[' : ',');
    quoted(values[i]);
  }
  out_.text(count == 0 ? "[]" : "]");
  return *this;
}

JsonLine& JsonLine::numbers(const char* name, const int8_t* values, size_t count) {
  key(name);
  for (size_t i = 0; i < count; ++i) {
    out_.put(i == 0 ? '[' : ',').signed_number(values[i]);
  }
  out_.text(count == 0 ? "[]" : "]");
  return *this;
}

JsonLine& JsonLine::signed_number(const char* name, int32_t value) {
  key(name);
  out_.signed_number(value);
  return *this;
}

JsonLine& JsonLine::flag(const char* name, bool value) {
  key(name);
  out_.text(value ? "true" : "false");
  return *this;
}

JsonLine& JsonLine::hex(const char* name, const void* bytes, size_t count) {
  return hex_begin(name).hex_bytes(bytes, count).hex_end();
}

JsonLine& JsonLine::base64(const char* name, const void* bytes, size_t count) {
  const uint8_t* byte = static_cast<const uint8_t*>(bytes);
  key(name);
  out_.put('"');
  for (size_t i = 0; i < count; i += 3) {
    char text[4];
    base64_encode(byte + i, count - i < 3 ? count - i : 3, text);
    for (const char c : text) {
      out_.put(c);
    }
  }
  out_.put('"');
  return *this;
}

JsonLine& JsonLine::hex_begin(const char* name) {
  key(name);
  out_.put('"');
  return *this;
}

JsonLine& JsonLine::hex_bytes(const void* bytes, size_t count) {
  const uint8_t* byte = static_cast<const uint8_t*>(bytes);
  for (size_t i = 0; i < count; ++i) {
    out_.hex_byte(byte[i]);
  }
  return *this;
}

JsonLine& JsonLine::hex_end() {
  out_.put('"');
  return *this;
}

void JsonLine::end() {
  out_.text("}\n").flush();
}

void JsonLine::key(const char* name) {
  out_.put(',');
  quoted(name);
  out_.put(':');
}

void JsonLine::quoted(const char* text) {
  out_.put('"');
  for (; *text != '\0'; ++text) {
    const uint8_t c = static_cast<uint8_t>(*text);
    if (c < 0x20) {
      out_.text("\\u00");
      out_.hex_byte(c);
    } else {
      if (c == '"' || c == '\\') {
        out_.put('\\');
      }
      out_.put(*text);
    }
  }
  out_.put('"');
}
