// nereid/nereid.hpp - the C API as C++17: handles that close themselves, and
// errors that cannot be overlooked. Header only; link nereid::runtime.
//
//   auto device = nereid::Device::open("auto").value();
//   auto pack = nereid::Pack::openFile("kernels.nrd").value();
//   auto add = pack.find("vector_add", device).value();
//   auto call = add.call(x, y, out, count).value();
//   call.launch(stream).check();
//   device.synchronize().check();
//
// value() and check() throw nereid::Error. A program without exceptions asks
// ok() or tests the result, and then uses *result:
//
//   auto device = nereid::Device::open("auto");
//   if (!device)
//     return report(device.status().message());
//
// Everything runtime.h says of ownership and threads holds here too. Each class
// holds one C handle, get() lends it, release() gives it away.

#ifndef NEREID_NEREID_HPP
#define NEREID_NEREID_HPP

#include "nereid/runtime.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#if defined(__cpp_exceptions)
#include <stdexcept>
#endif

namespace nereid {

#if defined(__cpp_exceptions)
/// What value() and check() throw: the code and the runtime's sentence.
class Error : public std::runtime_error {
public:
  Error(nrd_status_t code, const std::string &message)
      : std::runtime_error(message), code_(code) {}
  nrd_status_t code() const noexcept { return code_; }

private:
  nrd_status_t code_;
};
#endif

/// The outcome of a call: a code, and a sentence when it failed.
class [[nodiscard]] Status {
public:
  Status() = default;
  /// Takes the calling thread's message, so make it right after the call.
  Status(nrd_status_t code) : code_(code) {
    if (code != NRD_OK)
      message_ = nrd_error_message();
  }

  bool ok() const noexcept { return code_ == NRD_OK; }
  explicit operator bool() const noexcept { return ok(); }
  nrd_status_t code() const noexcept { return code_; }
  const char *name() const noexcept { return nrd_status_name(code_); }
  const std::string &message() const noexcept { return message_; }

#if defined(__cpp_exceptions)
  void check() const {
    if (!ok())
      throw Error(code_, message_);
  }
#endif

private:
  nrd_status_t code_ = NRD_OK;
  std::string message_;
};

/// A value, or why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) {}

  bool ok() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const Status &status() const noexcept { return status_; }

  /// Only when ok().
  T &operator*() & noexcept { return *value_; }
  const T &operator*() const & noexcept { return *value_; }
  T &&operator*() && noexcept { return std::move(*value_); }
  T *operator->() noexcept { return &*value_; }
  const T *operator->() const noexcept { return &*value_; }

#if defined(__cpp_exceptions)
  T &value() & {
    status_.check();
    return *value_;
  }
  T &&value() && {
    status_.check();
    return std::move(*value_);
  }
#endif

private:
  std::optional<T> value_;
  Status status_;
};

namespace detail {
template <typename T, void (*Close)(T *)> struct Closer {
  void operator()(T *handle) const noexcept { Close(handle); }
};
template <typename T, void (*Close)(T *)>
using Handle = std::unique_ptr<T, Closer<T, Close>>;

template <typename Explain> std::string explained(Explain explain) {
  std::string text(explain(nullptr, std::size_t(0)), '\0');
  if (!text.empty())
    explain(&text[0], text.size() + 1);
  return text;
}
} // namespace detail

