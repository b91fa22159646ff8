// nereid/runtime.h - open a pack of kernels and launch them.
//
//   nrd_device_t *device = NULL;
//   nrd_pack_t *pack = NULL;
//   const nrd_kernel_t *add = NULL;
//   nrd_call_t *call = NULL;
//   nrd_device_open("auto", &device);
//   nrd_pack_open_file("kernels.nrd", NULL, &pack);
//   nrd_kernel_find(pack, device, "vector_add", &add);
//   nrd_call_create(add, &call);
//   nrd_call_set_pointer(call, 0, x);
//   nrd_call_set_pointer(call, 1, y);
//   nrd_call_set_pointer(call, 2, out);
//   nrd_call_set_int(call, 3, count);
//   nrd_call_bind(call);
//   nrd_call_launch(call, NULL);
//   nrd_device_synchronize(device);
//   nrd_call_destroy(call);
//   nrd_pack_close(pack);
//   nrd_device_close(device);
//
// True of every function here, so said once:
//
//   Ownership  *_open and *_create give the caller an object that the matching
//              *_close or *_destroy ends; those accept NULL. Everything else
//              is borrowed: a kernel and every string or table got from it
//              live as long as its pack. Objects hold what they stand on, so
//              any order of closing is safe: a call keeps its pack and device
//              alive, and bytes given to nrd_pack_open_memory must outlive the
//              pack and all calls made from it.
//   Results    Outputs come last, are named out_*, and are untouched unless
//              the call returns NRD_OK. A failing call leaves its objects as
//              they were, and nrd_error_message() says what happened.
//   Threads    Devices, packs and kernels may be used by many threads at once.
//              A call belongs to one thread at a time, but nrd_call_launch of
//              a bound call may run in several at once if its variant has no
//              global scratch. Nothing may be used while it is being closed.
//   Pointers   Non-NULL unless marked optional.
//   Growth     Structs with a |size| field and structs returned by pointer
//              only ever grow at the end; NRD_*_INIT sets |size|.
//
// The environment changes what an unchanged program does:
//
//   NRD_DEVICE=cuda:1   what "auto" opens
//   NRD_INTERPRET=1     every launch goes through the interpreter
//   NRD_LOG=1|2         failures (1) and decisions (2) to stderr;
//                       NRD_LOG=FILE or FILE:2 appends to a file
//   NRD_TRACE=FILE      a timeline of loads, binds and launches in Chrome's
//                       trace format
//   NRD_NUM_THREADS=N   threads of a "cpu" device opened without a count
//   NRD_HIP_ARCH=gfx942 what an AMD GPU is, if its driver does not say

#ifndef NEREID_RUNTIME_H
#define NEREID_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "nereid/status.h"

