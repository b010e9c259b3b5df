// How native code says that it cannot go on: an exception that becomes a JavaScript error at the addon's border.
#pragma once

#include <stdexcept>
#include <string>

#include "tensorflow/c/tf_status.h"

namespace duchenne {

/** Becomes a JavaScript Error with `code`, a canonical code such as "invalid_argument". */
class Failure : public std::runtime_error {
 public:
  Failure(const char *code, const std::string &message) : std::runtime_error(message), code_(code) {}
  const char *code() const { return code_; }

 private:
  const char *code_;
};

inline Failure InvalidArgument(const std::string &message) { return Failure("invalid_argument", message); }
inline Failure FailedPrecondition(const std::string &message) { return Failure("failed_precondition", message); }

/** The canonical code of a TensorFlow status, as a string. */
inline const char *CodeName(TF_Code code) {
  switch (code) {
    case TF_CANCELLED: return "cancelled";
    case TF_INVALID_ARGUMENT: return "invalid_argument";
    case TF_DEADLINE_EXCEEDED: return "deadline_exceeded";
    case TF_NOT_FOUND: return "not_found";
    case TF_ALREADY_EXISTS: return "already_exists";
    case TF_PERMISSION_DENIED: return "permission_denied";
    case TF_UNAUTHENTICATED: return "unauthenticated";
    case TF_RESOURCE_EXHAUSTED: return "resource_exhausted";
    case TF_FAILED_PRECONDITION: return "failed_precondition";
    case TF_ABORTED: return "aborted";
    case TF_OUT_OF_RANGE: return "out_of_range";
    case TF_UNIMPLEMENTED: return "unimplemented";
    case TF_INTERNAL: return "internal";
    case TF_UNAVAILABLE: return "unavailable";
    case TF_DATA_LOSS: return "data_loss";
    default: return "unknown";
  }
}

/** A TensorFlow status; `Check` throws what went wrong. */
class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status &) = delete;
  Status &operator=(const Status &) = delete;
  operator TF_Status *() { return status_; }

  /** @param what stands before TensorFlow's message: the operation, or what was tried */
  void Check(const std::string &what) {
    if (TF_GetCode(status_) == TF_OK) return;
    throw Failure(CodeName(TF_GetCode(status_)), what + ": " + TF_Message(status_));
  }

 private:
  TF_Status *status_;
};

}  // namespace duchenne
