#include "tinyml_build.h"

#if defined(TINYML_HAL_NANO33BLE)

#include "../axis_map.h"
#include "../hal.h"
#include "imu.h"

// Arduino's macros (min, abs, F, …) would break what follows.
#include <Wire.h>
#if defined(TINYML_IMU_LSM9DS1)
#include <Arduino_LSM9DS1.h>
#endif
#if defined(TINYML_IMU_BMI270)
#include <Arduino_BMI270_BMM150.h>
#endif

namespace {

// I2C addresses and identities: ST LSM9DS1 data sheet (WHO_AM_I), Bosch BMI270 data sheet (CHIP_ID).
struct Chip {
  const char* name;
  uint8_t address;
  uint8_t identity_register;
  uint8_t identity;
};

constexpr Chip kLsm9ds1 = {"lsm9ds1", 0x6B, 0x0F, 0x68};
constexpr Chip kBmi270 = {"bmi270", 0x68, 0x00, 0x24};

#if defined(TARGET_ARDUINO_NANO33BLE)
constexpr AxisMap kBmi270LibraryAxes = kTurnedAxes;
#else
constexpr AxisMap kBmi270LibraryAxes = kBmi270Axes;
#endif

const Chip* found = nullptr;
bool ready = false;
const char* complaint = "";

bool answers(const Chip& chip) {
  Wire1.beginTransmission(chip.address);
  Wire1.write(chip.identity_register);
  return Wire1.endTransmission() == 0 && Wire1.requestFrom(chip.address, static_cast<size_t>(1)) == 1 &&
         Wire1.read() == chip.identity;
}

// Reads through one of Arduino's sensor classes, which have the same methods but no common base.
template <class Library>
bool measure(Library& library, const AxisMap& axes, ImuSample* sample) {
  float acceleration_g[3];
  float rotation_dps[3];
  int32_t mg[3];
  int32_t mdps[3];
  if (!library.readAcceleration(acceleration_g[0], acceleration_g[1], acceleration_g[2]) ||
      !library.readGyroscope(rotation_dps[0], rotation_dps[1], rotation_dps[2]) ||
      !axes.to_board(acceleration_g, mg) || !axes.to_board(rotation_dps, mdps)) {
    return false;
  }
  *sample = ImuSample{mg[0], mg[1], mg[2], mdps[0], mdps[1], mdps[2]};
  return true;
}

void begin_lsm9ds1() {
#if defined(TINYML_IMU_LSM9DS1)
  ready = IMU_LSM9DS1.begin() != 0;
  complaint = ready ? "" : "the LSM9DS1 does not start: unplug the board and plug it in again";
#else
  complaint = "this board carries an LSM9DS1 (first revision): build with --board nano33ble to use it";
#endif
}

void begin_bmi270() {
#if defined(TINYML_IMU_BMI270)
  ready = IMU_BMI270_BMM150.begin(BOSCH_ACCELEROMETER_ONLY) != 0;
  complaint = ready ? "" : "the BMI270 does not start: unplug the board and plug it in again";
#else
  complaint = "this board carries a BMI270 (Rev2): build with --board nano33ble_rev2 to use it";
#endif
}

}  // namespace

void imu_begin() {
  Wire1.begin();
  if (answers(kLsm9ds1)) {
    found = &kLsm9ds1;
    begin_lsm9ds1();
  } else if (answers(kBmi270)) {
    found = &kBmi270;
    begin_bmi270();
  }
}

const char* imu_found() {
  return found ? found->name : "none";
}

bool imu_ready() {
  return ready;
}

bool imu_measure(ImuSample* sample) {
#if defined(TINYML_IMU_LSM9DS1)
  if (ready && found == &kLsm9ds1) {
    return measure(IMU_LSM9DS1, kLsm9ds1Axes, sample);
  }
#endif
#if defined(TINYML_IMU_BMI270)
  if (ready && found == &kBmi270) {
    return measure(IMU_BMI270_BMM150, kBmi270LibraryAxes, sample);
  }
#endif
  (void)sample;
  return false;
}

const char* imu_complaint() {
  return complaint;
}

#endif  // TINYML_HAL_NANO33BLE
