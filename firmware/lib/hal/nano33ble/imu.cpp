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

bool to_sample(const float acceleration_g[3], const float rotation_dps[3], const AxisMap& axes,
               ImuSample* sample) {
  int32_t mg[3];
  int32_t mdps[3];
  if (!axes.to_board(acceleration_g, mg) || !axes.to_board(rotation_dps, mdps)) {
    return false;
  }
  *sample = ImuSample{mg[0], mg[1], mg[2], mdps[0], mdps[1], mdps[2]};
  return true;
}

#if defined(TINYML_IMU_LSM9DS1)
// Registers and full scales as Arduino_LSM9DS1's begin() sets them: 2000 degrees a second, 4 g. Its own
// readings are not used: it passes off what was in memory where the bus does not answer.
constexpr uint8_t kOutXG = 0x18;
constexpr uint8_t kOutXXl = 0x28;
constexpr uint8_t kAutoIncrement = 0x80;
// What a step is says ST's LSM9DS1 data sheet (DocID025715), table 3: LA_So 0.122 mg, G_So 70 mdps. Arduino's
// library takes 2000/32768 for the latter, 12.8 % too little.
constexpr float kDpsOfStep = 0.070f;
constexpr float kGOfStep = 4.0f / 32768.0f;

bool read_axes(uint8_t first_register, float unit_of_step, float values[3]) {
  constexpr size_t kBytes = 6;
  Wire1.beginTransmission(kLsm9ds1.address);
  Wire1.write(kAutoIncrement | first_register);
  if (Wire1.endTransmission(false) != 0 || Wire1.requestFrom(kLsm9ds1.address, kBytes) != kBytes) {
    return false;
  }
  for (int axis = 0; axis < 3; ++axis) {
    const int low = Wire1.read();
    const int high = Wire1.read();
    values[axis] = static_cast<int16_t>(low | high << 8) * unit_of_step;
  }
  return true;
}

bool measure_lsm9ds1(ImuSample* sample) {
  float acceleration_g[3];
  float rotation_dps[3];
  return read_axes(kOutXXl, kGOfStep, acceleration_g) && read_axes(kOutXG, kDpsOfStep, rotation_dps) &&
         to_sample(acceleration_g, rotation_dps, kLsm9ds1Axes, sample);
}
#endif

#if defined(TINYML_IMU_BMI270)
bool measure_bmi270(ImuSample* sample) {
  float acceleration_g[3];
  float rotation_dps[3];
  return IMU_BMI270_BMM150.readAcceleration(acceleration_g[0], acceleration_g[1], acceleration_g[2]) &&
         IMU_BMI270_BMM150.readGyroscope(rotation_dps[0], rotation_dps[1], rotation_dps[2]) &&
         to_sample(acceleration_g, rotation_dps, kBmi270LibraryAxes, sample);
}
#endif

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
    return measure_lsm9ds1(sample);
  }
#endif
#if defined(TINYML_IMU_BMI270)
  if (ready && found == &kBmi270) {
    return measure_bmi270(sample);
  }
#endif
  (void)sample;
  return false;
}

const char* imu_complaint() {
  return complaint;
}

#endif  // TINYML_HAL_NANO33BLE
