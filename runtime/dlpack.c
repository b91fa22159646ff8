// runtime/dlpack.c - DLPack tensors as arguments.

#include "runtime/call.h"

#include <string.h>

// DLTensor of dlpack.h, the same since version 0.2.
typedef struct tensor_t {
  void *data;
  int32_t device_type;
  int32_t device_id;
  int32_t rank;
  uint8_t type_code;
  uint8_t type_bits;
  uint16_t type_lanes;
  int64_t *shape;
  int64_t *strides; // NULL: contiguous
  uint64_t byte_offset;
} tensor_t;

// Which DLDataTypeCode and width stand for an element type of ours.
static const struct {
  const char *type;
  uint8_t code;
  uint8_t bits;
} types[] = {
    {"i1", 6, 8},     {"i8", 0, 8},        {"i16", 0, 16},
    {"i32", 0, 32},   {"i64", 0, 64},      {"u8", 1, 8},
    {"u16", 1, 16},   {"u32", 1, 32},      {"u64", 1, 64},
    {"fp16", 2, 16},  {"fp32", 2, 32},     {"fp64", 2, 64},
    {"bf16", 4, 16},  {"fp8e4nv", 10, 8},  {"fp8e4b8", 11, 8},
    {"fp8e5", 12, 8}, {"fp8e5b16", 13, 8},
};

// "*kfp16" and "tensordesc<fp16[128,64]>" have elements of type "fp16".
static size_t element_type(const char *type, const char **out_name) {
  if (*type == '*')
    type += type[1] == 'k' ? 2 : 1;
  else if (!strncmp(type, "tensordesc<", 11))
    type += 11;
  *out_name = type;
  return strcspn(type, "[>");
}

static int device_fits(const nrd_device_t *device, int32_t type) {
  if (!device->driver->dlpack_types[0])
    return 1;
  for (int i = 0; i < 4; ++i)
    if (device->driver->dlpack_types[i] == type)
      return 1;
  return 0;
}

nrd_status_t nrd_call_set_dlpack(nrd_call_t *call, uint32_t slot,
                                 const void *dl_tensor) {
  NRD_NEED(call);
  NRD_NEED(dl_tensor);
  const nrd_slot_t *info = nrd_kernel_slot(call->kernel, slot);
  if (!info ||
      (info->kind != NRD_SLOT_POINTER && info->kind != NRD_SLOT_DESCRIPTOR))
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "nrd_call_set_dlpack: slot %u of kernel '%s' does not take "
                    "a tensor",
                    slot, call->kernel->index->name);
  tensor_t tensor;
  memcpy(&tensor, dl_tensor, sizeof tensor);
  const nrd_device_t *device = call->kernel->device;
  if (!device_fits(device, tensor.device_type))
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "'%s': the tensor is on DLPack device type %d, which %s "
                    "cannot reach",
                    info->name, tensor.device_type, device->name);
  const char *name;
  size_t size = element_type(info->type, &name);
  for (size_t i = 0; i < sizeof types / sizeof *types; ++i) {
    if (strlen(types[i].type) != size || memcmp(types[i].type, name, size))
      continue;
    if (tensor.type_code != types[i].code ||
        tensor.type_bits != types[i].bits || tensor.type_lanes != 1)
      return nrd_fail(NRD_INVALID_ARGUMENT,
                      "'%s' is %s, and the tensor's elements have DLPack code "
                      "%u, %u bits, %u lanes",
                      info->name, info->type, tensor.type_code,
                      tensor.type_bits, tensor.type_lanes);
  }
  const void *base = (const char *)tensor.data + tensor.byte_offset;
  if (info->kind == NRD_SLOT_POINTER)
    return nrd_call_set_pointer(call, slot, base);
  if (tensor.rank < 0 || (uint32_t)tensor.rank != info->rank)
    return nrd_fail(NRD_INVALID_ARGUMENT,
                    "'%s' has %u dimensions and the tensor %d", info->name,
                    info->rank, tensor.rank);
  return nrd_call_set_descriptor(call, slot, base, tensor.shape,
                                 tensor.strides);
}
