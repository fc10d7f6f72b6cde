// Lights up while a machine moves unusually under an Arduino Nano 33 BLE Sense.
#include <MODEL_NAME.h>
// A Nano 33 BLE Sense Rev2 has another sensor: write <Arduino_BMI270_BMM150.h> here.
#include <Arduino_LSM9DS1.h>

// Tenths of a degree a second. Arduino_LSM9DS1 takes 2000/32768 degrees a second for a step of the sensor, whose
// data sheet says 0.070; on a Rev2 write 10.
const float kTenthsOfDegrees = 10 * 0.070f * 32768 / 2000;
const uint32_t kPeriodUs = 1000000000u / SAMPLE_RATE_MILLIHZ;
uint32_t nextUs = 0;

void setup() {
  Serial.begin(115200);
  pinMode(LED_BUILTIN, OUTPUT);
  while (!tinyml_begin() || !IMU.begin()) {
    Serial.println("The motion sensor or the model does not start");
    delay(1000);
  }
  nextUs = micros();
}

void loop() {
  float ax, ay, az, gx, gy, gz;
  if ((int32_t)(micros() - nextUs) < 0 || !IMU.readAcceleration(ax, ay, az) || !IMU.readGyroscope(gx, gy, gz)) {
    return;
  }
  nextUs += kPeriodUs;
  // In thousandths of g, and in tenths of a degree a second; the model takes the first SIGNAL_CHANNELS of them.
  const int16_t sample[6] = {
      (int16_t)lroundf(ax * 1000), (int16_t)lroundf(ay * 1000), (int16_t)lroundf(az * 1000),
      (int16_t)lroundf(gx * kTenthsOfDegrees), (int16_t)lroundf(gy * kTenthsOfDegrees),
      (int16_t)lroundf(gz * kTenthsOfDegrees),
  };
  const int changed = tinyml_watch(sample, SIGNAL_CHANNELS);
  if (changed != TINYML_NOTHING) {
    digitalWrite(LED_BUILTIN, changed ? HIGH : LOW);
    Serial.print(changed ? "Alarm, score " : "All clear, score ");
    Serial.print(tinyml_score_permille() / 10);
    Serial.println(" % of the threshold");
  }
}
