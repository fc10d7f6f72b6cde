#include "cdc.h"

enum { EP_NOTIFY = 1, EP_OUT = 2, EP_IN = 3, PACKET = 64 };
enum { EP0SETUP = 23, EPDATA = 24, EP0DATADONE = 10, USBRESET = 0 };

#define EVENT(n) REGISTER(USBD + 0x100 + 4 * (n))
#define EPIN(n) (USBD + 0x600 + 0x14 * (n))
#define EPOUT(n) (USBD + 0x700 + 0x14 * (n))

static const uint8_t kDevice[18] = {18,   1,    0x00, 0x02, 2,    0, 0, 64, 0x41,
                                    0x23, 0x5A, 0x80, 0x00, 0x01, 1, 2, 3,  1};
static const uint8_t kConfiguration[67] = {
    9,
    2,
    67,
    0,
    2,
    1,
    0,
    0x80,
    50,  // two interfaces
    9,
    4,
    0,
    0,
    1,
    2,
    2,
    0,
    0,  // communication
    5,
    0x24,
    0,
    0x10,
    1,
    5,
    0x24,
    1,
    0,
    1,  // header, call management
    4,
    0x24,
    2,
    2,
    5,
    0x24,
    6,
    0,
    1,  // ACM, union
    7,
    5,
    0x80 | EP_NOTIFY,
    3,
    8,
    0,
    16,  // interrupt
    9,
    4,
    1,
    0,
    2,
    10,
    0,
    0,
    0,  // data
    7,
    5,
    EP_OUT,
    2,
    PACKET,
    0,
    0,
    7,
    5,
    0x80 | EP_IN,
    2,
    PACKET,
    0,
    0,
};
static const uint8_t kLanguages[4] = {4, 3, 0x09, 0x04};

static uint8_t control[PACKET];
static uint8_t answer[72];
static size_t answer_left;
static size_t answer_at;
static uint32_t baud = 115200;
static volatile bool dtr;
static uint8_t packet_out[PACKET];
static uint8_t packet_in[PACKET];
static volatile bool sending;
static char ring[1024];
static volatile uint32_t ring_in;
static volatile uint32_t ring_out;

static void send_answer(void) {
  const size_t count = answer_left < PACKET ? answer_left : PACKET;
  for (size_t i = 0; i < count; ++i) {
    control[i] = answer[answer_at + i];
  }
  answer_at += count;
  answer_left -= count;
  REGISTER(EPIN(0)) = (uint32_t)control;
  REGISTER(EPIN(0) + 4) = count;
  REGISTER(USBD + 0x200) = answer_left == 0 ? 1u << 2 : 0;  // EP0DATADONE → EP0STATUS
  REGISTER(USBD + 0x004) = 1;
}

static void answer_with(const uint8_t* bytes, size_t count, size_t wanted) {
  answer_left = count < wanted ? count : wanted;
  answer_at = 0;
  for (size_t i = 0; i < answer_left; ++i) {
    answer[i] = bytes[i];
  }
  send_answer();
}

static void answer_serial_number(size_t wanted) {
  uint8_t text[34] = {34, 3};
  for (int digit = 0; digit < 16; ++digit) {
    const uint32_t word = REGISTER(0x10000060u + (digit < 8 ? 4 : 0));
    const uint32_t value = word >> (28 - 4 * (digit % 8)) & 15;
    text[2 + 2 * digit] = (uint8_t)(value < 10 ? '0' + value : 'A' + value - 10);
  }
  answer_with(text, sizeof(text), wanted);
}

