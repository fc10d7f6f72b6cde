// Interrupts, their priorities and the clocks; tells over UART what came of it.
#include "chip.h"

static volatile uint32_t rtc_ticks;
static volatile uint32_t timer_ticks;
static volatile uint32_t systick_ticks;
static char order[16];
static volatile size_t order_length;
static volatile float disturbed;

static void note(char what) {
  order[order_length++] = what;
}

static void put(const char* text) {
  while (*text != '\0') {
    REGISTER(UART0 + 0x51C) = (uint8_t)*text++;
    while (!REGISTER(UART0 + 0x11C)) {
    }
    REGISTER(UART0 + 0x11C) = 0;
  }
}

static void put_number(const char* name, uint32_t value) {
  char digits[11] = {0};
  size_t at = sizeof(digits) - 1;
  do {
    digits[--at] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  put(name);
  put("=");
  put(&digits[at]);
  put(" ");
}

void rtc1(void) {
  REGISTER(RTC1 + 0x140) = 0;
  if (rtc_ticks < 10) {
    REGISTER(RTC1 + 0x540) += 328;  // 10.01 ms
    ++rtc_ticks;
    disturbed = disturbed * 1.5f + 1.0f;
  } else {
    note('R');
  }
}

void timer0(void) {
  REGISTER(TIMER0 + 0x140) = 0;
  if (rtc_ticks < 10) {
    ++timer_ticks;
  } else {
    note('t');
    REGISTER(0xE000E200u) = 1u << RTC1_IRQ;  // of higher priority: interrupts here
    __asm volatile("dsb");
    note('T');
  }
}

void systick(void) {
  ++systick_ticks;
}

void svc(void) {
  note('s');
  REGISTER(0xE000ED04u) = 1u << 28;  // PendSV, of the lowest priority: when this has ended
  note('S');
}

void pendsv(void) {
  note('P');
}

int main(void) {
  REGISTER(UART0 + 0x500) = 4;
  REGISTER(UART0 + 0x008) = 1;
  REGISTER(0xE000ED20u) = 7u << 21;  // priority of PendSV
  enable_interrupt(RTC1_IRQ, 2);
  enable_interrupt(TIMER0_IRQ, 6);
  REGISTER(0xE0001004u) = 0;  // CYCCNT

  REGISTER(RTC1 + 0x540) = 328;
  REGISTER(RTC1 + 0x304) = 1u << 16;
  REGISTER(RTC1) = 1;
  REGISTER(TIMER0 + 0x508) = 3;
  REGISTER(TIMER0 + 0x510) = 4;  // 1 MHz
  REGISTER(TIMER0 + 0x540) = 1000;
  REGISTER(TIMER0 + 0x200) = 1;  // COMPARE[0] → CLEAR
  REGISTER(TIMER0 + 0x304) = 1u << 16;
  REGISTER(TIMER0) = 1;
  REGISTER(0xE000E014u) = 640000 - 1;  // 10 ms
  REGISTER(0xE000E018u) = 0;
  REGISTER(0xE000E010u) = 7;

  float sum = 0.0f;
  while (rtc_ticks < 10) {  // asleep with interrupts off, as an operating system sleeps
    __asm volatile("cpsid i");
    if (rtc_ticks < 10) {
      wait_for_interrupt();
    }
    sum += 0.25f;
    __asm volatile("cpsie i");
  }
  REGISTER(0xE000E010u) = 0;
  put_number("cycles", REGISTER(0xE0001004u));
  put_number("rtc", rtc_ticks);
  put_number("timer", timer_ticks);
  put_number("systick", systick_ticks);
  put_number("wakes", (uint32_t)(sum * 4.0f));
  put_number("float", (uint32_t)(disturbed * 1000.0f));

  REGISTER(TIMER0 + 0x004) = 1;
  REGISTER(RTC1 + 0x004) = 1;
  __asm volatile("svc 0");
  REGISTER(0xE000E200u) = 1u << TIMER0_IRQ;
  __asm volatile("dsb");
  put("order=");
  put(order);
  put("\n");
  *(volatile uint32_t*)0x30000000u = 1;  // nothing is there
  for (;;) {
  }
}

void hard_fault(void) {
  put("fault\n");
  for (;;) {
    wait_for_interrupt();
  }
}
