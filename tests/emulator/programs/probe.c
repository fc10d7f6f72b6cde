// Answers a line over USB, one letter each, by using a peripheral: what the tests ask for.
#include "cdc.h"

enum { kPageAddress = 0x000FF000 };

static void put(const char* text) {
  size_t count = 0;
  while (text[count] != '\0') {
    ++count;
  }
  cdc_write(text, count);
}

static void put_number(int32_t value) {
  char digits[13] = {0};
  size_t at = sizeof(digits) - 1;
  uint32_t left = value < 0 ? -(uint32_t)value : (uint32_t)value;
  do {
    digits[--at] = (char)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (value < 0) {
    digits[--at] = '-';
  }
  put(&digits[at]);
  put(" ");
}

// Byte by byte, as TWI does it: writes `count` bytes, then reads `wanted`; false where nobody answers.
static bool twi_bytes(uint32_t address, const uint8_t* bytes, size_t count, uint8_t* to, size_t wanted) {
  REGISTER(TWI1 + 0x500) = 5;
  REGISTER(TWI1 + 0x588) = address;
  REGISTER(TWI1 + 0x124) = 0;
  REGISTER(TWI1 + 0x008) = 1;
  for (size_t i = 0; i < count; ++i) {
    REGISTER(TWI1 + 0x11C) = 0;
    REGISTER(TWI1 + 0x51C) = bytes[i];
    while (!REGISTER(TWI1 + 0x11C)) {
      if (REGISTER(TWI1 + 0x124)) {
        REGISTER(TWI1 + 0x014) = 1;
        return false;
      }
    }
  }
  if (wanted > 0) {
    REGISTER(TWI1 + 0x108) = 0;
    REGISTER(TWI1 + 0x200) = wanted == 1 ? 2 : 1;  // BB → STOP or SUSPEND
    REGISTER(TWI1 + 0x000) = 1;
    for (size_t i = 0; i < wanted; ++i) {
      while (!REGISTER(TWI1 + 0x108)) {
      }
      REGISTER(TWI1 + 0x108) = 0;
      to[i] = (uint8_t)REGISTER(TWI1 + 0x518);
      REGISTER(TWI1 + 0x200) = i + 2 >= wanted ? 2 : 1;
      if (i + 1 < wanted) {
        REGISTER(TWI1 + 0x020) = 1;
      }
    }
    REGISTER(TWI1 + 0x200) = 0;
  } else {
    REGISTER(TWI1 + 0x014) = 1;
  }
  return true;
}

// By whole buffers, as TWIM does it.
static bool twim(uint32_t address, const uint8_t* bytes, size_t count, uint8_t* to, size_t wanted) {
  REGISTER(TWI1 + 0x500) = 6;
  REGISTER(TWI1 + 0x588) = address;
  REGISTER(TWI1 + 0x104) = 0;
  REGISTER(TWI1 + 0x124) = 0;
  REGISTER(TWI1 + 0x544) = (uint32_t)bytes;
  REGISTER(TWI1 + 0x548) = count;
  REGISTER(TWI1 + 0x534) = (uint32_t)to;
  REGISTER(TWI1 + 0x538) = wanted;
  REGISTER(TWI1 + 0x200) = wanted > 0 ? 1u << 7 | 1u << 12 : 1u << 9;
  REGISTER(TWI1 + 0x008) = 1;
  while (!REGISTER(TWI1 + 0x104)) {
    if (REGISTER(TWI1 + 0x124)) {
      return false;
    }
  }
  return true;
}

static void power_sensors(void) {
  REGISTER(P0 + 0x518) = 1u << 22;
  REGISTER(P0 + 0x508) = 1u << 22;
  REGISTER(P1 + 0x518) = 1u << 0;
  REGISTER(P1 + 0x508) = 1u << 0;
  REGISTER(TWI1 + 0x508) = 15;
  REGISTER(TWI1 + 0x50C) = 14;
}

static void read_sensor(uint32_t address, uint8_t first, uint8_t gyro, bool by_buffers) {
  static uint8_t bytes[6];
  static uint8_t from;
  for (int kind = 0; kind < 2; ++kind) {
    from = kind == 0 ? first : gyro;
    if (!(by_buffers ? twim : twi_bytes)(address, &from, 1, bytes, sizeof(bytes))) {
      put("nobody");
      return;
    }
    for (int axis = 0; axis < 3; ++axis) {
      put_number((int16_t)(bytes[2 * axis] | bytes[2 * axis + 1] << 8));
    }
  }
}

static void lsm9ds1(bool by_buffers) {
  static const uint8_t gyro[2] = {0x10, 0x78};
  static const uint8_t acceleration[2] = {0x20, 0x70};
  if (!twi_bytes(0x6B, gyro, 2, 0, 0) || !twi_bytes(0x6B, acceleration, 2, 0, 0)) {
    put("nobody");
    return;
  }
  read_sensor(0x6B, 0x28, 0x18, by_buffers);
}

static void bmi270(void) {
  static uint8_t piece[33] = {0x5E};
  static const uint8_t stop[2] = {0x59, 0};
  static const uint8_t start[2] = {0x59, 1};
  static const uint8_t on[2] = {0x7D, 0x0E};
  static const uint8_t range[2] = {0x41, 0x01};
  twim(0x68, stop, 2, 0, 0);
  for (int sent = 0; sent < 8192; sent += 32) {
    twim(0x68, piece, sizeof(piece), 0, 0);
  }
  twim(0x68, start, 2, 0, 0);
  twim(0x68, on, 2, 0, 0);
  twim(0x68, range, 2, 0, 0);
  read_sensor(0x68, 0x0C, 0x12, true);
}

static void listen(void) {
  static int16_t buffers[2][256];
  REGISTER(PDM + 0x504) = 0x0A000000;
  REGISTER(PDM + 0x520) = 1;
  REGISTER(PDM + 0x508) = 1;
  REGISTER(PDM + 0x560) = (uint32_t)buffers[0];
  REGISTER(PDM + 0x564) = 256;
  REGISTER(PDM + 0x500) = 1;
  REGISTER(PDM) = 1;
  uint32_t sum = 0;
  for (int block = 0; block < 100; ++block) {  // 1.6 s
    REGISTER(PDM + 0x560) = (uint32_t)buffers[(block + 1) % 2];
    while (!REGISTER(PDM + 0x108)) {
    }
    REGISTER(PDM + 0x108) = 0;
    for (int i = 0; i < 256; ++i) {
      const uint16_t sample = (uint16_t)buffers[block % 2][i];
      sum = sample == 0 ? sum : sum * 31 + sample;
    }
  }
  REGISTER(PDM + 0x004) = 1;
  put_number((int32_t)(sum & 0x7FFFFFFF));
}

static void shine(void) {
  static uint16_t duty[4] = {64, 128, 0x8000 | 64,
                             0};  // of 256: high from there on, or, with bit 15, up to there
  REGISTER(PWM0 + 0x560) = 24;
  REGISTER(PWM0 + 0x564) = 16;
  REGISTER(PWM0 + 0x568) = 6;
  REGISTER(PWM0 + 0x508) = 256;
  REGISTER(PWM0 + 0x510) = 2;
  REGISTER(PWM0 + 0x520) = (uint32_t)duty;
  REGISTER(PWM0 + 0x524) = 4;
  REGISTER(PWM0 + 0x500) = 1;
  REGISTER(PWM0 + 0x008) = 1;
  put("shines");
}

static void flash_page(void) {
  volatile uint32_t* page = (volatile uint32_t*)kPageAddress;
  const uint32_t before = *page;
  REGISTER(NVMC + 0x504) = 2;
  REGISTER(NVMC + 0x508) = kPageAddress;
  const uint32_t erased = *page;
  REGISTER(NVMC + 0x504) = 1;
  page[0] = before == 0xFFFFFFFFu ? 1 : before + 1;
  page[1] = 0xFFFF0000u;
  page[1] = 0x00FFFF00u;  // can only clear bits
  REGISTER(NVMC + 0x504) = 0;
  put_number((int32_t)before);
  put_number((int32_t)erased);
  put_number((int32_t)page[0]);
  put_number((int32_t)page[1]);
}

static void start_watchdog(void) {
  REGISTER(WDT + 0x504) = 32768 / 10 - 1;
  REGISTER(WDT + 0x000) = 1;
  for (int i = 0; i < 6; ++i) {  // 120 ms, fed
    REGISTER(WDT + 0x600) = 0x6E524635;
    const uint32_t start = REGISTER(0xE0001004u);
    while (REGISTER(0xE0001004u) - start < 1280000u) {
    }
  }
  put("fed");
}

static void answer(char what) {
  switch (what) {
    case 'l':
      lsm9ds1(false);
      break;
    case 'L':
      lsm9ds1(true);
      break;
    case 'b':
      bmi270();
      break;
    case 'p':
      listen();
      break;
    case 's':
      shine();
      break;
    case 'f':
      flash_page();
      break;
    case 'w':
      start_watchdog();
      break;
    case 'r':
      put_number((int32_t)REGISTER(POWER + 0x400));
      REGISTER(POWER + 0x400) = REGISTER(POWER + 0x400);
      break;
    case 'R':
      reset_chip();
      break;
    case 'n':
      REGISTER(RNG) = 1;
      for (int i = 0; i < 4; ++i) {
        while (!REGISTER(RNG + 0x100)) {
        }
        REGISTER(RNG + 0x100) = 0;
        put_number((int32_t)REGISTER(RNG + 0x508));
      }
      REGISTER(RNG + 0x004) = 1;
      break;
    default:
      put("what?");
  }
  put("\n");
}

int main(void) {
  cdc_begin();
  power_sensors();
  for (;;) {
    char bytes[64];
    const size_t count = cdc_read(bytes, sizeof(bytes));
    for (size_t i = 0; i < count; ++i) {
      if (bytes[i] != '\n') {
        answer(bytes[i]);
      }
    }
    if (count == 0) {
      wait_for_interrupt();
    }
  }
}
