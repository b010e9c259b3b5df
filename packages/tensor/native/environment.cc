// TensorFlow itself: its options, devices and libraries of kernels.
#include <dlfcn.h>

#include "exports.h"

namespace duchenne {

napi_value Open(const Call &call) {
  call.engine().Open(BytesFrom(call.env, call[0], "the configuration"));
  return JsUndefined(call.env);
}

napi_value Preload(const Call &call) {
  const std::string path = TextFrom(call.env, call[0], "the library's path");
  // TensorFlow opens CUDA's libraries by their short names, and finds those that are open already. It stays open.
  dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  return JsUndefined(call.env);
}

napi_value Devices(const Call &call) {
  call.engine().context();
  std::vector<napi_value> devices;
  for (const Device &each : call.engine().devices()) {
    napi_value device = JsObject(call.env);
    SetProperty(call.env, device, "name", JsText(call.env, each.name));
    SetProperty(call.env, device, "type", JsText(call.env, each.type));
    SetProperty(call.env, device, "memoryBytes", JsNumber(call.env, static_cast<double>(each.memoryBytes)));
    devices.push_back(device);
  }
  return JsList(call.env, devices);
}

napi_value IsUsingGpuDevice(const Call &call) { return JsFlag(call.env, call.engine().device().type == "GPU"); }

napi_value LoadLibrary(const Call &call) {
  const std::string path = TextFrom(call.env, call[0], "the library's path");
  Status status;
  TF_Library *library = TF_LoadLibrary(path.c_str(), status);
  status.Check("Loading " + path);
  const TF_Buffer list = TF_GetOpList(library);
  const auto names = OperationNames({static_cast<const char *>(list.data), list.length});
  TF_DeleteLibraryHandle(library);
  return JsTexts(call.env, names);
}

napi_value RefuseSavedModel(const Call &) {
  throw Failure("unimplemented", "Saved models are no part of this engine: models are read from safetensors");
}

napi_value NumberOfSavedModels(const Call &call) { return JsNumber(call.env, 0); }

}  // namespace duchenne