/// Device memory that frees itself. Its device stays open as long.
class Buffer {
public:
  Buffer() = default;
  Buffer(Buffer &&other) noexcept
      : device_(std::move(other.device_)),
        pointer_(std::exchange(other.pointer_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Buffer &operator=(Buffer &&other) noexcept {
    std::swap(device_, other.device_);
    std::swap(pointer_, other.pointer_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() {
    if (pointer_)
      nrd_buffer_free(device_.get(), pointer_);
  }

  void *data() const noexcept { return pointer_; }
  std::size_t size() const noexcept { return size_; }

  /// Both are |size| bytes at most this buffer's own, from |offset| on.
  Status write(const void *host, std::size_t size, std::size_t offset = 0) {
    return nrd_buffer_copy_to_device(
        device_.get(), static_cast<char *>(pointer_) + offset, host, size);
  }
  Status read(void *host, std::size_t size, std::size_t offset = 0) const {
    return nrd_buffer_copy_to_host(
        device_.get(), host, static_cast<char *>(pointer_) + offset, size);
  }
  Status fill(std::uint8_t value) {
    return nrd_buffer_fill(device_.get(), pointer_, value, size_);
  }

private:
  friend class Device;
  Buffer(std::shared_ptr<nrd_device_t> device, void *pointer, std::size_t size)
      : device_(std::move(device)), pointer_(pointer), size_(size) {}

  std::shared_ptr<nrd_device_t> device_;
  void *pointer_ = nullptr;
  std::size_t size_ = 0;
};

/// An open device. Copies share it.
class Device {
public:
  static Result<Device> open(const char *name = "auto") {
    nrd_device_t *device = nullptr;
    if (nrd_status_t status = nrd_device_open(name, &device))
      return Status(status);
    return Device(device);
  }
  static Result<Device> open(const char *name,
                             const nrd_device_options_t &options) {
    nrd_device_t *device = nullptr;
    if (nrd_status_t status = nrd_device_open_with(name, &options, &device))
      return Status(status);
    return Device(device);
  }
  /// Takes over a handle of the C API.
  explicit Device(nrd_device_t *device) : device_(device, nrd_device_close) {}

  nrd_device_t *get() const noexcept { return device_.get(); }
  const char *name() const noexcept { return nrd_device_name(get()); }
  const char *description() const noexcept {
    return nrd_device_description(get());
  }
  const char *target() const noexcept { return nrd_device_target(get()); }
  bool accepts(const char *target) const noexcept {
    return nrd_device_accepts(get(), target) != 0;
  }
  void setThreads(std::uint32_t count) { nrd_device_set_threads(get(), count); }
  Status synchronize() const { return nrd_device_synchronize(get()); }
  Status synchronize(void *stream) const {
    return nrd_stream_synchronize(get(), stream);
  }

  Result<Buffer> alloc(std::size_t size) const {
    void *pointer = nullptr;
    if (nrd_status_t status = nrd_buffer_alloc(get(), size, &pointer))
      return Status(status);
    return Buffer(device_, pointer, size);
  }

private:
  std::shared_ptr<nrd_device_t> device_;
};

/// A bound call: one launch with its arguments laid out. Moves, never copies.
class Call {
public:
  static Result<Call> create(const nrd_kernel_t *kernel) {
    nrd_call_t *call = nullptr;
    if (nrd_status_t status = nrd_call_create(kernel, &call))
      return Status(status);
    return Call(call);
  }
  /// Takes over a handle of the C API.
  explicit Call(nrd_call_t *call) : call_(call) {}

  nrd_call_t *get() const noexcept { return call_.get(); }
  nrd_call_t *release() noexcept { return call_.release(); }

  /// A pointer, an integer, a bool, a floating-point value or a Buffer, by
  /// what the slot takes: an integer given to a float slot is converted.
  template <typename T> Status set(std::uint32_t slot, const T &value) {
    if constexpr (std::is_same_v<T, Buffer>)
      return nrd_call_set_pointer(get(), slot, value.data());
    else if constexpr (std::is_null_pointer_v<T>)
      return nrd_call_set_pointer(get(), slot, nullptr);
    else if constexpr (std::is_pointer_v<std::decay_t<T>>)
      return nrd_call_set_pointer(get(), slot,
                                  static_cast<const void *>(value));
    else if constexpr (std::is_floating_point_v<T>)
      return nrd_call_set_float(get(), slot, static_cast<double>(value));
    else {
      static_assert(std::is_integral_v<T> || std::is_enum_v<T>,
                    "a slot takes a pointer, a number or a nereid::Buffer");
      return nrd_call_set_int(get(), slot, static_cast<std::int64_t>(value));
    }
  }
  Status setDescriptor(std::uint32_t slot, const void *base,
                       const std::int64_t *shape,
                       const std::int64_t *strides = nullptr) {
    return nrd_call_set_descriptor(get(), slot, base, shape, strides);
  }
  Status setDLPack(std::uint32_t slot, const void *tensor) {
    return nrd_call_set_dlpack(get(), slot, tensor);
  }
  Status setGrid(std::uint32_t x, std::uint32_t y = 1, std::uint32_t z = 1) {
    return nrd_call_set_grid(get(), x, y, z);
  }
  Status setConfig(std::uint32_t config) {
    return nrd_call_set_config(get(), config);
  }

  /// Sets slots 0, 1, ... to the arguments; stops at the first that fails.
  template <typename... Args> Status setAll(const Args &...args) {
    Status status;
    std::uint32_t slot = 0;
    (void)(... && (status = set(slot++, args)).ok());
    return status;
  }

  Status bind() { return nrd_call_bind(get()); }
  Status launch(void *stream = nullptr) {
    return nrd_call_launch(get(), stream);
  }
  std::string explain() const {
    return detail::explained([this](char *buffer, std::size_t capacity) {
      return nrd_call_explain(get(), buffer, capacity);
    });
  }

private:
  detail::Handle<nrd_call_t, nrd_call_destroy> call_;
};

/// A kernel on a device, borrowed from its pack.
class Kernel {
public:
  explicit Kernel(const nrd_kernel_t *kernel) : kernel_(kernel) {}

  const nrd_kernel_t *get() const noexcept { return kernel_; }
  const char *name() const noexcept { return nrd_kernel_name(kernel_); }
  std::size_t slotCount() const noexcept {
    return nrd_kernel_slot_count(kernel_);
  }
  Status preload() const { return nrd_kernel_preload(kernel_); }
  Result<std::uint32_t> findSlot(const char *name) const {
    std::uint32_t slot = 0;
    if (nrd_status_t status = nrd_kernel_find_slot(kernel_, name, &slot))
      return Status(status);
    return slot;
  }
  std::string explain() const {
    return detail::explained([this](char *buffer, std::size_t capacity) {
      return nrd_kernel_explain(kernel_, nullptr, buffer, capacity);
    });
  }

  /// A call with slots 0, 1, ... set to the arguments.
  template <typename... Args> Result<Call> call(const Args &...args) const {
    Result<Call> made = Call::create(kernel_);
    if (made) {
      Status status = made->setAll(args...);
      if (!status)
        return status;
    }
    return made;
  }

private:
  const nrd_kernel_t *kernel_;
};

/// An open pack. Copies share it.
class Pack {
public:
  static Result<Pack> openFile(const char *path,
                               const nrd_pack_options_t *options = nullptr) {
    nrd_pack_t *pack = nullptr;
    if (nrd_status_t status = nrd_pack_open_file(path, options, &pack))
      return Status(status);
    return Pack(pack);
  }
  /// The bytes stay the caller's and must outlive everything from the pack.
  static Result<Pack> openMemory(const void *bytes, std::size_t size,
                                 const nrd_pack_options_t *options = nullptr) {
    nrd_pack_t *pack = nullptr;
    if (nrd_status_t status = nrd_pack_open_memory(bytes, size, options, &pack))
      return Status(status);
    return Pack(pack);
  }
  /// Takes over a handle of the C API.
  explicit Pack(nrd_pack_t *pack) : pack_(pack, nrd_pack_close) {}

  nrd_pack_t *get() const noexcept { return pack_.get(); }
  const char *name() const noexcept { return nrd_pack_name(get()); }
  std::size_t kernelCount() const noexcept {
    return nrd_pack_kernel_count(get());
  }
  Result<Kernel> find(const char *name, const Device &device) const {
    const nrd_kernel_t *kernel = nullptr;
    if (nrd_status_t status =
            nrd_kernel_find(get(), device.get(), name, &kernel))
      return Status(status);
    return Kernel(kernel);
  }
  Status preload(const Device &device) const {
    return nrd_pack_preload(get(), device.get());
  }

private:
  std::shared_ptr<nrd_pack_t> pack_;
};

} // namespace nereid

#endif // NEREID_NEREID_HPP
