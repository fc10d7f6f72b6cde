// Lights up while the values of a sensor are unusual: here those of the pin A0.
#include <MODEL_NAME.h>

const uint32_t kPeriodUs = 1000000000u / SAMPLE_RATE_MILLIHZ;
uint32_t nextUs = 0;

void setup() {
  Serial.begin(115200);
  pinMode(LED_BUILTIN, OUTPUT);
  while (!tinyml_begin()) {
    Serial.println("The model does not start");
    delay(1000);
  }
  nextUs = micros();
}

void loop() {
  if ((int32_t)(micros() - nextUs) < 0) {
    return;
  }
  nextUs += kPeriodUs;
  // The model knows values in the unit of its training data: convert what your sensor gives to that unit.
  int16_t sample[SIGNAL_CHANNELS];
  for (int i = 0; i < SIGNAL_CHANNELS; ++i) {
    sample[i] = (int16_t)lroundf(analogRead(A0 + i) * SAMPLE_SCALE);
  }
  const int changed = tinyml_watch(sample, SIGNAL_CHANNELS);
  if (changed != TINYML_NOTHING) {
    digitalWrite(LED_BUILTIN, changed ? HIGH : LOW);
    Serial.print(changed ? "Alarm, score " : "All clear, score ");
    Serial.print(tinyml_score_permille() / 10);
    Serial.println(" % of the threshold");
  }
}
