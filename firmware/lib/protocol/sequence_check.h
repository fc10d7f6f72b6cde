// Recognises a command that the host sends again because the answer was lost: it carries the same number.
#pragma once

#include <stdint.h>

class SequenceCheck {
 public:
  // Forgets the last number: the next command is new.
  void reset() { last_ = 0; }

  // Commands without a number (0) are always new.
  bool is_repeated(uint16_t seq) const { return seq != 0 && seq == last_; }

  // Notes that a command was executed.
  void remember(uint16_t seq) { last_ = seq; }

 private:
  uint16_t last_ = 0;
};
