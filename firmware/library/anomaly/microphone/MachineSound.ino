// Lights up while a machine sounds unusual to the microphone of an Arduino Nano 33 BLE Sense.
#include <MODEL_NAME.h>
#include <PDM.h>

const uint32_t kRingSamples = 8192;  // half a second: longer than the model takes
int16_t ring[kRingSamples];
volatile uint32_t written = 0;  // samples since the start; the interrupt adds to it
uint32_t taken = 0;

// Called by the PDM library whenever a few milliseconds of sound are there.
void onSound() {
  static int16_t block[256];
  const int count = PDM.read(block, sizeof(block)) / 2;
  for (int i = 0; i < count; ++i) {
    ring[(written + i) % kRingSamples] = block[i];
  }
  written += count;
}

void setup() {
  Serial.begin(115200);
  pinMode(LED_BUILTIN, OUTPUT);
  PDM.onReceive(onSound);
  PDM.setBufferSize(512);
  while (!tinyml_begin() || !PDM.begin(1, SAMPLE_RATE_HZ)) {
    Serial.println("The microphone or the model does not start");
    delay(1000);
  }
}

void loop() {
  if (written - taken > kRingSamples) {
    Serial.println("Too slow: sound was lost");
    taken = written;
    tinyml_begin();
  }
  if (taken == written) {
    return;
  }
  // As much as there is, up to the end of the ring.
  const uint32_t start = taken % kRingSamples;
  const uint32_t count = min(written - taken, kRingSamples - start);
  const int changed = tinyml_watch(&ring[start], count);
  taken += count;
  if (changed != TINYML_NOTHING) {
    digitalWrite(LED_BUILTIN, changed ? HIGH : LOW);
    Serial.print(changed ? "Alarm, score " : "All clear, score ");
    Serial.print(tinyml_score_permille() / 10);
    Serial.println(" % of the threshold");
  }
}
