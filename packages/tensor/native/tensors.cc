// Tensors from and to JavaScript.
#include "exports.h"

namespace duchenne {

namespace {

napi_value Description(napi_env env, int64_t id, const Shape &shape, TF_DataType type) {
  napi_value object = JsObject(env);
  SetProperty(env, object, "id", JsNumber(env, static_cast<double>(id)));
  SetProperty(env, object, "shape", JsIntegers(env, shape));
  SetProperty(env, object, "dtype", JsNumber(env, type));
  return object;
}

}  // namespace

napi_value Described(const Call &call, OwnedHandle handle) {
  const Shape shape = ShapeOf(handle.get());
  const TF_DataType type = TFE_TensorHandleDataType(handle.get());
  return Description(call.env, call.engine().tensors.Insert(std::move(handle)), shape, type);
}

napi_value Described(const Call &call, const Symbol &symbol) {
  return Description(call.env, symbol.id, symbol.shape, symbol.type);
}

napi_value CreateTensor(const Call &call) {
  Engine &engine = call.engine();
  const Shape shape = ShapeFrom(call.env, call[0], "the shape");
  const TF_DataType type = ElementTypeFrom(call.env, call[1], "the element type");
  const OwnedTensor tensor = TensorFromValues(call.env, shape, type, call[2]);
  Status status;
  OwnedHandle handle(TFE_NewTensorHandle(tensor.get(), status));
  status.Check("Making a tensor");
  // Kernels on a GPU want 32-bit integers, which are sizes and indices, in the memory of the CPU.
  if (type != TF_INT32 && type != TF_STRING && engine.device().type != "CPU") {
    handle.reset(TFE_TensorHandleCopyToDevice(handle.get(), engine.context(), engine.device().name.c_str(), status));
    status.Check("Copying a tensor to " + engine.device().name);
  }
  return JsNumber(call.env, static_cast<double>(engine.tensors.Insert(std::move(handle))));
}

napi_value DeleteTensor(const Call &call) {
  Engine &engine = call.engine();
  const int64_t id = IntegerFrom(call.env, call[0], "a tensor's number");
  if (id >= kFirstSymbol) {
    if (engine.recording != nullptr) engine.recording->Erase(id);
  } else {
    engine.tensors.Erase(id);
  }
  return JsUndefined(call.env);
}

napi_value TensorDataSync(const Call &call) {
  const int64_t id = IntegerFrom(call.env, call[0], "a tensor's number");
  return ValuesFromTensor(call.env, Resolve(call.engine().tensors.At(id)).get());
}

napi_value TensorDevice(const Call &call) {
  const int64_t id = IntegerFrom(call.env, call[0], "a tensor's number");
  Status status;
  const char *name = TFE_TensorHandleBackingDeviceName(call.engine().tensors.At(id), status);
  status.Check("A tensor's device");
  return JsText(call.env, name);
}

napi_value NumberOfTensors(const Call &call) {
  return JsNumber(call.env, static_cast<double>(call.engine().tensors.size()));
}

napi_value SharingMemory(const Call &call) {
  const std::vector<int64_t> ids = IntegersFrom(call.env, call[0], "the tensors' numbers");
  return JsIntegers(call.env, call.engine().tensors.SharingMemory(ids));
}

napi_value MemoryStatistics(const Call &call) {
  const TensorTable &tensors = call.engine().tensors;
  napi_value statistics = JsObject(call.env);
  SetProperty(call.env, statistics, "tensors", JsNumber(call.env, static_cast<double>(tensors.size())));
  SetProperty(call.env, statistics, "bytes", JsNumber(call.env, static_cast<double>(tensors.bytes())));
  return statistics;
}

}  // namespace duchenne
