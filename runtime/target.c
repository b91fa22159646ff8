// runtime/target.c - which images run on which devices, as the vendors define
// it.
//
//   sm_XY    a cubin: the same major, at least the same minor
//   sm_XYf   the same major, at least the same minor, features of the family
//   sm_XYa   that chip only
//   ptx_XY   compiled by the driver for any chip from XY on; ptx_XYa that only
//   gfxN     that chip; with ":xnack+" and the like only in that mode
//   gfx*-generic   the chips of the row below
//   x86-64-vN, x86-64-amx, aarch64, aarch64-sve   feature levels in order

#include "runtime/target.h"

#include <stdlib.h>
#include <string.h>

typedef enum family_t { UNKNOWN, NVIDIA, NVIDIA_PTX, AMD, X86, ARM } family_t;

static const char *const x86_levels[] = {"x86-64", "x86-64-v2", "x86-64-v3",
                                         "x86-64-v4", "x86-64-amx"};
static const char *const arm_levels[] = {"aarch64", "aarch64-sve"};

// AMD's generic targets and the chips that each one's code runs on.
static const struct {
  const char *name;
  const char *chips; // each with a blank on both sides
} generics[] = {
    {"gfx9-generic", " gfx900 gfx902 gfx904 gfx906 gfx909 gfx90c "},
    {"gfx9-4-generic", " gfx940 gfx941 gfx942 gfx950 "},
    {"gfx10-1-generic", " gfx1010 gfx1011 gfx1012 gfx1013 "},
    {"gfx10-3-generic",
     " gfx1030 gfx1031 gfx1032 gfx1033 gfx1034 gfx1035 gfx1036 "},
    {"gfx11-generic",
     " gfx1100 gfx1101 gfx1102 gfx1103 gfx1150 gfx1151 gfx1152 gfx1153 "},
    {"gfx12-generic", " gfx1200 gfx1201 "},
};

enum {
  RANK_EXACT = 1 << 20, // built for this very chip
  RANK_FAMILY = 1 << 19,
  RANK_PLAIN = 1 << 18,
  RANK_GENERIC = 1 << 17,
  RANK_JIT = 1 << 16
};

static int level_of(const char *target, const char *const *levels, int count) {
  for (int i = 0; i < count; ++i)
    if (!strcmp(target, levels[i]))
      return i + 1;
  return 0;
}

static int x86_level(const char *target) {
  return level_of(target, x86_levels, 5);
}
static int arm_level(const char *target) {
  return level_of(target, arm_levels, 2);
}

// Reads "sm_90a" into 90 and 'a' (or 0). Returns 0 if it is not of that form.
static int parse_sm(const char *target, int *out_version, char *out_suffix) {
  const char *digits = strchr(target, '_');
  if (!digits)
    return 0;
  char *end = NULL;
  long version = strtol(++digits, &end, 10);
  if (end == digits || *digits < '1' || *digits > '9' || version < 10 ||
      version > 9999)
    return 0;
  char suffix = *end;
  if (suffix && ((suffix != 'a' && suffix != 'f') || end[1]))
    return 0;
  *out_version = (int)version;
  *out_suffix = suffix;
  return 1;
}

static family_t family_of(const char *target) {
  int version;
  char suffix;
  if (!strncmp(target, "sm_", 3))
    return parse_sm(target, &version, &suffix) ? NVIDIA : UNKNOWN;
  if (!strncmp(target, "ptx_", 4))
    return parse_sm(target, &version, &suffix) ? NVIDIA_PTX : UNKNOWN;
  if (!strncmp(target, "gfx", 3))
    return AMD;
  if (x86_level(target))
    return X86;
  return arm_level(target) ? ARM : UNKNOWN;
}

int nrd_target_is_known(const char *target) {
  return family_of(target) != UNKNOWN;
}

#define REFUSE(...)                                                            \
  do {                                                                         \
    if (why)                                                                   \
      nrd_text_add(why, __VA_ARGS__);                                          \
    return 0;                                                                  \
  } while (0)

