// runtime/driver/driver.h - what one kind of device must provide (internal).
//
// A driver is a folder beside this file that defines one nrd_driver_t. The
// runtime core reaches devices through this table alone, so adding one touches
// its folder and one row of drivers.def. null/ is the shortest example.

#ifndef NEREID_RUNTIME_DRIVER_DRIVER_H
#define NEREID_RUNTIME_DRIVER_DRIVER_H

#include "nereid/archive_limits.h"
#include "nereid/runtime.h"
#include "runtime/error.h"
#include "runtime/memory.h"

#include <stdatomic.h>

typedef struct nrd_driver_t nrd_driver_t;
typedef struct nrd_module_t nrd_module_t; // one loaded image, the driver's own

// One open device. A driver's own struct begins with this one and its open
// fills in the texts.
struct nrd_device_t {
  const nrd_driver_t *driver;
  nrd_allocator_t allocator;
  nrd_scratch_allocator_t scratch; // |allocate| may be NULL: the driver's
  atomic_uint references;
  char name[40];   // "cuda:0"
  char target[48]; // "sm_90"; "" accepts every target
  char model[96];  // "NVIDIA H100 80GB HBM3", as tuning tables name it
  char description[192];
};

// What a variant says of its own launch; borrowed from the kernel's index.
typedef struct nrd_image_t {
  const char *kernel; // for messages
  const char *target;
  const char *symbol;
  uint32_t block[3];
  uint32_t cluster[3];
  uint32_t num_ctas; // thread blocks per program along x
  uint32_t shared_size;
  uint32_t param_size;
  uint32_t scratch_align;
  uint64_t scratch_size;
  uint32_t min_driver;
  uint8_t pdl;
  uint8_t cooperative;
  uint8_t has_tensor_maps;
} nrd_image_t;

// A launch that is laid out. It never moves; |params| keeps its address while
// the values behind it change.
typedef struct nrd_launch_t {
  nrd_device_t *device;
  nrd_module_t *module;
  void *function;
  const nrd_image_t *image;
  void *params; // aligned to 64
  uint32_t param_size;
  uint32_t grid[3];
  uint64_t programs;         // their product, above 0
  uint64_t driver_state[48]; // what prepare leaves for launch
} nrd_launch_t;

// How to encode one tensor map; dimensions count from the fastest.
typedef struct nrd_tensor_map_t {
  uint32_t slot;
  uint32_t rank;
  uint32_t box[NRD_MAX_TENSOR_MAP_RANK];
  uint32_t element_size; // bytes
  uint8_t element_type;
  uint8_t swizzle;
  uint8_t interleave;
  uint8_t l2_promotion;
  uint8_t oob_fill;
  // Programs that give the sizes and then the strides of an array behind a
  // pointer, slowest dimension first; NULL: the slot is a descriptor.
  const struct nrd_grid_axis_t *programs;
} nrd_tensor_map_t;

// A member is optional where it says so. Every call may come from any thread;
// the core calls load and unload of one kernel's images one at a time.
struct nrd_driver_t {
  const char *name; // the word before ':' in nrd_device_open

  // Optional: how many devices there are; without it one.
  uint32_t (*count)(void);

  // |argument| is the text behind ':' or NULL. Memory comes from |allocator|.
  nrd_status_t (*open)(const char *argument,
                       const nrd_device_options_t *options,
                       const nrd_allocator_t *allocator,
                       nrd_device_t **out_device);
  void (*close)(nrd_device_t *device);

  // Optional: says whether |image| can run here beyond what its target word
  // tells (limits, driver version); else adds the reason to |why| (optional)
  // and returns 0. Loads nothing.
  int (*suits)(const nrd_device_t *device, const nrd_image_t *image,
               nrd_text_t *why);

  // Loads an image. NRD_INCOMPATIBLE and NRD_UNSUPPORTED make dispatch go on
  // to the next variant. |bytes| may go away afterwards.
  nrd_status_t (*load)(nrd_device_t *device, const nrd_image_t *image,
                       const void *bytes, size_t size,
                       nrd_module_t **out_module);
  void (*unload)(nrd_device_t *device, nrd_module_t *module);

  // Finds image->symbol and sets what the function needs before a launch.
  nrd_status_t (*function)(nrd_device_t *device, nrd_module_t *module,
                           const nrd_image_t *image, void **out_function);

  // Optional: where |function| reads its parameter |index|. Returns 1, 0 beyond
  // the last one, -1 where the driver cannot tell.
  int (*parameter)(nrd_device_t *device, void *function, uint32_t index,
                   uint32_t *out_offset, uint32_t *out_size);

  // Optional: fills launch->driver_state; called again when the grid changes.
  nrd_status_t (*prepare)(nrd_launch_t *launch);
  nrd_status_t (*launch)(nrd_launch_t *launch, void *stream);

  // Optional: writes 128 bytes at |map|, of any alignment. |shape| and |strides| are in the
  // slot's order, slowest first, and meet the recipe's conditions. |moved|: the
  // map there differs in its base alone.
  nrd_status_t (*encode_tensor_map)(nrd_device_t *device,
                                    const nrd_tensor_map_t *recipe,
                                    const void *base, const int64_t *shape,
                                    const int64_t *strides, int moved,
                                    void *map);

  nrd_status_t (*alloc)(nrd_device_t *device, size_t size, void **out_pointer);
  void (*free)(nrd_device_t *device, void *pointer);
  // Copies wait for what was queued before and have finished on return.
  nrd_status_t (*copy)(nrd_device_t *device, void *to, const void *from,
                       size_t size, int to_is_host, int from_is_host);
  nrd_status_t (*fill)(nrd_device_t *device, void *to, uint8_t value,
                       size_t size);

  // Optional, all four: without them a launch has finished when it returns.
  nrd_status_t (*synchronize)(nrd_device_t *device);
  nrd_status_t (*stream_synchronize)(nrd_device_t *device, void *stream);
  nrd_status_t (*stream_create)(nrd_device_t *device, void **out_stream);
  void (*stream_destroy)(nrd_device_t *device, void *stream);

  // Optional.
  void (*set_threads)(nrd_device_t *device, uint32_t count);
  uint32_t (*threads)(const nrd_device_t *device);
  void *(*context)(const nrd_device_t *device);

  // DLDeviceType values of DLPack whose memory kernels can reach; 0 ends.
  int32_t dlpack_types[4];

  // 1: the image is a config's tt IR, and the core makes up one variant per
  // config, with every slot laid out in 8 bytes.
  uint8_t runs_ir;
};

// The memory members of a driver whose device is the host.
nrd_status_t nrd_host_alloc(nrd_device_t *device, size_t size,
                            void **out_pointer);
void nrd_host_free(nrd_device_t *device, void *pointer);
nrd_status_t nrd_host_copy(nrd_device_t *device, void *to, const void *from,
                           size_t size, int to_is_host, int from_is_host);
nrd_status_t nrd_host_fill(nrd_device_t *device, void *to, uint8_t value,
                           size_t size);

#endif // NEREID_RUNTIME_DRIVER_DRIVER_H
