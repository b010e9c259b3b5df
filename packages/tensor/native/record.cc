// Records operations as a function.
#include "exports.h"

namespace duchenne {

namespace {

Recording &Current(Engine &engine) {
  if (engine.recording == nullptr) throw FailedPrecondition("No recording is on");
  return *engine.recording;
}

/** Forgets the recording, and keeps its numbers from being given out again. */
std::unique_ptr<Recording> Taken(Engine &engine) {
  engine.nextSymbol = Current(engine).next();
  return std::move(engine.recording);
}

}  // namespace

napi_value BeginRecording(const Call &call) {
  Engine &engine = call.engine();
  engine.context();
  if (engine.recording != nullptr) throw FailedPrecondition("A recording is on already: recordings do not nest");
  engine.recording = std::make_unique<Recording>(engine.nextSymbol);
  return JsUndefined(call.env);
}

napi_value RecordInput(const Call &call) {
  const Shape shape = ShapeFrom(call.env, call[0], "the shape");
  const TF_DataType type = ElementTypeFrom(call.env, call[1], "the element type");
  return Described(call, Current(call.engine()).AddInput(type, shape));
}

napi_value RecordConstant(const Call &call) {
  const Shape shape = ShapeFrom(call.env, call[0], "the shape");
  const TF_DataType type = ElementTypeFrom(call.env, call[1], "the element type");
  const OwnedTensor tensor = TensorFromValues(call.env, shape, type, call[2]);
  // After the arguments: reading them may run JavaScript, which may end the recording.
  return Described(call, Current(call.engine()).AddConstant(tensor.get()));
}

napi_value AbandonRecording(const Call &call) {
  Taken(call.engine());
  return JsUndefined(call.env);
}

napi_value EndRecording(const Call &call) {
  Engine &engine = call.engine();
  const std::string name = TextFrom(call.env, call[0], "the function's name");
  const std::vector<int64_t> outputs = IntegersFrom(call.env, call[1], "the outputs");
  const bool xla = FlagFrom(call.env, call[2], "whether XLA compiles it");
  RecordedGraph recorded = Taken(engine)->Finish(outputs);
  Status status;
  const OwnedFunction function(TF_GraphToFunction(
      recorded.graph.get(), name.c_str(), 0, -1, nullptr, static_cast<int>(recorded.inputs.size()),
      recorded.inputs.data(), static_cast<int>(recorded.outputs.size()), recorded.outputs.data(), nullptr, nullptr,
      nullptr, status));
  status.Check(name);
  if (xla) {
    // An AttrValue with b = true.
    constexpr char kTrue[] = {0x28, 1};
    TF_FunctionSetAttrValueProto(function.get(), "_XlaMustCompile", kTrue, sizeof kTrue, status);
    status.Check(name);
  }
  TFE_ContextAddFunction(engine.context(), function.get(), status);
  status.Check(name);
  std::vector<napi_value> operations;
  for (const auto &[operation, count] : recorded.operations) {
    operations.push_back(JsList(call.env, {JsText(call.env, operation), JsNumber(call.env, count)}));
  }
  const std::vector<int64_t> overwritten = recorded.overwritten;
  const int64_t id = engine.nextFunction++;
  engine.functions.emplace(id, Function{name, std::move(recorded)});
  napi_value result = JsObject(call.env);
  SetProperty(call.env, result, "id", JsNumber(call.env, static_cast<double>(id)));
  SetProperty(call.env, result, "operations", JsList(call.env, operations));
  SetProperty(call.env, result, "overwritten", JsIntegers(call.env, overwritten));
  return result;
}

}  // namespace duchenne
