// signed_plugin - loads a vendor's kernels only if the vendor signed them.
//
//   signed_plugin [filters-signed.nrd [vendor.pub [device]]]
//
// A pack is machine code: hashes find damage, only a signature says whose code
// it is. The host keeps the vendor's public key and asks for it at open; from
// there the signature covers every kernel and image that is used.

#include <nereid/runtime.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(expression)                                                      \
  do {                                                                         \
    nrd_status_t check_status = (expression);                                  \
    if (check_status != NRD_OK) {                                              \
      fprintf(stderr, "%s\n  %s: %s\n", #expression,                           \
              nrd_status_name(check_status), nrd_error_message());             \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

// Reads "nereid-public-key-v1 " and 64 hexadecimal digits. A shipped host would
// rather have the 32 bytes in its source.
static int read_key(const char *path, uint8_t out_key[32]) {
  char text[100] = "";
  const char *const head = "nereid-public-key-v1 ";
  FILE *file = fopen(path, "r");
  if (!file)
    return 0;
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  if (size < strlen(head) + 64 || strncmp(text, head, strlen(head)))
    return 0;
  for (int i = 0; i < 32; i++) {
    unsigned byte;
    if (sscanf(text + strlen(head) + 2 * i, "%2x", &byte) != 1)
      return 0;
    out_key[i] = (uint8_t)byte;
  }
  return 1;
}

// Opens |bytes| under |key| and finds the kernel; says how it went. Returns
// the status of the first step that failed.
static nrd_status_t try_pack(const char *what, const void *bytes, size_t size,
                             const uint8_t key[32]) {
  nrd_pack_options_t options = NRD_PACK_OPTIONS_INIT;
  options.public_key = key;
  nrd_pack_t *pack = NULL;
  const nrd_kernel_t *kernel = NULL;
  nrd_status_t status = nrd_pack_open_memory(bytes, size, &options, &pack);
  if (status == NRD_OK)
    status = nrd_kernel_find(pack, NULL, "soft_threshold", &kernel);
  printf("%-34s %s%s%s\n", what, nrd_status_name(status),
         status == NRD_OK ? "" : ": ",
         status == NRD_OK ? "" : nrd_error_message());
  nrd_pack_close(pack);
  return status;
}

static void run_filter(const char *path, const uint8_t key[32],
                       const char *device_name) {
  enum { COUNT = 10007 };
  static float x[COUNT], y[COUNT];
  const float limit = 0.25f;
  for (int i = 0; i < COUNT; i++)
    x[i] = (float)(i * 37 % 2001 - 1000) / 1000;
  nrd_device_t *device = NULL;
  nrd_pack_t *pack = NULL;
  const nrd_kernel_t *kernel = NULL;
  nrd_call_t *call = NULL;
  void *x_device, *y_device;
  nrd_pack_options_t options = NRD_PACK_OPTIONS_INIT;
  options.public_key = key;
  CHECK(nrd_device_open(device_name, &device));
  CHECK(nrd_pack_open_file(path, &options, &pack));
  CHECK(nrd_kernel_find(pack, device, "soft_threshold", &kernel));
  CHECK(nrd_buffer_alloc(device, sizeof x, &x_device));
  CHECK(nrd_buffer_alloc(device, sizeof y, &y_device));
  CHECK(nrd_buffer_copy_to_device(device, x_device, x, sizeof x));
  CHECK(nrd_buffer_fill(device, y_device, 0xff, sizeof y));
  CHECK(nrd_call_create(kernel, &call));
  CHECK(nrd_call_set_pointer(call, 0, x_device));
  CHECK(nrd_call_set_pointer(call, 1, y_device));
  CHECK(nrd_call_set_float(call, 2, limit));
  CHECK(nrd_call_set_int(call, 3, COUNT));
  CHECK(nrd_call_launch(call, NULL));
  CHECK(nrd_buffer_copy_to_host(device, y, y_device, sizeof y));
  for (int i = 0; i < COUNT; i++) {
    float expected = copysignf(fmaxf(fabsf(x[i]) - limit, 0), x[i]);
    if (y[i] != expected) {
      fprintf(stderr, "element %d is %g, not %g\n", i, y[i], expected);
      exit(1);
    }
  }
  printf("%d elements filtered on %s, all as expected\n", COUNT,
         nrd_device_name(device));
  nrd_call_destroy(call);
  nrd_buffer_free(device, x_device);
  nrd_buffer_free(device, y_device);
  nrd_pack_close(pack);
  nrd_device_close(device);
}

int main(int argc, char **argv) {
  const char *path = argc > 1 ? argv[1] : "filters-signed.nrd";
  const char *key_path = argc > 2 ? argv[2] : "vendor.pub";
  uint8_t key[32], other[32];
  if (!read_key(key_path, key)) {
    fprintf(stderr, "%s holds no public key\n", key_path);
    return 1;
  }
  run_filter(path, key, argc > 3 ? argv[3] : "auto");

  // What the signature is for: a byte changed on the way, and a stranger's key.
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END))
    return 1;
  long size = ftell(file);
  rewind(file);
  char *bytes = size > 0 ? malloc((size_t)size) : NULL;
  if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size)
    return 1;
  fclose(file);
  memcpy(other, key, sizeof other);
  other[7] ^= 1;
  int right = try_pack("the vendor's pack", bytes, (size_t)size, key) == NRD_OK;
  right &= try_pack("the same, a stranger's key asked", bytes, (size_t)size,
                    other) == NRD_UNTRUSTED;
  bytes[size - 1] ^= 1; // the signature is the file's last part
  right &= try_pack("the same, its signature changed", bytes, (size_t)size,
                    key) == NRD_UNTRUSTED;
  free(bytes);
  if (!right)
    fprintf(stderr, "a pack was taken or refused that should not be\n");
  return right ? 0 : 1;
}
