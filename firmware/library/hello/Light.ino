// Lets the orange light of an Arduino Nano 33 BLE Sense breathe as the model says.
#include <MODEL_NAME.h>

uint32_t point = 0;
uint32_t nextMs = 0;

void setup() {
  Serial.begin(115200);
  pinMode(LED_BUILTIN, OUTPUT);
  tinyml_begin();
  nextMs = millis();
}

void loop() {
  if ((int32_t)(millis() - nextMs) < 0) {
    return;
  }
  nextMs += CURVE_POINT_MS;
  const int light = tinyml_draw(point);
  if (light != TINYML_NOTHING) {
    analogWrite(LED_BUILTIN, light);
    Serial.println(light);  // Tools > Serial Plotter draws it
  }
  point = (point + 1) % CURVE_POINTS;
}
