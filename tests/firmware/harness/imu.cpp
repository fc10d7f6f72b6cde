// The motion sensor's driver on a bus that fails: `imu N` falls silent after N transactions, `imu short`
// sends too few bytes; prints the sample, or "none".
#include "nano33ble/imu.cpp"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

FakeWire Wire1;
FakeLsm9ds1 IMU_LSM9DS1;

static void put(uint8_t first, int16_t x, int16_t y, int16_t z) {
  const int16_t values[3] = {x, y, z};
  for (int axis = 0; axis < 3; ++axis) {
    Wire1.registers[first + 2 * axis] = static_cast<uint8_t>(values[axis] & 0xFF);
    Wire1.registers[first + 2 * axis + 1] = static_cast<uint8_t>((values[axis] >> 8) & 0xFF);
  }
}

int main(int argc, char** argv) {
  Wire1.registers[0x0F] = 0x68;  // WHO_AM_I
  put(0x28, 8192, -4096, 32767);
  put(0x18, -32768, 16384, 1);
  imu_begin();
  Wire1.answered = 0;
  if (argc > 1 && strcmp(argv[1], "short") == 0) {
    Wire1.sends_short = true;
  } else if (argc > 1) {
    Wire1.silent_from = atoi(argv[1]);
  }
  ImuSample sample = {7, 7, 7, 7, 7, 7};
  if (!imu_measure(&sample)) {
    printf("none");
    return 0;
  }
  printf("%s %d %d %d %d %d %d", imu_found(), static_cast<int>(sample.ax_mg), static_cast<int>(sample.ay_mg),
         static_cast<int>(sample.az_mg), static_cast<int>(sample.gx_mdps), static_cast<int>(sample.gy_mdps),
         static_cast<int>(sample.gz_mdps));
  return 0;
}
