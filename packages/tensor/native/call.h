// A call from JavaScript: its arguments, and the border where failures become JavaScript errors.
#pragma once

#include <node_api.h>

#include <new>
#include <string>
#include <vector>

#include "engine.h"
#include "failure.h"
#include "js.h"

namespace duchenne {

class Call {
 public:
  Call(napi_env environment, napi_callback_info info) : env(environment) {
    size_t count = kMost;
    napi_value values[kMost];
    Check(env, napi_get_cb_info(env, info, &count, values, nullptr, nullptr));
    // Missing arguments are filled with undefined, which the readers refuse by name.
    arguments_.assign(values, values + kMost);
    void *data = nullptr;
    Check(env, napi_get_instance_data(env, &data));
    if (data == nullptr) throw FailedPrecondition("The engine is gone");
    engine_ = static_cast<Engine *>(data);
  }

  Engine &engine() const { return *engine_; }
  napi_value operator[](size_t index) const { return arguments_[index]; }
  bool Has(size_t index) const { return !IsType(env, arguments_[index], napi_undefined); }

  const napi_env env;

 private:
  static constexpr size_t kMost = 6;
  std::vector<napi_value> arguments_;
  Engine *engine_;
};

inline void ThrowJs(napi_env env, const char *code, const char *message) { napi_throw_error(env, code, message); }

/** Within a catch block: makes a JavaScript error of what was thrown, for no exception may cross Node's C interface. */
inline napi_value ThrowCurrent(napi_env env) noexcept {
  try {
    throw;
  } catch (const PendingException &) {
  } catch (const Failure &failure) {
    ThrowJs(env, failure.code(), failure.what());
  } catch (const std::bad_alloc &) {
    ThrowJs(env, "resource_exhausted", "Out of memory");
  } catch (const std::exception &error) {
    ThrowJs(env, "internal", error.what());
  } catch (...) {
    ThrowJs(env, "internal", "Unknown error");
  }
  return nullptr;
}

/** Makes a function for JavaScript of one that throws. */
template <napi_value (*Body)(const Call &)>
napi_value Entry(napi_env env, napi_callback_info info) {
  try {
    return Body(Call(env, info));
  } catch (...) {
    return ThrowCurrent(env);
  }
}

}  // namespace duchenne
