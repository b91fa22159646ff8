//===- File.cpp - Whole files in, whole files out -------------------------===//

#include "packager/File.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nereid::pack {

Result<std::string> readFile(const std::string &path) {
  auto failed = [&] {
    return Status::error("cannot read '", path, "': ", std::strerror(errno));
  };
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return failed();
  struct stat info;
  if (::fstat(fd, &info) != 0) {
    Status status = failed();
    ::close(fd);
    return status;
  }
  if (S_ISDIR(info.st_mode)) {
    ::close(fd);
    return Status::error("cannot read '", path, "': it is a folder");
  }
  std::string bytes;
  if (S_ISREG(info.st_mode))
    bytes.reserve(static_cast<size_t>(info.st_size));
  // Read until the end rather than st_size bytes: pipes have no size.
  char buffer[1 << 16];
  for (;;) {
    ssize_t count = ::read(fd, buffer, sizeof(buffer));
    if (count == 0)
      break;
    if (count < 0) {
      if (errno == EINTR)
        continue;
      Status status = failed();
      ::close(fd);
      return status;
    }
    bytes.append(buffer, static_cast<size_t>(count));
  }
  ::close(fd);
  return bytes;
}

static bool writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR)
        continue;
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

static std::string folderOf(const std::string &path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "."
         : slash == 0               ? "/"
                                    : path.substr(0, slash);
}

// What errno says, and where it is about the folder, that it is.
static Status cannotWrite(const std::string &path) {
  int reason = errno;
  std::string folder = folderOf(path);
  struct stat info;
  if (reason == ENOENT && ::stat(folder.c_str(), &info) != 0)
    return Status::error("cannot write '", path, "': there is no folder '",
                         folder, "'");
  return Status::error("cannot write '", path, "': ", std::strerror(reason));
}

Status checkWritable(const std::string &path) {
  struct stat info;
  bool isThere = ::stat(path.c_str(), &info) == 0;
  if (isThere && S_ISDIR(info.st_mode))
    return Status::error("cannot write '", path, "': it is a folder");
  // A file is replaced by a new one; what is none is written to.
  bool isFile = !isThere || S_ISREG(info.st_mode);
  std::string written = isFile ? folderOf(path) : path;
  if (::access(written.c_str(), isFile ? W_OK | X_OK : W_OK) != 0)
    return cannotWrite(path);
  return {};
}

Status writeFile(const std::string &path, std::string_view bytes,
                 unsigned mode) {
  auto failed = [&] { return cannotWrite(path); };
  // A device or a pipe (/dev/stdout) cannot be renamed over.
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    if (S_ISDIR(info.st_mode))
      return Status::error("cannot write '", path, "': it is a folder");
    int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0)
      return failed();
    bool written = writeAll(fd, bytes);
    Status status = written ? Status() : failed();
    ::close(fd);
    return status;
  }

  // In the same folder, because rename does not cross file systems.
  std::string temporary = path + ".XXXXXX";
  int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0)
    return failed();
  mode_t mask = ::umask(0);
  ::umask(mask);
  bool written = writeAll(fd, bytes) && ::fchmod(fd, mode & ~mask) == 0;
  Status status = written ? Status() : failed();
  if (::close(fd) != 0 && written) {
    status = failed();
    written = false;
  }
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = failed();
    written = false;
  }
  if (!written)
    ::unlink(temporary.c_str());
  return status;
}

} // namespace nereid::pack
