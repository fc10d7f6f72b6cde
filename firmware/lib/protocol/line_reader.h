// Bytes from the serial link -> complete lines, in fixed memory.
#pragma once

#include <stddef.h>

class LineReader {
 public:
  static constexpr size_t kMaxLine = 4095;  // characters, without the terminator

  enum class Event {
    kNone,     // the line goes on
    kLine,     // a line is complete: see line() and length()
    kTooLong,  // a line longer than kMaxLine has just ended; it was dropped
  };

  // With `percent_ends`, a '%' ends a line as a newline does: see terminator().
  explicit LineReader(bool percent_ends = false) : percent_ends_(percent_ends) {}

  // Takes one byte. After kLine the text stays valid, and may be overwritten by its reader, until the next
  // push().
  Event push(char byte);

  // The line, without its terminator or carriage return, ended by a zero byte. It may contain zero bytes
  // itself.
  char* line() { return buffer_; }
  size_t length() const { return length_; }
  // The character that ended the line, complete or too long: '\n' or '%'.
  char terminator() const { return terminator_; }

 private:
  alignas(8) char buffer_[kMaxLine + 1];
  size_t length_ = 0;
  bool complete_ = false;
  bool overflowed_ = false;
  bool percent_ends_;
  char terminator_ = '\n';
};
