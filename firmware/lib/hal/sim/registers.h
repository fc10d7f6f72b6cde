// The few registers of QEMU's mps2-an386 that the virtual board uses.
// Source: ARMv7-M Architecture Reference Manual (system control space).
#pragma once

#include <stdint.h>

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
  kSysTickEnable = 1u << 0,
  kSysTickInterrupt = 1u << 1,
  kSysTickProcessorClock = 1u << 2,
  kSysTickPending = 1u << 26,  // kInterruptControl
  kMpuEnable = 1u << 0,        // control
  kMpuDefaultMap = 1u << 2,
  kMpuRegionValid = 1u << 4,   // region_base
  kMpuRegionEnable = 1u << 0,  // region_attributes
  kMpuNoExecute = 1u << 28,
};

static SysTickTimer* const kSysTick = reinterpret_cast<SysTickTimer*>(0xE000E010);
static MemoryProtectionUnit* const kMpu = reinterpret_cast<MemoryProtectionUnit*>(0xE000ED94);
static volatile uint32_t* const kInterruptControl = reinterpret_cast<volatile uint32_t*>(0xE000ED04);
static volatile uint32_t* const kFaultStatus = reinterpret_cast<volatile uint32_t*>(0xE000ED28);
static volatile uint32_t* const kFaultAddress = reinterpret_cast<volatile uint32_t*>(0xE000ED38);
static volatile uint32_t* const kCoprocessorAccess = reinterpret_cast<volatile uint32_t*>(0xE000ED88);
