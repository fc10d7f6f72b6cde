// Reads where nothing is, and has no handler that could help.
#include "chip.h"

int main(void) {
  return *(volatile int*)0x30000000u;
}

void hard_fault(void) {
  *(volatile int*)0x30000000u = 0;
}
