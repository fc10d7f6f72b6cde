// Start-up without a core library: vectors, variables, floating point.
#include "chip.h"

extern uint32_t data_begin, data_end, bss_begin, bss_end, stack_top;
extern const uint32_t data_image;

void reset(void);

static void trap(void) {
  for (;;) {
  }
}

#define HANDLER(name) void name(void) __attribute__((weak, alias("trap")))
HANDLER(hard_fault);
HANDLER(svc);
HANDLER(pendsv);
HANDLER(systick);
HANDLER(timer0);
HANDLER(rtc1);
HANDLER(usbd);

// What compilers call by themselves.
void* memset(void* to, int value, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    ((volatile uint8_t*)to)[i] = (uint8_t)value;
  }
  return to;
}

typedef void (*Handler)(void);

__attribute__((section(".vectors"), used)) static const Handler vectors[16 + 48] = {
    [0] = (Handler)&stack_top,
    [1] = reset,
    [2] = trap,
    [3] = hard_fault,
    [11] = svc,
    [14] = pendsv,
    [15] = systick,
    [16 + TIMER0_IRQ] = timer0,
    [16 + RTC1_IRQ] = rtc1,
    [16 + USBD_IRQ] = usbd,
};

void reset(void) {
  REGISTER(0xE000ED88u) |= 0xFu << 20;  // CPACR: the floating point unit
  const uint32_t* from = &data_image;
  for (uint32_t* to = &data_begin; to < &data_end;) {
    *to++ = *from++;
  }
  for (uint32_t* to = &bss_begin; to < &bss_end;) {
    *to++ = 0;
  }
  main();
  trap();
}