static int rank_nvidia(const char *device, const char *image, int is_ptx,
                       nrd_text_t *why) {
  int chip, built;
  char chip_suffix, suffix;
  parse_sm(device, &chip, &chip_suffix);
  parse_sm(image, &built, &suffix);
  if (suffix == 'a') {
    if (built != chip)
      REFUSE("'%s' code runs on exactly sm_%d, not on sm_%d", image, built,
             chip);
    return (is_ptx ? RANK_JIT : RANK_EXACT) + 2 * built + 1;
  }
  if (is_ptx && !suffix) {
    if (built > chip)
      REFUSE("its PTX needs sm_%d or later", built);
    return RANK_JIT + 2 * built;
  }
  if (built / 10 != chip / 10)
    REFUSE("'%s' code runs on sm_%dx only, not on sm_%d", image, built / 10,
           chip);
  if (built > chip)
    REFUSE("'%s' code needs sm_%d or later of its generation", image, built);
  return (is_ptx          ? RANK_JIT
          : suffix == 'f' ? RANK_FAMILY
                          : RANK_PLAIN) +
         2 * built;
}

// Looks for ":xnack+" or ":xnack-" among the features: '+', '-', or 0.
static char feature_of(const char *target, const char *feature) {
  size_t size = strlen(feature);
  for (const char *at = strchr(target, ':'); at; at = strchr(at + 1, ':'))
    if (!strncmp(at + 1, feature, size) &&
        (at[1 + size] == '+' || at[1 + size] == '-'))
      return at[1 + size];
  return 0;
}

static int rank_amd(const char *device, const char *image, nrd_text_t *why) {
  static const char *const features[] = {"xnack", "sramecc"};
  size_t device_size = strcspn(device, ":"), image_size = strcspn(image, ":");
  int rank = 0;
  if (device_size == image_size && !memcmp(device, image, image_size)) {
    rank = RANK_EXACT;
  } else {
    for (size_t i = 0; i < sizeof generics / sizeof *generics; ++i) {
      if (strlen(generics[i].name) != image_size ||
          memcmp(generics[i].name, image, image_size))
        continue;
      const char *chip = generics[i].chips;
      while ((chip = strchr(chip, ' ')) && *++chip)
        if (!strncmp(chip, device, device_size) && chip[device_size] == ' ')
          rank = RANK_GENERIC;
    }
  }
  if (!rank)
    REFUSE("'%s' code does not run on %.*s", image, (int)device_size, device);
  for (int i = 0; i < 2; ++i) {
    char asked = feature_of(image, features[i]);
    char has = feature_of(device, features[i]);
    if (!asked)
      continue; // built for either mode
    if (asked != has)
      REFUSE("it was built for %s%c and the device runs with %s%c", features[i],
             asked, features[i], has ? has : '-');
    ++rank;
  }
  return rank;
}

static int rank_level(int device, int image, const char *name,
                      nrd_text_t *why) {
  if (image > device)
    REFUSE("the processor lacks the features of '%s'", name);
  return RANK_PLAIN + image;
}

int nrd_target_rank(const char *device, const char *image, nrd_text_t *why) {
  family_t here = family_of(device), there = family_of(image);
  if (there == UNKNOWN)
    REFUSE("this library does not know the target '%s'", image);
  if (here == NVIDIA && (there == NVIDIA || there == NVIDIA_PTX))
    return rank_nvidia(device, image, there == NVIDIA_PTX, why);
  if (here != there) {
    static const char *const makers[] = {"an unknown device", "an NVIDIA GPU",
                                         "an NVIDIA GPU",     "an AMD GPU",
                                         "an x86-64 CPU",     "an Arm CPU"};
    REFUSE("'%s' code needs %s", image, makers[there]);
  }
  if (here == AMD)
    return rank_amd(device, image, why);
  return here == X86
             ? rank_level(x86_level(device), x86_level(image), image, why)
             : rank_level(arm_level(device), arm_level(image), image, why);
}

int nrd_target_same_family(const char *device, const char *image) {
  family_t here = family_of(device), there = family_of(image);
  return here == there || (here == NVIDIA && there == NVIDIA_PTX);
}
