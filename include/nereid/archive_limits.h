// nereid/archive_limits.h - how large the parts of a pack may be.
//
// The packager refuses to write more and the runtime refuses to read more, so
// a damaged or hostile pack cannot ask for unbounded memory or time. Raising a
// limit needs a new minor version of the format; lowering one, a major.

#ifndef NEREID_ARCHIVE_LIMITS_H
#define NEREID_ARCHIVE_LIMITS_H

#include <stdint.h>

#define NRD_ARCHIVE_MAGIC UINT64_C(0x0a0d44494552454e) // "NEREID\r\n"
#define NRD_ARCHIVE_VERSION_MAJOR 1
#define NRD_ARCHIVE_VERSION_MINOR 0
#define NRD_ARCHIVE_HEADER_SIZE 88
#define NRD_ARCHIVE_ENTRY_SIZE 64
#define NRD_ARCHIVE_ALIGNMENT 64

#define NRD_MAX_KERNELS (1u << 24)
#define NRD_MAX_ROOT_SIZE (16u << 20) // bytes
// Bytes of one kernel's buffer, and of all its vectors' items, where one that
// several tables share counts for each.
#define NRD_MAX_INDEX_SIZE (64u << 20)
#define NRD_MAX_IMAGE_SIZE (1u << 30) // bytes of one blob, unpacked
#define NRD_MAX_SLOTS 256
#define NRD_MAX_RANK 8 // of a descriptor
#define NRD_MAX_CONFIGS 4096
#define NRD_MAX_VARIANTS 4096
#define NRD_MAX_BLOBS 65536
#define NRD_MAX_PREDICATES 256 // of one variant, and distinct ones per device
#define NRD_MAX_FIELDS 4096    // of one variant
#define NRD_MAX_TENSOR_MAPS 16 // of one variant
#define NRD_MAX_TENSOR_MAP_RANK 5
#define NRD_MAX_TENSOR_MAP_BOX 256 // elements along one dimension
// CUtensorMap's enumerations, as far as this version knows them.
#define NRD_TENSOR_MAP_TYPES 13
#define NRD_TENSOR_MAP_INTERLEAVES 3
#define NRD_TENSOR_MAP_SWIZZLES 7
#define NRD_TENSOR_MAP_PROMOTIONS 4
#define NRD_TENSOR_MAP_FILLS 2
#define NRD_MAX_PARAM_SIZE 32764 // bytes of a parameter block
#define NRD_MAX_GRID_STEPS 1024  // of one axis
#define NRD_MAX_GRID_DEPTH 32    // values on the grid machine's stack
#define NRD_MAX_GRID 2147483647  // programs along one axis
#define NRD_MAX_BLOCK 1024       // threads of one program
#define NRD_MAX_SCRATCH (UINT64_C(1) << 36) // bytes of one program or thread
#define NRD_MAX_SCRATCH_ALIGN 4096          // bytes
#define NRD_MAX_TUNING_TABLES 1024          // of one kernel
#define NRD_MAX_TUNING_KEYS 16              // of one table
#define NRD_MAX_TUNING_ROWS (1u << 20)      // of one table

#endif // NEREID_ARCHIVE_LIMITS_H
