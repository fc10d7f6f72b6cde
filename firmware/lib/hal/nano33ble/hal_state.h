// State of the Hal of the Arduino Nano 33 BLE (Sense).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../line_writer.h"
#include "../wrapping_counter.h"

// The USB serial port, as the Port of LineWriter.
struct UsbPort {
  bool connected();
  size_t send(const char* bytes, size_t count);
  uint32_t now_ms();
  void wait();
};

struct HalState {
  UsbPort port;
  LineWriter<UsbPort> writer;
  WrappingCounter microseconds;
  WrappingCounter cycles;
};
