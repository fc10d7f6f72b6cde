// How much to hand to USB's bulk endpoint at once.
#pragma once

#include <stddef.h>

constexpr size_t kUsbPacketBytes = 64;  // full speed

// Of `count` bytes that are ready, those of the next packet. A full packet tells the host that more follows:
// Arduino's core sends no empty one after it (mbed-os issue 15384), so the last one is never full.
inline size_t usb_packet_bytes(size_t count) {
  return count < kUsbPacketBytes ? count : count == kUsbPacketBytes ? count - 1 : kUsbPacketBytes;
}
