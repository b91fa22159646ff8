// runtime/device.h - sharing an open device (internal).

#ifndef NEREID_RUNTIME_DEVICE_H
#define NEREID_RUNTIME_DEVICE_H

#include "runtime/driver/driver.h"

// Each retain needs one nrd_device_close.
void nrd_device_retain(nrd_device_t *device);

#endif // NEREID_RUNTIME_DEVICE_H
