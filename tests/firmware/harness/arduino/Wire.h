// A two-wire bus as a test wants it: registers of one chip, and a transaction from which on nobody answers.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct FakeWire {
  uint8_t registers[128] = {};
  uint8_t address = 0x6B;
  int answered = 0;  // transactions so far
  int silent_from = 1 << 30;
  bool sends_short = false;

  void begin() {}
  void beginTransmission(uint8_t to) { to_ = to; }
  void write(uint8_t first) { at_ = first & 0x7F; }
  int endTransmission(bool = true) { return to_ == address && answered++ < silent_from ? 0 : 2; }
  size_t requestFrom(uint8_t from, size_t count) {
    return from != address || answered++ >= silent_from ? 0 : count - (sends_short ? 1 : 0);
  }
  int read() { return registers[at_++]; }

 private:
  uint8_t to_ = 0;
  uint8_t at_ = 0;
};

extern FakeWire Wire1;
