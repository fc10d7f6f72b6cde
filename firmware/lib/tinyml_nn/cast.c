#include "tinyml_nn_s32.h"

/* 2^31 and 2^32, the first float32 beyond the type. */
static const float kAboveS32 = 2147483648.0f, kAboveU32 = 4294967296.0f;

static inline int32_t to_s32(float x) {
  if (x != x) return 0;
  if (x >= kAboveS32) return INT32_MAX;
  return x < -kAboveS32 ? INT32_MIN : (int32_t)x;
}

static inline uint32_t to_u32(float x) {
  if (!(x > 0)) return 0;
  return x >= kAboveU32 ? UINT32_MAX : (uint32_t)x;
}

static inline int32_t limited(float x, int32_t lowest, int32_t highest) {
  const int32_t value = to_s32(x);
  return value < lowest ? lowest : value > highest ? highest : value;
}

#define CAST(from, From, to, To, result)                                            \
  void tinyml_nn_cast_##from##_##to(const From* input, To* output, int32_t count) { \
    for (int32_t i = 0; i < count; ++i) {                                           \
      const From x = input[i];                                                      \
      output[i] = (To)(result);                                                     \
    }                                                                               \
  }

#define FROM_INTEGER(from, From)     \
  CAST(from, From, s8, int8_t, x)    \
  CAST(from, From, s16, int16_t, x)  \
  CAST(from, From, s32, int32_t, x)  \
  CAST(from, From, u32, uint32_t, x) \
  CAST(from, From, f32, float, x)

FROM_INTEGER(s8, int8_t)
FROM_INTEGER(s16, int16_t)
FROM_INTEGER(s32, int32_t)
FROM_INTEGER(u32, uint32_t)
FROM_INTEGER(b8, bool)
CAST(f32, float, s8, int8_t, limited(x, INT8_MIN, INT8_MAX))
CAST(f32, float, s16, int16_t, limited(x, INT16_MIN, INT16_MAX))
CAST(f32, float, s32, int32_t, to_s32(x))
CAST(f32, float, u32, uint32_t, to_u32(x))
CAST(f32, float, f32, float, x)
