#include "line_reader.h"

LineReader::Event LineReader::push(char byte) {
  if (complete_) {
    complete_ = false;
    length_ = 0;
  }
  if (byte != '\n' && !(percent_ends_ && byte == '%')) {
    if (length_ < kMaxLine) {
      buffer_[length_++] = byte;
    } else {
      overflowed_ = true;
    }
    return Event::kNone;
  }
  complete_ = true;
  terminator_ = byte;
  if (overflowed_) {
    overflowed_ = false;
    length_ = 0;
    return Event::kTooLong;
  }
  if (length_ > 0 && buffer_[length_ - 1] == '\r') {
    --length_;
  }
  buffer_[length_] = '\0';
  return Event::kLine;
}