static void on_setup(void) {
  const uint32_t type = REGISTER(USBD + 0x480);
  const uint32_t request = REGISTER(USBD + 0x484);
  const uint32_t value = REGISTER(USBD + 0x488) | REGISTER(USBD + 0x48C) << 8;
  const size_t wanted = REGISTER(USBD + 0x498) | REGISTER(USBD + 0x49C) << 8;
  if (type == 0x80 && request == 6 && value >> 8 == 1) {
    answer_with(kDevice, sizeof(kDevice), wanted);
  } else if (type == 0x80 && request == 6 && value >> 8 == 2) {
    answer_with(kConfiguration, sizeof(kConfiguration), wanted);
  } else if (type == 0x80 && request == 6 && value == 0x0300) {
    answer_with(kLanguages, sizeof(kLanguages), wanted);
  } else if (type == 0x80 && request == 6 && value >> 8 == 3) {
    answer_serial_number(wanted);
  } else if (type == 0x21 && request == 0x20) {
    REGISTER(USBD + 0x04C) = 1;  // the line coding follows
  } else {
    if (type == 0x21 && request == 0x22) {
      dtr = value & 1;
      sending = sending && dtr;
      if (!dtr && baud == 1200) {
        REGISTER(POWER + 0x51C) = 0xB0;
        reset_chip();
      }
    } else if (type == 0 && request == 9) {
      REGISTER(USBD + 0x510) = 1u | 1u << EP_IN | 1u << EP_NOTIFY;
      REGISTER(USBD + 0x514) = 1u | 1u << EP_OUT;
      REGISTER(USBD + 0x4A0 + 4 * EP_OUT) = 0;
    }
    REGISTER(USBD + 0x050) = 1;
  }
}

static void on_control_data(void) {
  if (REGISTER(USBD + 0x480) & 0x80) {
    if (answer_left > 0) {
      send_answer();
    }
    return;
  }
  REGISTER(EPOUT(0)) = (uint32_t)control;
  REGISTER(EPOUT(0) + 4) = PACKET;
  REGISTER(USBD + 0x028) = 1;
  baud = control[0] | (uint32_t)control[1] << 8 | (uint32_t)control[2] << 16;
  REGISTER(USBD + 0x050) = 1;
}

static void on_packets(void) {
  const uint32_t which = REGISTER(USBD + 0x46C);
  REGISTER(USBD + 0x46C) = which;
  if (which & 1u << EP_IN) {
    sending = false;
  }
  if (which & 1u << (16 + EP_OUT)) {
    const uint32_t count = REGISTER(USBD + 0x4A0 + 4 * EP_OUT);
    REGISTER(EPOUT(EP_OUT)) = (uint32_t)packet_out;
    REGISTER(EPOUT(EP_OUT) + 4) = count;
    REGISTER(USBD + 0x028 + 4 * EP_OUT) = 1;
    for (uint32_t i = 0; i < count && ring_in - ring_out < sizeof(ring); ++i) {
      ring[ring_in++ % sizeof(ring)] = (char)packet_out[i];
    }
  }
}

void usbd(void) {
  if (EVENT(USBRESET)) {
    EVENT(USBRESET) = 0;
    dtr = false;
  }
  if (EVENT(EP0SETUP)) {
    EVENT(EP0SETUP) = 0;
    on_setup();
  }
  if (EVENT(EP0DATADONE)) {
    EVENT(EP0DATADONE) = 0;
    on_control_data();
  }
  if (EVENT(EPDATA)) {
    EVENT(EPDATA) = 0;
    on_packets();
  }
}

void cdc_begin(void) {
  while (!REGISTER(POWER + 0x11C)) {  // USBDETECTED
  }
  REGISTER(USBD + 0x500) = 1;
  while (!(REGISTER(USBD + 0x400) & 1u << 11)) {
  }
  REGISTER(USBD + 0x400) = 1u << 11;
  REGISTER(USBD + 0x304) = 1u << USBRESET | 1u << EP0SETUP | 1u << EP0DATADONE | 1u << EPDATA;
  enable_interrupt(USBD_IRQ, 3);
  REGISTER(USBD + 0x504) = 1;
}

bool cdc_connected(void) {
  return dtr;
}

size_t cdc_read(char* bytes, size_t capacity) {
  size_t count = 0;
  while (count < capacity && ring_out != ring_in) {
    bytes[count++] = ring[ring_out++ % sizeof(ring)];
  }
  return count;
}

void cdc_write(const void* bytes, size_t count) {
  const uint8_t* next = bytes;
  bool full = false;  // a full packet says that more follows
  while ((count > 0 || full) && dtr) {
    if (sending) {
      wait_for_interrupt();
      continue;
    }
    const size_t piece = count < PACKET ? count : PACKET;
    for (size_t i = 0; i < piece; ++i) {
      packet_in[i] = *next++;
    }
    count -= piece;
    full = piece == PACKET;
    sending = true;
    REGISTER(EPIN(EP_IN)) = (uint32_t)packet_in;
    REGISTER(EPIN(EP_IN) + 4) = piece;
    REGISTER(USBD + 0x004 + 4 * EP_IN) = 1;
  }
}
