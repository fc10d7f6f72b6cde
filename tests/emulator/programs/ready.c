// Says what tinyml's firmware says when it is asked who it is and what it senses, and acknowledges all else.
#include "cdc.h"

static const char kReady[] =
    "{\"event\":\"ready\",\"protocol\":1,\"tinyml\":\"0.1.0\",\"app\":\"kws\",\"board\":\"nano33ble\","
    "\"engine\":\"aot\",\"model\":\"0123456789ab\",\"arena_used\":0,\"arena_bytes\":0,\"input_bytes\":3000,"
    "\"output_bytes\":4,\"sample_rate_hz\":16000,\"labels\":[\"silence\",\"unknown\",\"yes\",\"no\"],"
    "\"sensors\":[\"microphone\"]}\n";

static const char kSensors[] =
    "{\"event\":\"sensors\",\"imu\":\"lsm9ds1\",\"microphone_rms\":100,\"ax_mg\":0,\"ay_mg\":0,\"az_mg\":"
    "1000";
static const char kAck[] = "{\"event\":\"ack\"";

// An answer to a command such as `led 12 255 0 0`: with its number.
static void answer(const char* text, size_t bytes, const char* command, size_t count) {
  size_t start = 0;
  while (start < count && command[start] != ' ') {
    ++start;
  }
  size_t end = start + 1;
  while (end < count && command[end] >= '0' && command[end] <= '9') {
    ++end;
  }
  cdc_write(text, bytes);
  cdc_write(",\"seq\":", 7);
  cdc_write(command + start + 1, end - start - 1);
  cdc_write("}\n", 2);
}

int main(void) {
  cdc_begin();
  bool was_connected = false;
  for (;;) {
    char bytes[64];
    const size_t count = cdc_read(bytes, sizeof(bytes));
    const bool asked = count > 0 && bytes[count - 1] == '\n';
    if (asked && bytes[0] == 's') {
      answer(kSensors, sizeof(kSensors) - 1, bytes, count);
    } else if (asked && bytes[0] == 'l') {
      answer(kAck, sizeof(kAck) - 1, bytes, count);
    } else if (asked || (cdc_connected() && !was_connected)) {
      cdc_write(kReady, sizeof(kReady) - 1);
    }
    was_connected = cdc_connected();
    wait_for_interrupt();
  }
}
