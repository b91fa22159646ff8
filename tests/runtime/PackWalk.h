//===- PackWalk.h - Uses everything a pack has ------------------*- C++ -*-===//
//
// For packs that may be damaged: whatever fails must fail with a sentence.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_TESTS_RUNTIME_PACKWALK_H
#define NEREID_TESTS_RUNTIME_PACKWALK_H

#include "TestPack.h"

#include <cstdlib>

namespace runtimetest {

/// How far the walk over a pack came.
struct Walk {
  int failures = 0;
  int launches = 0;
  int mapped = 0; // launches of variants that have tensor maps

  bool check(nrd_status_t status) {
    if (status == NRD_OK)
      return true;
    ++failures;
    EXPECT_STRNE(nrd_error_message(), "");
    return false;
  }

  void kernel(const nrd_kernel_t *kernel) {
    size_t length = 0;
    for (size_t i = 0; i < nrd_kernel_slot_count(kernel); ++i) {
      const nrd_slot_t *slot = nrd_kernel_slot(kernel, i);
      length += strlen(slot->name) + strlen(slot->type) + strlen(slot->doc);
    }
    for (size_t i = 0; i < nrd_kernel_config_count(kernel); ++i) {
      const nrd_config_t *config = nrd_kernel_config(kernel, i);
      for (uint32_t c = 0; c < config->constant_count; ++c)
        length += strlen(config->constants[c].name) +
                  strlen(config->constants[c].text);
      for (uint32_t axis = 0; axis < config->grid_rank; ++axis)
        length += strlen(config->grid_text[axis]);
    }
    for (size_t i = 0; i < nrd_kernel_variant_count(kernel); ++i) {
      const nrd_variant_t *variant = nrd_kernel_variant(kernel, i);
      length += strlen(variant->target) + strlen(variant->symbol);
    }
    EXPECT_LT(length, size_t(1) << 30);
    char text[300];
    nrd_kernel_explain(kernel, nullptr, text, sizeof text);
    nrd_call_t *call = nullptr;
    if (!check(nrd_call_create(kernel, &call)))
      return;
    // 16 everywhere suits every tensor map and predicate, the others some.
    for (int64_t value : {0, 16, 345, 1}) {
      for (uint32_t i = 0; i < nrd_kernel_slot_count(kernel); ++i) {
        const nrd_slot_t *slot = nrd_kernel_slot(kernel, i);
        int64_t shape[16];
        for (int64_t &extent : shape)
          extent = value;
        if (slot->kind == NRD_SLOT_POINTER)
          check(nrd_call_set_pointer(call, i, address(value * 16)));
        else if (slot->kind == NRD_SLOT_INTEGER)
          (void)nrd_call_set_int(call, i, value);
        else if (slot->kind == NRD_SLOT_FLOAT)
          (void)nrd_call_set_float(call, i, 0.5);
        else
          check(nrd_call_set_descriptor(call, i, address(value * 16), shape,
                                        value % 2 ? shape : nullptr));
      }
      if (check(nrd_call_bind(call))) {
        launches += check(nrd_call_launch(call, nullptr));
        // Their parameter blocks have room for at least one.
        uint32_t variant = 0;
        check(nrd_call_variant(call, &variant));
        mapped += nrd_kernel_variant(kernel, variant)->param_size > 128;
      }
      // Enough of a grid to make scratch costly is the caller's own wish.
      (void)nrd_call_set_grid(call, 3, 1, 1);
      launches += check(nrd_call_launch(call, nullptr));
      (void)nrd_call_set_grid(call, 0, 0, 0);
      nrd_call_explain(call, text, sizeof text);
    }
    nrd_call_destroy(call);
  }

  void pack(const std::string &bytes, nrd_device_t *device) {
    nrd_pack_t *pack = nullptr;
    // Exactly as many bytes as there are, so that a sanitizer sees every step
    // beyond them.
    std::vector<char> exact(bytes.begin(), bytes.end());
    if (!check(nrd_pack_open_memory(exact.data() ? exact.data() : "",
                                    exact.size(), nullptr, &pack)))
      return;
    size_t length =
        strlen(nrd_pack_name(pack)) + strlen(nrd_pack_producer(pack));
    for (size_t i = 0; nrd_pack_target(pack, i); ++i)
      length += strlen(nrd_pack_target(pack, i));
    EXPECT_LT(length, size_t(1) << 30);
    const nrd_kernel_t *found = nullptr;
    check(nrd_kernel_find(pack, device, "no such kernel", &found));
    for (size_t i = 0; i < nrd_pack_kernel_count(pack) && i < 4; ++i) {
      const char *name = nullptr;
      if (check(nrd_pack_kernel_name(pack, i, &name)) &&
          check(nrd_kernel_find(pack, device, name, &found)))
        kernel(found);
    }
    nrd_pack_close(pack);
  }
};

/// An allocator that has only so much to give, as a machine would.
struct Limited {
  size_t used = 0, limit = size_t(64) << 20;
  static void *reallocate(void *context, void *pointer, size_t size) {
    auto *self = static_cast<Limited *>(context);
    if (!size) {
      free(pointer);
      return nullptr;
    }
    if (size > self->limit)
      return nullptr;
    return realloc(pointer, size);
  }
};

} // namespace runtimetest

#endif // NEREID_TESTS_RUNTIME_PACKWALK_H
