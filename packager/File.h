//===- File.h - Whole files in, whole files out -----------------*- C++ -*-===//

#ifndef NEREID_PACKAGER_FILE_H
#define NEREID_PACKAGER_FILE_H

#include "packager/Result.h"

#include <string_view>

namespace nereid::pack {

/// Reads the file at `path`.
Result<std::string> readFile(const std::string &path);

/// Could a file be put at `path`? For asking before long work.
Status checkWritable(const std::string &path);

/// Puts `bytes` at `path`: either the whole file is there afterwards, or what
/// was there before. `mode` is the permission of a new file.
Status writeFile(const std::string &path, std::string_view bytes,
                 unsigned mode = 0644);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_FILE_H
