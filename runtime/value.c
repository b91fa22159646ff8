// runtime/value.c - floating-point arguments in their slot's own format.

#include "runtime/call.h"

#include <string.h>

// Rounds to a format of |exponent| and |mantissa| bits, to nearest even, in one
// step: going through float would round twice.
static uint16_t narrow(double value, int exponent, int mantissa) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint16_t sign = (uint16_t)(bits >> 63 << (exponent + mantissa));
  int biased = (int)(bits >> 52 & 0x7ff);
  uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
  uint16_t infinity = (uint16_t)(((1 << exponent) - 1) << mantissa);
  if (biased == 0x7ff) // a NaN stays one: its top fraction bit is set
    return sign | infinity | (uint16_t)(fraction ? 1 << (mantissa - 1) : 0);
  int bias = (1 << (exponent - 1)) - 1;
  int power = biased - 1023;
  int least = 1 - bias; // of a normal result
  if (!biased || power < least - mantissa - 1)
    return sign; // below half of the smallest subnormal
  uint64_t significand = fraction | UINT64_C(1) << 52;
  int drop = 52 - mantissa + (power < least ? least - power : 0);
  uint64_t kept = significand >> drop;
  uint64_t rest = significand & ((UINT64_C(1) << drop) - 1);
  uint64_t half = UINT64_C(1) << (drop - 1);
  kept += rest > half || (rest == half && kept % 2);
  // A carry out of the fraction moves into the exponent, as it should.
  uint64_t result =
      power < least ? kept : ((uint64_t)(power + bias - 1) << mantissa) + kept;
  return sign | (result > infinity ? infinity : (uint16_t)result);
}

void nrd_encode_float(double value, const char *type, uint32_t size,
                      void *out_bytes) {
  if (size == 8) {
    memcpy(out_bytes, &value, 8);
  } else if (size == 4) {
    float single = (float)value;
    memcpy(out_bytes, &single, 4);
  } else {
    int is_brain = !strncmp(type, "bf", 2);
    uint16_t half = narrow(value, is_brain ? 8 : 5, is_brain ? 7 : 10);
    memcpy(out_bytes, &half, 2);
  }
}
