// Runs one operation, or writes it down.
#include "exports.h"

namespace duchenne {

namespace {

/** More outputs than any operation has. */
constexpr int64_t kMostOutputs = 1 << 16;

std::vector<OwnedHandle> Execute(Engine &engine, const Signature &signature, const std::vector<Attribute> &attributes,
                                 const std::vector<int64_t> &inputs, const std::vector<size_t> &sizes,
                                 size_t outputs) {
  Status status;
  const OwnedOp op(TFE_NewOp(engine.context(), signature.name.c_str(), status));
  status.Check(signature.name);
  std::vector<TFE_TensorHandle *> handles;
  for (int64_t id : inputs) handles.push_back(engine.tensors.At(id));
  TFE_TensorHandle **next = handles.data();
  for (size_t i = 0; i < sizes.size(); i++) {
    if (signature.inputs[i].isList()) {
      TFE_OpAddInputList(op.get(), next, static_cast<int>(sizes[i]), status);
    } else {
      TFE_OpAddInput(op.get(), *next, status);
    }
    status.Check(signature.name);
    next += sizes[i];
  }
  for (const Attribute &attribute : attributes) SetAttribute(op.get(), attribute);
  std::vector<TFE_TensorHandle *> results(outputs, nullptr);
  int count = static_cast<int>(outputs);
  TFE_Execute(op.get(), results.data(), &count, status);
  status.Check(signature.name);
  return {results.begin(), results.begin() + count};
}

}  // namespace

napi_value ExecuteOp(const Call &call) {
  Engine &engine = call.engine();
  const Signature &signature = engine.signatures.Of(TextFrom(call.env, call[0], "an operation's name"));
  std::map<std::string, int64_t> numbers;
  const std::vector<Attribute> attributes = AttributesFrom(call.env, call[1], signature, &numbers);
  const std::vector<int64_t> inputs = IntegersFrom(call.env, call[2], "the inputs");
  const std::vector<size_t> sizes = signature.Split(inputs.size(), numbers);
  const int64_t outputs = IntegerFrom(call.env, call[3], "the number of outputs");
  if (outputs < 0 || outputs > kMostOutputs) throw InvalidArgument("Expected a number of outputs of at least 0");
  std::vector<napi_value> described;
  if (engine.recording != nullptr) {
    for (const Symbol &symbol : engine.recording->AddOperation(signature, attributes, inputs, sizes)) {
      described.push_back(Described(call, symbol));
    }
  } else {
    auto results = Execute(engine, signature, attributes, inputs, sizes, static_cast<size_t>(outputs));
    for (OwnedHandle &handle : results) described.push_back(Described(call, std::move(handle)));
  }
  return JsList(call.env, described);
}

}  // namespace duchenne
