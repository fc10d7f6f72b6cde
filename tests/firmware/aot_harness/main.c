/* Bare-metal test program for QEMU's mps2-an386: runs network_invoke on every input of inputs.h and prints
 * outputs as hex and the SysTick ticks (25 MHz) of the last inference. */
#include <stddef.h>
#include <stdint.h>

#include "network.h"

#include "inputs.h"

extern uint32_t data_start, data_end, data_source, bss_start, bss_end, stack_top;

static volatile uint32_t* const kUart = (volatile uint32_t*)0x40004000;
static volatile uint32_t* const kSysTick = (volatile uint32_t*)0xE000E010; /* CTRL, LOAD, VAL */
static volatile uint32_t* const kCpacr = (volatile uint32_t*)0xE000ED88;
static volatile uint32_t ticks_high;

static void put(char c) {
  while (kUart[1] & 1) {
  }
  kUart[0] = (uint32_t)c;
}

static void put_text(const char* text) {
  while (*text) put(*text++);
}

static void put_number(uint32_t number) {
  if (number >= 10) put_number(number / 10);
  put((char)('0' + number % 10));
}

static void leave(int code) {
  /* Semihosting SYS_EXIT_EXTENDED. */
  const uint32_t block[2] = {0x20026, (uint32_t)code};
  register uint32_t r0 __asm__("r0") = 0x20;
  register const uint32_t* r1 __asm__("r1") = block;
  __asm__ volatile("bkpt 0xab" : : "r"(r0), "r"(r1) : "memory");
  for (;;) {
  }
}

static void systick_handler(void) {
  ++ticks_high;
}

static void fault_handler(void) {
  put_text("fault\n");
  leave(3);
}

int main(void) {
  static _Alignas(NETWORK_ARENA_ALIGNMENT) uint8_t arena[NETWORK_ARENA_BYTES];
  uint32_t ticks = 0;
  network_reset(arena);
  for (int i = 0; i < INPUTS; ++i) {
    int8_t* input = network_input_at(arena, 0);
    for (int j = 0; j < NETWORK_INPUT_BYTES; ++j) input[j] = kInputs[i][j];
    ticks_high = 0;
    kSysTick[2] = 0;
    kSysTick[1] = 0xFFFFFF;
    kSysTick[0] = 7;
    while (kSysTick[2] == 0) {
    }
    const uint32_t before = kSysTick[2];
    const int status = network_invoke(arena);
    ticks = before - kSysTick[2] + (ticks_high << 24);
    kSysTick[0] = 0;
    if (status != 0) leave(status);
    const int8_t* output = (const int8_t*)network_output(arena);
    put_text("out ");
    for (int j = 0; j < NETWORK_OUTPUT_BYTES; ++j) {
      put("0123456789abcdef"[(uint8_t)output[j] >> 4]);
      put("0123456789abcdef"[output[j] & 15]);
    }
    put('\n');
  }
  put_text("ticks ");
  put_number(ticks);
  put('\n');
  leave(0);
}

void reset_handler(void) {
  *kCpacr |= 0xFu << 20;
  const uint32_t* source = &data_source;
  for (uint32_t* target = &data_start; target < &data_end;) *target++ = *source++;
  for (uint32_t* target = &bss_start; target < &bss_end;) *target++ = 0;
  kUart[4] = 16;
  kUart[2] = 3;
  main();
}

__attribute__((section(".vectors"), used)) static const void* const kVectors[16] = {
    &stack_top,    reset_handler, fault_handler, fault_handler,  fault_handler, fault_handler,
    fault_handler, NULL,          NULL,          NULL,           NULL,          fault_handler,
    fault_handler, NULL,          fault_handler, systick_handler};
