// runtime/device.h - sharing an open device (internal).

#ifndef NEREID_RUNTIME_DEVICE_H
#define NEREID_RUNTIME_DEVICE_H

#include "runtime/driver/driver.h"

// Each retain needs one nrd_device_close.
void nrd_device_retain(nrd_device_t *device);

// nrd_device_open_with, deaf to NRD_INTERPRET.
nrd_status_t nrd_device_open_plain(const char *name,
                                   const nrd_device_options_t *options,
                                   nrd_device_t **out_device);

#endif // NEREID_RUNTIME_DEVICE_H
