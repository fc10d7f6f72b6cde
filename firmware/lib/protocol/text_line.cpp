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

void TextLine::flush() {
  sink_.write(sink_.context, buffer_, used_);
  used_ = 0;
}
