// Says what the camera of the TinyML kit sees, and lights the LED while it sees it.
#include <MODEL_NAME.h>
// Its releases do not know this camera: take the newest state of CAMERA_LIBRARY
#include <Arduino_OV767X.h>

uint8_t frame[FRAME_BYTES];
int last = TINYML_NOTHING;

void setup() {
  Serial.begin(115200);
  pinMode(LED_BUILTIN, OUTPUT);
  const int format = FRAME_FORMAT == IMAGE_RGB565 ? RGB565 : GRAYSCALE;
  while (!tinyml_begin() || !Camera.begin(QCIF, format, 5, OV7675) || Camera.width() != FRAME_WIDTH ||
         Camera.height() != FRAME_HEIGHT) {
    Serial.println("The camera does not start, or has not the frames of the model");
    delay(1000);
  }
}

void loop() {
  Camera.readFrame(frame);
  const int seen = tinyml_look(frame);
  if (seen != last) {
    Serial.println(seen == TINYML_NOTHING ? "Sees nothing for sure" : kLabels[seen]);
    digitalWrite(LED_BUILTIN, seen == TINYML_NOTHING ? LOW : HIGH);
    last = seen;
  }
}
