// Sends back what it receives.
#include "cdc.h"

int main(void) {
  cdc_begin();
  char bytes[256];
  for (;;) {
    const size_t count = cdc_read(bytes, sizeof(bytes));
    if (count > 0) {
      cdc_write(bytes, count);
    } else {
      wait_for_interrupt();
    }
  }
}
