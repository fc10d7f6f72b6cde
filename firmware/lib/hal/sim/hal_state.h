// What the Hal of the virtual board remembers.
#pragma once

struct HalState {
  bool host_reads = true;  // false once the host let a write time out; true again when the UART takes a byte
};
