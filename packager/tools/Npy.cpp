//===- Npy.cpp - NumPy's array files --------------------------------------===//

#include "packager/tools/Npy.h"

#include "packager/File.h"

#include <cstring>

namespace nereid::tool {

using pack::Result;
using pack::ScalarType;
using pack::Status;

// What NumPy calls a type: its kind and size. 'V' for those it does not know.
static std::string numpyType(const ScalarType &type) {
  std::string size = std::to_string(elementSize(type));
  if (type.bits == 1)
    return "b1";
  if (type.kind == ScalarType::Class::Integer)
    return (type.isSigned ? "i" : "u") + size;
  bool known = type.bits >= 32 || std::strcmp(type.name, "fp16") == 0;
  return (known ? "f" : "V") + size;
}

static bool accepts(const ScalarType &wanted, const std::string &found) {
  std::string exact = numpyType(wanted);
  if (found == exact)
    return true;
  if (wanted.bits == 1)
    return found == "u1" || found == "i1";
  return exact[0] == 'V' && found.substr(1) == exact.substr(1) &&
         (found[0] == 'u' || found[0] == 'i');
}

// The value of a key in the header, a Python dict of a fixed form.
static std::string_view valueOf(std::string_view header, std::string_view key) {
  size_t at = header.find("'" + std::string(key) + "'");
  if (at == std::string_view::npos)
    return {};
  at = header.find(':', at);
  if (at == std::string_view::npos)
    return {};
  ++at;
  while (at < header.size() && header[at] == ' ')
    ++at;
  size_t end = at;
  if (at < header.size() && header[at] == '(')
    end = header.find(')', at);
  else if (at < header.size() && header[at] == '\'')
    end = header.find('\'', at + 1);
  else
    return header.substr(at, header.find_first_of(",}", at) - at);
  return end == std::string_view::npos ? std::string_view()
                                       : header.substr(at, end + 1 - at);
}

Result<Array> readNpy(const std::string &path, const ScalarType &wanted) {
  Result<std::string> file = pack::readFile(path);
  if (!file)
    return file.status();
  std::string_view bytes = *file;
  auto bad = [&](const auto &...what) {
    return Status::error("'", path, "': ", what...);
  };
  if (bytes.size() < 10 || bytes.substr(0, 6) != std::string_view("\x93NUMPY"))
    return bad("this is no .npy file");
  auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  unsigned version = byte(6);
  size_t start = version == 1 ? 10 : 12;
  if (version < 1 || version > 3 || bytes.size() < start)
    return bad(".npy version ", version, " is not known; 1 to 3 are");
  size_t length = byte(8) + 256 * size_t(byte(9));
  if (version > 1)
    length += (size_t(byte(10)) << 16) + (size_t(byte(11)) << 24);
  if (length > bytes.size() - start)
    return bad("the file ends inside its header");
  std::string_view header = bytes.substr(start, length);
  std::string_view data = bytes.substr(start + length);

  std::string descr(valueOf(header, "descr"));
  if (descr.size() < 4 || descr.front() != '\'')
    return bad("structured arrays are not supported; found dtype ", descr);
  descr = descr.substr(1, descr.size() - 2);
  if (descr[0] == '>')
    return bad("it is big-endian; save it with .astype('<", descr.substr(1),
               "')");
  std::string found = descr.substr(1);
  if (!accepts(wanted, found))
    return bad("it holds dtype '", descr, "', but the kernel takes ",
               wanted.name, ", which is '", numpyType(wanted),
               "' in NumPy; convert it before");
  if (valueOf(header, "fortran_order") != "False")
    return bad("it is in Fortran order; save numpy.ascontiguousarray(x)");

  Array array;
  array.type = &wanted;
  std::string_view shape = valueOf(header, "shape");
  if (shape.size() < 2 || shape.front() != '(')
    return bad("its header has no shape");
  uint64_t count = 1, number = 0;
  bool inNumber = false;
  for (char c : shape.substr(1)) {
    if (c >= '0' && c <= '9') {
      inNumber = true;
      if (__builtin_mul_overflow(number, uint64_t(10), &number) ||
          __builtin_add_overflow(number, uint64_t(c - '0'), &number))
        return bad("its shape is too large");
    } else if (inNumber) {
      array.shape.push_back(number);
      if (__builtin_mul_overflow(count, number, &count))
        return bad("its shape is too large");
      number = 0;
      inNumber = false;
    }
  }
  uint64_t size;
  if (__builtin_mul_overflow(count, uint64_t(elementSize(wanted)), &size) ||
      data.size() < size)
    return bad("it holds ", data.size(), " bytes of data, its shape says ",
               count, " elements");
  array.bytes = std::string(data.substr(0, size));
  return array;
}

Status writeNpy(const std::string &path, const Array &array) {
  std::string type = numpyType(*array.type);
  std::string shape;
  for (uint64_t size : array.shape)
    shape += std::to_string(size) + ", ";
  if (array.shape.size() > 1)
    shape.resize(shape.size() - 2);
  else if (array.shape.size() == 1)
    shape.pop_back(); // "(3,)"
  const char *order = elementSize(*array.type) == 1 ? "|" : "<";
  std::string header =
      pack::concat("{'descr': '", order, type,
                   "', 'fortran_order': False, 'shape': (", shape, "), }");
  // The data begins at a multiple of 64.
  while ((10 + header.size() + 1) % 64)
    header += ' ';
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 255);
  file += static_cast<char>(header.size() >> 8);
  return pack::writeFile(path, file + header + array.bytes);
}

} // namespace nereid::tool
