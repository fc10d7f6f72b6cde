// Runs the model on zeros, and says how long that takes and what comes out.
#include <MODEL_NAME.h>

void setup() {
  Serial.begin(115200);
  tinyml_begin();
}

void loop() {
  size_t bytes = 0;
  int8_t* input = tinyml_input(&bytes);
  memset(input, 0, bytes);
  const uint32_t start = micros();
  tinyml_invoke();
  Serial.print(micros() - start);
  Serial.print(" us:");
  const int8_t* output = tinyml_output(&bytes);
  for (size_t i = 0; i < bytes; ++i) {
    Serial.print(' ');
    Serial.print(output[i]);
  }
  Serial.println();
  delay(1000);
}
