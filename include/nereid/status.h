// nereid/status.h - how every nereid call reports failure.
//
// A call returns NRD_OK or one of the codes below. The code says what the
// caller may do next; the sentence from nrd_error_message() says what happened.
// The message belongs to the calling thread and lives until that thread's next
// failing call, so there is nothing to free.

#ifndef NEREID_STATUS_H
#define NEREID_STATUS_H

// Marks what the shared library exports.
#ifndef NRD_API
#if defined(__GNUC__)
#define NRD_API __attribute__((visibility("default")))
#else
#define NRD_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

// One row per code: NAME, and what the caller may do about it. The enum, the
// names printed by nrd_status_name() and the table in runtime/README.md all
// come from this list. Append only: the numbers are part of the ABI.
#define NRD_STATUS_LIST(X)                                                     \
  X(OK, "nothing to do")                                                       \
  X(INVALID_ARGUMENT, "fix the call; retrying cannot help")                    \
  X(NOT_FOUND, "ask for a name, file or device that exists")                   \
  X(INCOMPATIBLE, "rebuild the pack for this device or version")               \
  X(CORRUPT, "discard the pack; its bytes are damaged")                        \
  X(OUT_OF_MEMORY, "free memory, then retry")                                  \
  X(UNAVAILABLE, "install or load the device driver")                          \
  X(DRIVER_ERROR, "read the message; the device driver refused")               \
  X(UNSUPPORTED, "use another device, or a newer nereid")                      \
  X(UNTRUSTED,                                                                 \
    "get the pack from its publisher; the signature does not match")           \
  X(KERNEL_FAILED, "fix the kernel or its arguments; a device_assert failed")

typedef enum nrd_status_t {
#define NRD_STATUS_ENUM(name, remedy) NRD_##name,
  NRD_STATUS_LIST(NRD_STATUS_ENUM)
#undef NRD_STATUS_ENUM
} nrd_status_t;

// Returns the code's own spelling, such as "NRD_NOT_FOUND". Never NULL.
NRD_API const char *nrd_status_name(nrd_status_t status);

// Returns the calling thread's last failure as one sentence, or "".
NRD_API const char *nrd_error_message(void);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // NEREID_STATUS_H
