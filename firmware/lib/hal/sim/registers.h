// The few registers of QEMU's mps2-an386 that the virtual board uses.
// Sources: Arm AN386 (memory map, interrupt numbers), Cortex-M System Design Kit TRM (UART), ARMv7-M ARM
// (system).
#pragma once

#include <stdint.h>

struct CmsdkUart {
  volatile uint32_t data;
  volatile uint32_t state;
  volatile uint32_t control;
  volatile uint32_t interrupt;  // read: status, write 1: clear
  volatile uint32_t baud_divider;
};

struct SysTickTimer {
  volatile uint32_t control;
  volatile uint32_t reload;
  volatile uint32_t current;
};

struct MemoryProtectionUnit {
  volatile uint32_t control;
  volatile uint32_t region_number;
  volatile uint32_t region_base;
  volatile uint32_t region_attributes;
};

enum : uint32_t {
  kUartTxFull = 1u << 0,  // state
  kUartRxFull = 1u << 1,
  kUartTxEnable = 1u << 0,  // control
  kUartRxEnable = 1u << 1,
  kUartRxInterruptEnable = 1u << 3,
  kUartRxInterrupt = 1u << 1,  // interrupt
  kSysTickEnable = 1u << 0,
  kSysTickInterrupt = 1u << 1,
  kSysTickProcessorClock = 1u << 2,
  kSysTickPending = 1u << 26,  // kInterruptControl
  kUart0RxIrq = 1u << 0,       // NVIC line 0
  kMpuEnable = 1u << 0,        // control
  kMpuDefaultMap = 1u << 2,
  kMpuRegionValid = 1u << 4,   // region_base
  kMpuRegionEnable = 1u << 0,  // region_attributes
  kMpuNoExecute = 1u << 28,
};

static CmsdkUart* const kUart0 = reinterpret_cast<CmsdkUart*>(0x40004000);
static SysTickTimer* const kSysTick = reinterpret_cast<SysTickTimer*>(0xE000E010);
static MemoryProtectionUnit* const kMpu = reinterpret_cast<MemoryProtectionUnit*>(0xE000ED94);
static volatile uint32_t* const kNvicEnable = reinterpret_cast<volatile uint32_t*>(0xE000E100);
static volatile uint32_t* const kNvicDisable = reinterpret_cast<volatile uint32_t*>(0xE000E180);
static volatile uint32_t* const kNvicClearPending = reinterpret_cast<volatile uint32_t*>(0xE000E280);
static volatile uint32_t* const kInterruptControl = reinterpret_cast<volatile uint32_t*>(0xE000ED04);
static volatile uint32_t* const kFaultStatus = reinterpret_cast<volatile uint32_t*>(0xE000ED28);
static volatile uint32_t* const kFaultAddress = reinterpret_cast<volatile uint32_t*>(0xE000ED38);
static volatile uint32_t* const kCoprocessorAccess = reinterpret_cast<volatile uint32_t*>(0xE000ED88);
