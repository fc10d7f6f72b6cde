// Bytes from the serial link -> whole lines, in fixed memory.
#pragma once

#include <stddef.h>

class LineReader {
 public:
  static constexpr size_t kMaxLine = 4095;  // characters, without the newline

  enum class Event {
    kNone,     // the line goes on
    kLine,     // a line is complete: see line() and length()
    kTooLong,  // a line longer than kMaxLine has just ended; it was dropped
  };

  // Takes one byte. After kLine the text stays valid, and may be overwritten by its reader, until the next
  // push().
  Event push(char byte);

  // The line, without its newline or carriage return, ended by a zero byte. It may contain zero bytes itself.
  char* line() { return buffer_; }
  size_t length() const { return length_; }

 private:
  alignas(8) char buffer_[kMaxLine + 1];
  size_t length_ = 0;
  bool complete_ = false;
  bool overflowed_ = false;
};
