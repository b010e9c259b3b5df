#include "engine.h"

#include "failure.h"

namespace duchenne {

void Engine::Open(std::string_view config) {
  if (context_ != nullptr) throw FailedPrecondition("TensorFlow is open already: its options are set once a process");
  Status status;
  const OwnedContextOptions options(TFE_NewContextOptions());
  if (!config.empty()) {
    TFE_ContextOptionsSetConfig(options.get(), config.data(), config.size(), status);
    status.Check("TensorFlow's options");
  }
  OwnedContext context(TFE_NewContext(options.get(), status));
  status.Check("Opening TensorFlow");
  const OwnedDeviceList list(TFE_ContextListDevices(context.get(), status));
  status.Check("Listing devices");
  std::vector<Device> devices;
  for (int i = 0; i < TF_DeviceListCount(list.get()); i++) {
    Device device{TF_DeviceListName(list.get(), i, status), TF_DeviceListType(list.get(), i, status),
                  TF_DeviceListMemoryBytes(list.get(), i, status)};
    status.Check("Listing devices");
    devices.push_back(std::move(device));
  }
  devices_ = std::move(devices);
  context_ = std::move(context);
}

TFE_Context *Engine::context() const {
  if (context_ == nullptr) throw FailedPrecondition("TensorFlow is not open yet: call open first");
  return context_.get();
}

const Device &Engine::device() const {
  context();
  for (const Device &device : devices_) {
    if (device.type == "GPU") return device;
  }
  for (const Device &device : devices_) {
    if (device.type == "CPU") return device;
  }
  throw Failure("unavailable", "TensorFlow found no device");
}

}  // namespace duchenne
