#include "recording.h"

#include <algorithm>
#include <cstring>

#include "failure.h"

namespace duchenne {

namespace {

/** Fewer elements are not worth a fill. */
constexpr int64_t kFillFrom = 32;

bool AllElementsEqual(const TF_Tensor *tensor) {
  const TF_DataType type = TF_TensorType(tensor);
  if (type == TF_STRING) return false;
  const size_t width = TF_DataTypeSize(type);
  const auto *bytes = static_cast<const char *>(TF_TensorData(tensor));
  for (int64_t i = 1; i < TF_TensorElementCount(tensor); i++) {
    if (std::memcmp(bytes, bytes + static_cast<size_t>(i) * width, width) != 0) return false;
  }
  return true;
}

/** Operations whose output is their first input's memory, seen in another way. */
bool SharesMemory(TF_Operation *operation) {
  const std::string type = TF_OperationOpType(operation);
  return type == "Reshape" || type == "Identity" || type == "ExpandDims" || type == "Squeeze";
}

/** How many of its first inputs an operation overwrites. */
size_t OverwrittenInputs(const std::vector<Attribute> &attributes) {
  for (const Attribute &attribute : attributes) {
    const auto *count = std::get_if<int64_t>(&attribute.value);
    if (attribute.name == "overwrites" && count != nullptr && *count > 0) return static_cast<size_t>(*count);
  }
  return 0;
}

}  // namespace

Recording::Recording(int64_t firstSymbol) : next_(firstSymbol) { recorded_.graph.reset(TF_NewGraph()); }

std::string Recording::NextName(const std::string &operation) {
  recorded_.operations[operation]++;
  // A node's name may not begin with an underscore, an operation's may.
  return "n" + std::to_string(nodes_++) + "_" + operation;
}

TF_Output Recording::At(int64_t id) const {
  if (overwritten_.count(id) > 0) {
    throw InvalidArgument("A tensor that the step has overwritten (a weight, by its optimizer) cannot be read after that");
  }
  const auto found = symbols_.find(id);
  if (found != symbols_.end()) return found->second;
  throw FailedPrecondition(id >= kFirstSymbol ? "The tensor belongs to another recording, or was disposed in this one"
                                              : "The tensor " + std::to_string(id) + " is no part of the recording");
}

TF_Output Recording::Finished(TF_OperationDescription *operation, const std::string &name) {
  Status status;
  TF_Operation *finished = TF_FinishOperation(operation, status);
  status.Check(name);
  return {finished, 0};
}

Symbol Recording::Name(TF_Output output, const std::string &operation) {
  Status status;
  const int rank = TF_GraphGetTensorNumDims(recorded_.graph.get(), output, status);
  status.Check(operation);
  Shape shape(rank < 0 ? 0 : static_cast<size_t>(rank));
  if (rank > 0) {
    TF_GraphGetTensorShape(recorded_.graph.get(), output, shape.data(), rank, status);
    status.Check(operation);
  }
  bool known = rank >= 0;
  for (int64_t size : shape) known = known && size >= 0;
  if (!known) {
    throw Failure("unimplemented", operation + ": the shape of its output is known only when it runs");
  }
  symbols_.emplace(next_, output);
  return {next_++, TF_OperationOutputType(output), shape};
}

Symbol Recording::AddInput(TF_DataType type, const Shape &shape) {
  TF_OperationDescription *operation =
      TF_NewOperation(recorded_.graph.get(), "Placeholder", NextName("Placeholder").c_str());
  TF_SetAttrType(operation, "dtype", type);
  TF_SetAttrShape(operation, "shape", shape.data(), static_cast<int>(shape.size()));
  const TF_Output output = Finished(operation, "An input");
  recorded_.inputs.push_back(output);
  recorded_.inputTypes.push_back(type);
  recorded_.inputShapes.push_back(shape);
  return Name(output, "An input");
}

TF_Output Recording::Constant(const TF_Tensor *tensor) {
  TF_OperationDescription *operation = TF_NewOperation(recorded_.graph.get(), "Const", NextName("Const").c_str());
  Status status;
  TF_SetAttrType(operation, "dtype", TF_TensorType(tensor));
  TF_SetAttrTensor(operation, "value", const_cast<TF_Tensor *>(tensor), status);
  const TF_Output output = Finished(operation, "A constant");
  status.Check("A constant");
  return output;
}

Symbol Recording::AddConstant(const TF_Tensor *tensor) {
  const Shape shape = ShapeOf(tensor);
  if (TF_TensorElementCount(tensor) < kFillFrom || !AllElementsEqual(tensor)) return Name(Constant(tensor), "Const");
  const auto rank = static_cast<int64_t>(shape.size());
  const OwnedTensor sizes = NewTensor(TF_INT64, {rank}, shape.size() * sizeof(int64_t));
  std::memcpy(TF_TensorData(sizes.get()), shape.data(), shape.size() * sizeof(int64_t));
  const size_t width = TF_DataTypeSize(TF_TensorType(tensor));
  const OwnedTensor element = NewTensor(TF_TensorType(tensor), {}, width);
  std::memcpy(TF_TensorData(element.get()), TF_TensorData(tensor), width);
  const TF_Output sizesNode = Constant(sizes.get());
  const TF_Output elementNode = Constant(element.get());
  TF_OperationDescription *fill = TF_NewOperation(recorded_.graph.get(), "Fill", NextName("Fill").c_str());
  TF_AddInput(fill, sizesNode);
  TF_AddInput(fill, elementNode);
  return Name(Finished(fill, "Fill"), "Fill");
}

void Recording::RunAfterReaders(TF_OperationDescription *operation, TF_Output value) const {
  std::vector<TF_Input> readers(static_cast<size_t>(TF_OperationOutputNumConsumers(value)));
  TF_OperationOutputConsumers(value, readers.data(), static_cast<int>(readers.size()));
  for (const TF_Input &reader : readers) {
    TF_AddControlInput(operation, reader.oper);
    if (SharesMemory(reader.oper)) RunAfterReaders(operation, {reader.oper, 0});
  }
}

std::vector<Symbol> Recording::AddOperation(const Signature &signature, const std::vector<Attribute> &attributes,
                                            const std::vector<int64_t> &inputs, const std::vector<size_t> &sizes) {
  // All that can fail stands before TF_NewOperation: what it returns can only be finished.
  std::vector<TF_Output> outputs;
  for (int64_t id : inputs) outputs.push_back(At(id));
  TF_OperationDescription *operation =
      TF_NewOperation(recorded_.graph.get(), signature.name.c_str(), NextName(signature.name).c_str());
  for (size_t i = 0; i < std::min(OverwrittenInputs(attributes), outputs.size()); i++) {
    RunAfterReaders(operation, outputs[i]);
    overwritten_.insert(inputs[i]);
  }
  const TF_Output *next = outputs.data();
  for (size_t i = 0; i < sizes.size(); i++) {
    if (signature.inputs[i].isList()) {
      TF_AddInputList(operation, next, static_cast<int>(sizes[i]));
    } else {
      TF_AddInput(operation, *next);
    }
    next += sizes[i];
  }
  for (const Attribute &attribute : attributes) SetAttribute(operation, attribute);
  TF_Operation *finished = Finished(operation, signature.name).oper;
  std::vector<Symbol> symbols;
  for (int i = 0; i < TF_OperationNumOutputs(finished); i++) symbols.push_back(Name({finished, i}, signature.name));
  return symbols;
}

RecordedGraph Recording::Finish(const std::vector<int64_t> &outputs) {
  for (int64_t id : outputs) {
    const TF_Output output = At(id);
    // A function may not answer its argument itself, hence an identity.
    TF_OperationDescription *identity =
        TF_NewOperation(recorded_.graph.get(), "Identity", ("output" + std::to_string(nodes_++)).c_str());
    TF_AddInput(identity, output);
    recorded_.outputs.push_back(Finished(identity, "An output"));
  }
  return std::move(recorded_);
}

}  // namespace duchenne
