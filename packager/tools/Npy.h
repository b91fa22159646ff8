//===- Npy.h - NumPy's array files ------------------------------*- C++ -*-===//

#ifndef NEREID_PACKAGER_TOOLS_NPY_H
#define NEREID_PACKAGER_TOOLS_NPY_H

#include "packager/tools/Dtype.h"

namespace nereid::tool {

/// Reads a .npy file (versions 1 to 3, C order, little-endian). `wanted` says
/// what NumPy cannot: bf16 and the fp8 types are stored as unsigned integers
/// or raw bytes ("V2", "V1") of the same size.
pack::Result<Array> readNpy(const std::string &path,
                            const pack::ScalarType &wanted);

/// Writes a .npy file; bf16 and fp8 as "V2" and "V1", as ml_dtypes does.
pack::Status writeNpy(const std::string &path, const Array &array);

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_NPY_H
