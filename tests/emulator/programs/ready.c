// Says what tinyml's firmware says when it is asked, and nothing else.
#include "cdc.h"

static const char kReady[] =
    "{\"event\":\"ready\",\"protocol\":1,\"tinyml\":\"0.1.0\",\"app\":\"kws\",\"board\":\"nano33ble\","
    "\"engine\":\"aot\",\"model\":\"0123456789ab\",\"arena_used\":0,\"arena_bytes\":0,\"input_bytes\":3000,"
    "\"output_bytes\":4,\"sample_rate_hz\":16000,\"labels\":[\"silence\",\"unknown\",\"yes\",\"no\"],"
    "\"sensors\":[\"microphone\"]}\n";

int main(void) {
  cdc_begin();
  bool was_connected = false;
  for (;;) {
    char bytes[64];
    const size_t count = cdc_read(bytes, sizeof(bytes));
    const bool asked = count > 0 && bytes[count - 1] == '\n';
    if (asked || (cdc_connected() && !was_connected)) {
      cdc_write(kReady, sizeof(kReady) - 1);
    }
    was_connected = cdc_connected();
    wait_for_interrupt();
  }
}
