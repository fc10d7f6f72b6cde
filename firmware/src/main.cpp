// Selects the application named in the generated tinyml_build.h, and runs it forever.
#include "hal.h"
#include "tinyml_build.h"

#if defined(TINYML_APP_KWS) || defined(TINYML_APP_MULTI_TENANT) || defined(TINYML_APP_CASCADE) || \
    defined(TINYML_APP_LEARNER)
#include "kws.h"
using App = KwsApp;
#elif defined(TINYML_APP_ANOMALY)
#include "anomaly.h"
using App = AnomalyApp;
#elif defined(TINYML_APP_VWW)
#include "vww.h"
using App = VwwApp;
#elif defined(TINYML_APP_WAND)
#include "wand.h"
using App = WandApp;
#elif defined(TINYML_APP_HELLO)
#include "hello.h"
using App = HelloApp;
#elif defined(TINYML_APP_BENCH)
#include "bench.h"
using App = BenchApp;
#else
#error "tinyml_build.h names no application this firmware has"
#endif

static Hal hal;
static App app;

#if defined(TINYML_ARDUINO)

// Arduino's core has the main(), and declares these two in this way.
extern "C" void setup();
extern "C" void loop();

void setup() {
  app.setup(hal);
}

void loop() {
  app.step();
}

#elif defined(TINYML_HAL_BROWSER)

#include "browser/ports.h"

TINYML_EXPORT("board_setup") void board_setup() {
  app.setup(hal);
}

// Returns 1 once there is nothing to do until the page sends something.
TINYML_EXPORT("board_step") int32_t board_step() {
  app.step();
  return browser_idled() ? 1 : 0;
}

#else

int main() {
  app.setup(hal);
  for (;;) {
    app.step();
  }
}

#endif