#ifdef __cplusplus
extern "C" {
#endif

//===-- Version -----------------------------------------------------------===//

#define NRD_VERSION_MAJOR 0
#define NRD_VERSION_MINOR 1
#define NRD_VERSION_PATCH 0

// Returns the library's own version as major * 10000 + minor * 100 + patch.
NRD_API uint32_t nrd_version(void);

//===-- Memory of the host ------------------------------------------------===//

// Where an object takes its host memory from. |reallocate| has realloc's shape:
// a NULL |pointer| allocates, a |size| of 0 frees and returns NULL; memory must
// be aligned as malloc's. Called from any thread that uses the object.
typedef struct nrd_allocator_t {
  void *(*reallocate)(void *context, void *pointer, size_t size);
  void *context;
} nrd_allocator_t;

//===-- Device ------------------------------------------------------------===//

// One device, with its driver loaded. Its context is made current where a call
// needs that, and the caller's is put back.
typedef struct nrd_device_t nrd_device_t;

// Device memory for variants that need scratch shared by a launch's programs.
// |allocate| returns NULL when it cannot; both are called during nrd_call_bind
// and nrd_call_destroy, never during nrd_call_launch of a bound call.
typedef struct nrd_scratch_allocator_t {
  void *(*allocate)(void *context, size_t size, size_t alignment);
  void (*release)(void *context, void *pointer, size_t size);
  void *context;
} nrd_scratch_allocator_t;

// Every field may be left zero.
typedef struct nrd_device_options_t {
  size_t size;                      // sizeof(nrd_device_options_t)
  const nrd_allocator_t *allocator; // copied; NULL: malloc
  // The application's own context, wrapped instead of the device's primary
  // one: a CUcontext. It must outlive the device. HIP has none: leave NULL.
  // For "null" an int * that every driver call counts down; the call that
  // brings it to 0 fails.
  void *context;
  // "cpu": threads of a launch, the caller's included; launches that overlap
  // share them. 0: NRD_NUM_THREADS, or what OpenMP would use, or every
  // processor the process may run on.
  uint32_t threads;
  const nrd_scratch_allocator_t *scratch; // copied; NULL: the driver's memory
  // Receives what device_print writes on "cpu", a line at a time, without the
  // newline, from any thread. NULL: standard output.
  void (*print)(void *context, const char *line);
  void *print_context;
} nrd_device_options_t;

#define NRD_DEVICE_OPTIONS_INIT {sizeof(nrd_device_options_t), 0, 0, 0, 0, 0, 0}

// Opens the device called |name|:
//
//   "auto"       NRD_DEVICE if set; else the first of cuda:0, hip:0, cpu that
//                is there. Never fails on a machine without a GPU.
//   "cuda:N" "hip:N"   the N-th device of the vendor's driver; "cuda" is cuda:0
//   "cpu"        the processor this program runs on, by its feature bits
//   "cpu:x86-64-v3"    the same, held down to one level (for tests)
//   "interpret"  the debugging interpreter, if its plug-in is installed, on the
//                CPU's memory; "interpret:cuda:0" on that device's
//   "null"       does everything but run the kernel; takes any variant
//   "null:sm_90a"      takes what a device of that target would take
//
// NRD_UNAVAILABLE if the driver is not installed, NRD_NOT_FOUND if there is no
// such device or driver.
NRD_API nrd_status_t nrd_device_open(const char *name,
                                     nrd_device_t **out_device);

// The same with |options| (optional).
NRD_API nrd_status_t nrd_device_open_with(const char *name,
                                          const nrd_device_options_t *options,
                                          nrd_device_t **out_device);
NRD_API void nrd_device_close(nrd_device_t *device);

// Counts the devices of a driver: "cuda", "hip", "cpu", ... A driver that is
// not installed has none.
NRD_API uint32_t nrd_device_count(const char *driver);

// The name to open it by ("cuda:0") and one line about it ("NVIDIA H100 80GB
// HBM3, sm_90, CUDA 13.0"). Never NULL.
NRD_API const char *nrd_device_name(const nrd_device_t *device);
NRD_API const char *nrd_device_description(const nrd_device_t *device);

// The device's own target word, most specific: "sm_90a", "gfx942:sramecc+:
// xnack-", "x86-64-v4". "" for "null" without one.
NRD_API const char *nrd_device_target(const nrd_device_t *device);

// Returns 1 if an image built for |target| runs here, else 0.
NRD_API int nrd_device_accepts(const nrd_device_t *device, const char *target);

// The vendor's handle: CUcontext for "cuda", else NULL.
NRD_API void *nrd_device_context(const nrd_device_t *device);

// How many threads a launch on "cpu" uses, the caller's included; 0 restores
// the default. Affects launches that start later. Other drivers ignore it.
NRD_API void nrd_device_set_threads(nrd_device_t *device, uint32_t count);
NRD_API uint32_t nrd_device_threads(const nrd_device_t *device);

// Waits for everything queued on the device, or on one stream of it. Reports
// what failed since (a device_assert, a fault) as the driver does.
NRD_API nrd_status_t nrd_device_synchronize(nrd_device_t *device);
NRD_API nrd_status_t nrd_stream_synchronize(nrd_device_t *device, void *stream);

// A stream is the vendor's own handle (CUstream, hipStream_t), made here or by
// the application. NULL, the default stream, always works and is the only one
// of "cpu", "interpret" and "null", whose create gives NULL.
NRD_API nrd_status_t nrd_stream_create(nrd_device_t *device, void **out_stream);
NRD_API void nrd_stream_destroy(nrd_device_t *device, void *stream);

//===-- Memory of the device ----------------------------------------------===//
//
// So that a small program needs no vendor's SDK and runs unchanged without a
// GPU. A pointer from the vendor's own allocator serves as well everywhere.
// Copies and fills are ordered after everything queued on the device before
// and have finished when they return.

// Allocates |size| bytes (1 or more), aligned to 256.
NRD_API nrd_status_t nrd_buffer_alloc(nrd_device_t *device, size_t size,
                                      void **out_pointer);
NRD_API void nrd_buffer_free(nrd_device_t *device, void *pointer);

NRD_API nrd_status_t nrd_buffer_copy_to_device(nrd_device_t *device, void *to,
                                               const void *from_host,
                                               size_t size);
NRD_API nrd_status_t nrd_buffer_copy_to_host(nrd_device_t *device,
                                             void *to_host, const void *from,
                                             size_t size);
NRD_API nrd_status_t nrd_buffer_copy(nrd_device_t *device, void *to,
                                     const void *from, size_t size);

// Sets |size| bytes to |value|.
NRD_API nrd_status_t nrd_buffer_fill(nrd_device_t *device, void *to,
                                     uint8_t value, size_t size);

//===-- Pack --------------------------------------------------------------===//

// An open pack (.nrd). It belongs to no device: one pack serves several.
typedef struct nrd_pack_t nrd_pack_t;

// Every field may be left zero.
typedef struct nrd_pack_options_t {
  size_t size; // sizeof(nrd_pack_options_t)
  // 32 bytes of an Ed25519 key: the pack must be signed with it, and every
  // image is checked against the signed index. NULL: signatures are not asked
  // for. NRD_UNSUPPORTED from a library built without signing.
  const uint8_t *public_key;
  const nrd_allocator_t *allocator; // copied; NULL: malloc
} nrd_pack_options_t;

#define NRD_PACK_OPTIONS_INIT {sizeof(nrd_pack_options_t), 0, 0}

// Maps the pack at |path|. Checks the header and the root; each kernel's part
// is checked when it is first found, each image when it is first bound.
// |options| is optional.
NRD_API nrd_status_t nrd_pack_open_file(const char *path,
                                        const nrd_pack_options_t *options,
                                        nrd_pack_t **out_pack);

// Uses the |size| bytes at |bytes| where they stand, without a copy. They may
// be unaligned, and must stay unchanged until everything from the pack is gone.
NRD_API nrd_status_t nrd_pack_open_memory(const void *bytes, size_t size,
                                          const nrd_pack_options_t *options,
                                          nrd_pack_t **out_pack);
NRD_API void nrd_pack_close(nrd_pack_t *pack);

// What the pack says of itself. Never NULL.
NRD_API const char *nrd_pack_name(const nrd_pack_t *pack);
NRD_API const char *nrd_pack_producer(const nrd_pack_t *pack);

// The targets that some variant serves, and the kernels, in the pack's order.
// NULL beyond the last target.
NRD_API size_t nrd_pack_target_count(const nrd_pack_t *pack);
NRD_API const char *nrd_pack_target(const nrd_pack_t *pack, size_t index);
NRD_API size_t nrd_pack_kernel_count(const nrd_pack_t *pack);
NRD_API nrd_status_t nrd_pack_kernel_name(nrd_pack_t *pack, size_t index,
                                          const char **out_name);

// nrd_kernel_preload for every kernel of the pack that |device| can run.
NRD_API nrd_status_t nrd_pack_preload(nrd_pack_t *pack, nrd_device_t *device);

//===-- Kernel ------------------------------------------------------------===//

// A kernel on a device. Immutable.
typedef struct nrd_kernel_t nrd_kernel_t;

// Finds the kernel |name| for |device|. The same question gives the same
// handle. NRD_NOT_FOUND if the pack has no such name (the message offers near
// ones), NRD_INCOMPATIBLE if no variant runs on the device (the message names
// the device, the targets present and the nearest miss). |device| is optional:
// without one the kernel can be looked at but not called.
NRD_API nrd_status_t nrd_kernel_find(nrd_pack_t *pack, nrd_device_t *device,
                                     const char *name,
                                     const nrd_kernel_t **out_kernel);

// Unpacks and loads every variant that the device can run, so that no later
// nrd_call_bind loads anything: needed before a CUDA graph is captured.
NRD_API nrd_status_t nrd_kernel_preload(const nrd_kernel_t *kernel);

// Writes one line per variant: whether |device| (optional: the kernel's) can
// take it, and why or why not. Like snprintf, writes at most |capacity| bytes
// with the final NUL and returns the length it needed without it; |buffer| may
// be NULL when |capacity| is 0.
NRD_API size_t nrd_kernel_explain(const nrd_kernel_t *kernel,
                                  const nrd_device_t *device, char *buffer,
                                  size_t capacity);

typedef enum nrd_slot_kind_t {
  NRD_SLOT_POINTER,
  NRD_SLOT_INTEGER,
  NRD_SLOT_FLOAT,
  NRD_SLOT_DESCRIPTOR
} nrd_slot_kind_t;

// One parameter of the public signature.
typedef struct nrd_slot_t {
  const char *name;
  const char *type; // "*fp16", "*kfp32", "i32", "tensordesc<fp16[128,64]>"
  const char *doc;  // "" if there is none
  nrd_slot_kind_t kind;
  uint32_t bits; // of the value, or of the element behind a pointer
  uint32_t rank; // of a descriptor
  int is_signed;
  int is_const;         // the kernel only reads through it
  int has_constant;     // the caller may leave it; another value is refused
  int64_t constant;     // integers
  double constant_real; // floats
} nrd_slot_t;

typedef struct nrd_config_constant_t {
  const char *name;
  const char *text; // as Triton source writes it
} nrd_config_constant_t;

// One choice of compile-time constants.
typedef struct nrd_config_t {
  uint32_t num_warps;
  uint32_t num_stages;
  uint32_t num_ctas;
  uint32_t constant_count;
  const nrd_config_constant_t *constants;
  uint32_t grid_rank;       // 0: the caller sets the grid
  const char *grid_text[3]; // "cdiv(M, BLOCK_M)"
} nrd_config_t;

// One compiled image.
typedef struct nrd_variant_t {
  const char *target;
  const char *symbol;
  uint32_t config;
  uint32_t predicate_count; // what it asks of the arguments
  uint32_t block[3];        // threads
  uint32_t cluster[3];      // programs
  uint32_t shared_size;     // bytes
  uint32_t param_size;      // bytes
  uint64_t scratch_size;    // bytes per program (GPU) or per thread (CPU)
  uint64_t image_size;      // bytes, unpacked
  uint32_t registers;
  uint32_t spill_bytes;
  uint32_t min_driver;
  int runs_here; // on the kernel's device
} nrd_variant_t;

NRD_API const char *nrd_kernel_name(const nrd_kernel_t *kernel);
NRD_API nrd_device_t *nrd_kernel_device(const nrd_kernel_t *kernel);
NRD_API size_t nrd_kernel_slot_count(const nrd_kernel_t *kernel);
NRD_API size_t nrd_kernel_config_count(const nrd_kernel_t *kernel);
NRD_API size_t nrd_kernel_variant_count(const nrd_kernel_t *kernel);

// NULL beyond the last one.
NRD_API const nrd_slot_t *nrd_kernel_slot(const nrd_kernel_t *kernel,
                                          size_t index);
NRD_API const nrd_config_t *nrd_kernel_config(const nrd_kernel_t *kernel,
                                              size_t index);
NRD_API const nrd_variant_t *nrd_kernel_variant(const nrd_kernel_t *kernel,
                                                size_t index);

// The slot called |name|, for callers without a generated header.
NRD_API nrd_status_t nrd_kernel_find_slot(const nrd_kernel_t *kernel,
                                          const char *name, uint32_t *out_slot);

//===-- Call --------------------------------------------------------------===//

// One launch of one kernel with its arguments laid out, to be launched any
// number of times.
typedef struct nrd_call_t nrd_call_t;

NRD_API nrd_status_t nrd_call_create(const nrd_kernel_t *kernel,
                                     nrd_call_t **out_call);

// The device's work that uses the call's scratch must have finished.
NRD_API void nrd_call_destroy(nrd_call_t *call);

// Setting a slot of a bound call patches the packed parameters in place. Only
// where the new value changes a fact that the choice of variant, a tensor map
// or the grid stands on is the rest done again, at the next bind or launch.

// A device address. NULL is a value like any other.
NRD_API nrd_status_t nrd_call_set_pointer(nrd_call_t *call, uint32_t slot,
                                          const void *pointer);

// Refused where |value| does not fit the slot's type; u64 takes the bits.
NRD_API nrd_status_t nrd_call_set_int(nrd_call_t *call, uint32_t slot,
                                      int64_t value);

// Rounded to the slot's type, to nearest even.
NRD_API nrd_status_t nrd_call_set_float(nrd_call_t *call, uint32_t slot,
                                        double value);

// A tensor for a descriptor slot: |shape| and |strides| have as many entries
// as the slot's rank, slowest dimension first, strides in elements. |strides|
// is optional: without them the tensor is contiguous.
NRD_API nrd_status_t nrd_call_set_descriptor(nrd_call_t *call, uint32_t slot,
                                             const void *base,
                                             const int64_t *shape,
                                             const int64_t *strides);

// A `const DLTensor *` of DLPack 0.2 to 1.x for a pointer or descriptor slot.
// Its device and element type are checked; it is not kept.
NRD_API nrd_status_t nrd_call_set_dlpack(nrd_call_t *call, uint32_t slot,
                                         const void *dl_tensor);

// Programs along x, y and z. Overrides the pack's grid; three zeros give it
// back. A grid with a zero in it launches nothing and succeeds.
NRD_API nrd_status_t nrd_call_set_grid(nrd_call_t *call, uint32_t x, uint32_t y,
                                       uint32_t z);

// Takes only variants of this config; NRD_CONFIG_AUTO leaves the choice to the
// pack's tuning table and order.
#define NRD_CONFIG_AUTO UINT32_MAX
NRD_API nrd_status_t nrd_call_set_config(nrd_call_t *call, uint32_t config);

// Device memory for the variant's global scratch, instead of the allocator's;
// aligned to 256, kept by the caller while launches use it. See
// nrd_call_scratch_size. NULL and 0 give it back.
NRD_API nrd_status_t nrd_call_set_scratch(nrd_call_t *call, void *pointer,
                                          size_t size);

// Chooses the variant, loads it if it is not loaded, packs the parameters,
// encodes tensor maps and evaluates the grid. Does nothing when nothing has
// changed. NRD_INVALID_ARGUMENT names every slot that is not set;
// NRD_INCOMPATIBLE says what each variant asks that the arguments do not meet.
NRD_API nrd_status_t nrd_call_bind(nrd_call_t *call);

// Queues the launch on |stream| (optional) and returns without waiting; binds
// first if needed. On "cpu" the kernel has run when this returns.
NRD_API nrd_status_t nrd_call_launch(nrd_call_t *call, void *stream);

// What bind chose. NRD_INVALID_ARGUMENT if the call is not bound.
NRD_API nrd_status_t nrd_call_variant(const nrd_call_t *call,
                                      uint32_t *out_variant);
NRD_API nrd_status_t nrd_call_grid(const nrd_call_t *call,
                                   uint32_t out_grid[3]);
NRD_API nrd_status_t nrd_call_scratch_size(const nrd_call_t *call,
                                           size_t *out_size);

// The packed parameter block of a bound call, for an application that launches
// by itself (a graph's kernel node). Valid until the next set or bind.
NRD_API nrd_status_t nrd_call_params(const nrd_call_t *call,
                                     const void **out_params, size_t *out_size);

// The loaded entry point of a bound call: CUfunction, hipFunction_t, or
// nrd_cpu_kernel_fn_t.
NRD_API nrd_status_t nrd_call_function(const nrd_call_t *call,
                                       void **out_function);

// As nrd_kernel_explain, with the arguments set so far.
NRD_API size_t nrd_call_explain(const nrd_call_t *call, char *buffer,
                                size_t capacity);

//===-- Log ---------------------------------------------------------------===//

typedef enum nrd_log_level_t {
  NRD_LOG_ERROR = 1,   // failures
  NRD_LOG_DECISION = 2 // devices opened, images loaded, variants chosen
} nrd_log_level_t;

// Sends messages up to |level| to |callback| instead of where NRD_LOG says.
// NULL gives it back to NRD_LOG. Set it before other threads use the library.
NRD_API void nrd_log_set_callback(void (*callback)(void *context,
                                                   nrd_log_level_t level,
                                                   const char *message),
                                  void *context, nrd_log_level_t level);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEREID_RUNTIME_H
