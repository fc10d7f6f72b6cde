// What an application adds to keyword spotting, chosen at build time: multi_tenant a second model that
// listens, cascade a gate behind which a second model looks, learner words that it is taught. kws adds none.
#pragma once

#include "tinyml_build.h"

#if defined(TINYML_APP_MULTI_TENANT)
#include "second_listener.h"
#else
#include "no_second_listener.h"
using SecondListener = NoSecondListener;
#endif

#if defined(TINYML_APP_CASCADE)
#include "gate.h"
#else
#include "no_gate.h"
using Gate = NoGate;
#endif

#if defined(TINYML_APP_LEARNER)
#include "pupil.h"
#else
#include "no_pupil.h"
using Pupil = NoPupil;
#endif

// Events name the model where there is another one.
#if defined(TINYML_FIRST_MODEL)
constexpr const char* kFirstModel = TINYML_FIRST_MODEL;
#else
constexpr const char* kFirstModel = nullptr;
#endif
