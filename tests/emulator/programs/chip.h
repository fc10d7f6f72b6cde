// Registers of the nRF52840 that the programs here use (nRF52840 Product Specification).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t*)(address))

enum {
  POWER = 0x40000000u,
  UART0 = 0x40002000u,
  TWI1 = 0x40004000u,
  TIMER0 = 0x40008000u,
  RNG = 0x4000D000u,
  WDT = 0x40010000u,
  RTC1 = 0x40011000u,
  PWM0 = 0x4001C000u,
  PDM = 0x4001D000u,
  NVMC = 0x4001E000u,
  USBD = 0x40027000u,
};
enum { P0 = 0x50000000u, P1 = 0x50000300u };
enum { TIMER0_IRQ = 8, RTC1_IRQ = 17, USBD_IRQ = 39 };

static inline void enable_interrupt(uint32_t number, uint32_t priority) {
  ((volatile uint8_t*)0xE000E400u)[number] = (uint8_t)(priority << 5);
  REGISTER(0xE000E100u + 4 * (number / 32)) = 1u << number % 32;
}

static inline void wait_for_interrupt(void) {
  __asm volatile("wfi" ::: "memory");
}

static inline void reset_chip(void) {
  REGISTER(0xE000ED0Cu) = 0x05FA0004u;
  for (;;) {
  }
}

int main(void);
