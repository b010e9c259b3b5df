// Runs recorded functions.
#include <algorithm>
#include <cstring>

#include "exports.h"

namespace duchenne {

namespace {

/** To be called after all arguments are read: a getter among them may run JavaScript that deletes the function. */
const Function &FunctionAt(const Call &call, int64_t id) {
  const auto found = call.engine().functions.find(id);
  if (found == call.engine().functions.end()) {
    throw Failure("not_found", "There is no recorded function " + std::to_string(id));
  }
  return found->second;
}

int64_t FunctionIdFrom(const Call &call) { return IntegerFrom(call.env, call[0], "a function's number"); }

std::vector<TFE_TensorHandle *> HandlesOf(const Call &call, const std::vector<int64_t> &ids, const Function &function) {
  const RecordedGraph &recorded = function.recorded;
  std::vector<TFE_TensorHandle *> handles;
  for (int64_t id : ids) handles.push_back(call.engine().tensors.At(id));
  if (handles.size() != recorded.inputs.size()) {
    throw InvalidArgument(function.name + ": expected " + std::to_string(recorded.inputs.size()) + " inputs, got " +
                          std::to_string(handles.size()));
  }
  for (size_t i = 0; i < handles.size(); i++) {
    const TF_DataType type = TFE_TensorHandleDataType(handles[i]);
    const Shape shape = ShapeOf(handles[i]);
    if (type == recorded.inputTypes[i] && shape == recorded.inputShapes[i]) continue;
    throw InvalidArgument(function.name + ": expected input " + std::to_string(i) + " to be " +
                          ElementTypeName(recorded.inputTypes[i]) + " " + ShapeText(recorded.inputShapes[i]) +
                          ", got " + ElementTypeName(type) + " " + ShapeText(shape));
  }
  return handles;
}

/** A tensor of its own: an operation of the function may overwrite its input, which tracing must not. */
OwnedTensor CopyOf(const TF_Tensor *tensor) {
  const TF_DataType type = TF_TensorType(tensor);
  if (TF_DataTypeSize(type) == 0) throw InvalidArgument("Functions of " + ElementTypeName(type) + " cannot be traced");
  OwnedTensor copy = NewTensor(type, ShapeOf(tensor), TF_TensorByteSize(tensor));
  if (TF_TensorByteSize(tensor) > 0) std::memcpy(TF_TensorData(copy.get()), TF_TensorData(tensor), TF_TensorByteSize(tensor));
  return copy;
}

/** A session on a function's graph, closed and freed at the end. */
class Session {
 public:
  explicit Session(TF_Graph *graph) {
    Status status;
    TF_SessionOptions *options = TF_NewSessionOptions();
    session_ = TF_NewSession(graph, options, status);
    TF_DeleteSessionOptions(options);
    status.Check("Opening a session");
  }
  ~Session() {
    Status status;
    TF_DeleteSession(session_, status);
  }
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  /** @returns a serialized RunMetadata */
  OwnedBuffer Trace(const RecordedGraph &recorded, const std::vector<TF_Tensor *> &inputs) {
    // RunOptions with trace_level = FULL_TRACE.
    constexpr char kFullTrace[] = {0x08, 3};
    const OwnedBuffer options(TF_NewBufferFromString(kFullTrace, sizeof kFullTrace));
    OwnedBuffer metadata(TF_NewBuffer());
    std::vector<TF_Tensor *> outputs(recorded.outputs.size(), nullptr);
    Status status;
    TF_SessionRun(session_, options.get(), recorded.inputs.data(), inputs.data(), static_cast<int>(inputs.size()),
                  recorded.outputs.data(), outputs.data(), static_cast<int>(outputs.size()), nullptr, 0,
                  metadata.get(), status);
    for (TF_Tensor *output : outputs) OwnedTensor freed(output);
    status.Check("Tracing");
    return metadata;
  }

 private:
  TF_Session *session_;
};

}  // namespace

napi_value RunFunction(const Call &call) {
  const int64_t id = FunctionIdFrom(call);
  const std::vector<int64_t> ids = IntegersFrom(call.env, call[1], "the inputs");
  const std::string device = TextFrom(call.env, call[2], "the device");
  const Function &function = FunctionAt(call, id);
  const std::vector<TFE_TensorHandle *> inputs = HandlesOf(call, ids, function);
  if (call.engine().recording != nullptr) throw FailedPrecondition("A recorded function cannot be run in a recording");
  Status status;
  const OwnedOp op(TFE_NewOp(call.engine().context(), function.name.c_str(), status));
  status.Check(function.name);
  if (!device.empty()) {
    TFE_OpSetDevice(op.get(), device.c_str(), status);
    status.Check("The device " + device);
  }
  for (TFE_TensorHandle *input : inputs) {
    TFE_OpAddInput(op.get(), input, status);
    status.Check(function.name);
  }
  std::vector<TFE_TensorHandle *> results(function.recorded.outputs.size(), nullptr);
  int count = static_cast<int>(results.size());
  TFE_Execute(op.get(), results.data(), &count, status);
  status.Check(function.name);
  std::vector<OwnedHandle> owned(results.begin(), results.begin() + count);
  std::vector<napi_value> described;
  for (OwnedHandle &handle : owned) described.push_back(Described(call, std::move(handle)));
  return JsList(call.env, described);
}

napi_value TraceFunction(const Call &call) {
  const int64_t id = FunctionIdFrom(call);
  const std::vector<int64_t> ids = IntegersFrom(call.env, call[1], "the inputs");
  const Function &function = FunctionAt(call, id);
  std::vector<OwnedTensor> tensors;
  std::vector<TF_Tensor *> inputs;
  for (TFE_TensorHandle *handle : HandlesOf(call, ids, function)) {
    tensors.push_back(CopyOf(Resolve(handle).get()));
    inputs.push_back(tensors.back().get());
  }
  Session session(function.recorded.graph.get());
  // The first run also optimises the graph.
  session.Trace(function.recorded, inputs);
  const OwnedBuffer metadata = session.Trace(function.recorded, inputs);
  void *data = nullptr;
  napi_value array = JsTypedArray(call.env, napi_uint8_array, metadata->length, metadata->length, &data);
  const auto *bytes = static_cast<const char *>(metadata->data);
  std::copy(bytes, bytes + metadata->length, static_cast<char *>(data));
  return array;
}

napi_value DeleteFunction(const Call &call) {
  const int64_t id = FunctionIdFrom(call);
  const Function &function = FunctionAt(call, id);
  Status status;
  TFE_ContextRemoveFunction(call.engine().context(), function.name.c_str(), status);
  status.Check(function.name);
  call.engine().functions.erase(id);
  return JsUndefined(call.env);
}

}  // namespace duchenne
