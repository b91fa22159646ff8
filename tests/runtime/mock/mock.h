// mock/mock.h - what the mock drivers tell the tests about the calls they got.

#ifndef NEREID_TESTS_RUNTIME_MOCK_H
#define NEREID_TESTS_RUNTIME_MOCK_H

#include <stddef.h>

typedef struct mock_state_t {
  int launches;
  int loads;
  int unloads;
  int live_allocations;
  int live_contexts;    // primary contexts retained
  int capturing;        // set by a test: loading and allocating are refused
  int fail_with;        // set by a test: the next synchronize returns it
  int current_switches; // context or device changes
  // The last launch.
  void *stream;
  unsigned grid[3], block[3], cluster[3];
  unsigned shared_size;
  int pdl, cooperative;
  int device;
  unsigned char params[1024];
  size_t param_size;
  // The last tensor map.
  int map_encodes, map_moves;
  int map_element_type, map_swizzle;
  unsigned map_rank, map_box[5];
  unsigned long long map_dims[5], map_strides[5];
} mock_state_t;

#endif // NEREID_TESTS_RUNTIME_MOCK_H
