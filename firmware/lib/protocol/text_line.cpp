#include "text_line.h"

TextLine& TextLine::put(char c) {
  if (used_ == sizeof(buffer_)) {
    flush();
  }
  buffer_[used_++] = c;
  return *this;
}

TextLine& TextLine::text(const char* text) {
  for (; *text != '\0'; ++text) {
    put(*text);
  }
  return *this;
}

TextLine& TextLine::number(uint64_t value) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count > 0) {
    put(digits[--count]);
  }
  return *this;
}

TextLine& TextLine::signed_number(int64_t value) {
  return decimal(value, 0);
}

TextLine& TextLine::decimal(int64_t value, int decimals) {
  const uint64_t magnitude = value < 0 ? 0u - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  uint64_t unit = 1;
  for (int i = 0; i < decimals; ++i) {
    unit *= 10;
  }
  if (value < 0) {
    put('-');
  }
  number(magnitude / unit);
  if (decimals > 0) {
    put('.');
  }
  for (unit /= 10; unit > 0; unit /= 10) {
    put(static_cast<char>('0' + magnitude / unit % 10));
  }
  return *this;
}

TextLine& TextLine::hex_byte(uint8_t byte) {
  static const char kDigits[] = "0123456789abcdef";
  return put(kDigits[byte >> 4]).put(kDigits[byte & 15u]);
}

void TextLine::flush() {
  sink_.write(sink_.context, buffer_, used_);
  used_ = 0;
}
