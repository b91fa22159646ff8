// runtime/driver/cpu/features.c - what this processor can run.

#include "runtime/driver/cpu/features.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)

#include <cpuid.h>

// arch_prctl's requests about dynamically enabled register state.
enum { GET_SUPPORTED = 0x1021, REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };

static uint64_t read_xcr0(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static int has_all(uint64_t value, uint64_t bits) {
  return (value & bits) == bits;
}

#define BIT(n) (UINT64_C(1) << (n))

const char *nrd_cpu_level(void) {
  uint32_t a, b, c1 = 0, d, b7 = 0, c7 = 0, d7 = 0, a71 = 0, ce = 0;
  if (!__get_cpuid(1, &a, &b, &c1, &d))
    return "x86-64";
  if (__get_cpuid_count(7, 0, &a, &b7, &c7, &d7) && a >= 1)
    __get_cpuid_count(7, 1, &a71, &b, &c7, &d);
  __get_cpuid(0x80000001, &a, &b, &ce, &d);

  // SSE3, SSSE3, CX16, SSE4.1, SSE4.2, POPCNT; LAHF
  if (!has_all(c1, BIT(0) | BIT(9) | BIT(13) | BIT(19) | BIT(20) | BIT(23)) ||
      !has_all(ce, BIT(0)))
    return "x86-64";
  // FMA, MOVBE, OSXSAVE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT
  if (!has_all(c1, BIT(12) | BIT(22) | BIT(27) | BIT(28) | BIT(29)) ||
      !has_all(b7, BIT(3) | BIT(5) | BIT(8)) || !has_all(ce, BIT(5)))
    return "x86-64-v2";
  uint64_t saved = read_xcr0();
  if (!has_all(saved, BIT(1) | BIT(2))) // XMM and YMM
    return "x86-64-v2";
  // AVX512 F, DQ, CD, BW, VL; opmask and both parts of ZMM
  if (!has_all(b7, BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31)) ||
      !has_all(saved, BIT(5) | BIT(6) | BIT(7)))
    return "x86-64-v3";
  uint32_t c70 = 0;
  __get_cpuid_count(7, 0, &a, &b, &c70, &d);
  // AVX512_VNNI; AMX-BF16, AMX-TILE, AMX-INT8; AVX512_BF16; tile state
  if (!has_all(c70, BIT(11)) || !has_all(d7, BIT(22) | BIT(24) | BIT(25)) ||
      !has_all(a71, BIT(5)) || !has_all(saved, BIT(17) | BIT(18)))
    return "x86-64-v4";
  uint64_t supported = 0;
  if (syscall(SYS_arch_prctl, GET_SUPPORTED, &supported) ||
      !has_all(supported, BIT(TILE_DATA)))
    return "x86-64-v4";
  return "x86-64-amx";
}

int nrd_cpu_request_amx(void) {
  return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

void nrd_cpu_model(char *text, size_t capacity) {
  uint32_t words[13] = {0};
  uint32_t a = 0, b, c, d;
  if (__get_cpuid(0x80000000, &a, &b, &c, &d) && a >= 0x80000004)
    for (uint32_t i = 0; i < 3; ++i)
      __get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1],
                  &words[4 * i + 2], &words[4 * i + 3]);
  char name[sizeof words];
  memcpy(name, words, sizeof name);
  const char *start = name + strspn(name, " ");
  snprintf(text, capacity, "%s", *start ? start : "x86-64 processor");
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

const char *nrd_cpu_level(void) {
  enum { HAS_SVE = 1 << 22 }; // HWCAP_SVE
  return getauxval(AT_HWCAP) & HAS_SVE ? "aarch64-sve" : "aarch64";
}

int nrd_cpu_request_amx(void) {
  errno = ENOSYS;
  return 0;
}

void nrd_cpu_model(char *text, size_t capacity) {
  snprintf(text, capacity, "Arm processor");
}

#else

const char *nrd_cpu_level(void) { return ""; }

int nrd_cpu_request_amx(void) {
  errno = ENOSYS;
  return 0;
}

void nrd_cpu_model(char *text, size_t capacity) {
  snprintf(text, capacity, "unknown processor");
}

#endif
