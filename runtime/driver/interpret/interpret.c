// runtime/driver/interpret/interpret.c - the debugging interpreter, a plug-in
// opened by name like a vendor's library.

#include "runtime/driver/driver.h"

static nrd_status_t open_interpret(const char *argument,
                                   const nrd_device_options_t *options,
                                   const nrd_allocator_t *allocator,
                                   nrd_device_t **out_device) {
  (void)argument, (void)options, (void)allocator, (void)out_device;
  return nrd_fail(NRD_UNAVAILABLE,
                  "the interpreter, libnereid_interpret.so, is not installed");
}

const nrd_driver_t nrd_driver_interpret = {
    .name = "interpret",
    .open = open_interpret,
    .runs_ir = 1,
};
