#include "recording.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

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

/**
 * Operations whose output is, or in some cases is, memory of an input seen in another way: TensorFlow's kernels hand the
 * buffer on where nothing is to be computed (a slice of whole rows, a cast to the same type, a sum over axes of size 1).
 */
bool MayShareMemory(TF_Operation *operation) {
  static const std::unordered_set<std::string> kSharing = {
      "AddN",        "All",          "Any",       "Bitcast",  "BroadcastTo", "Cast",     "ConcatV2",
      "Conj",        "EnsureShape",  "ExpandDims", "Identity", "IdentityN",   "Max",      "Mean",
      "Min",         "MirrorPad",    "Pad",       "PadV2",    "Prod",        "Real",     "Reshape",
      "ReverseV2",   "Slice",        "Snapshot",  "Split",    "SplitV",      "Squeeze",  "StopGradient",
      "StridedSlice", "Sum",         "Tile",      "Transpose", "Unpack",     "DuchenneResidualGrad"};
  return kSharing.count(TF_OperationOpType(operation)) > 0;
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

bool Recording::MayBeOverwritten(TF_Output value) const {
  if (overwritten_.count({value.oper, value.index}) > 0) return true;
  if (!MayShareMemory(value.oper)) return false;
  for (int i = 0; i < TF_OperationNumInputs(value.oper); i++) {
    if (MayBeOverwritten(TF_OperationInput({value.oper, i}))) return true;
  }
  return false;
}

TF_Output Recording::At(int64_t id) const {
  const auto found = symbols_.find(id);
  if (found == symbols_.end()) {
    throw FailedPrecondition("A tensor of another recording, or one that was disposed: use it in the step that made it, or "
                             "answer it as an output");
  }
  if (!overwritten_.empty() && MayBeOverwritten(found->second)) {
    throw FailedPrecondition("Reading a weight, or a view of one, after its optimizer has overwritten it: read it before, "
                             "or read the new value among the optimizer's updates");
  }
  return found->second;
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

void Recording::RunAfterAll(TF_OperationDescription *operation) const {
  size_t position = 0;
  while (TF_Operation *each = TF_GraphNextOperation(recorded_.graph.get(), &position)) {
    // What runs before others need not be named: they run before this one.
    bool isLast = TF_OperationNumInputs(each) > 0 && TF_OperationNumControlOutputs(each) == 0;
    for (int i = 0; isLast && i < TF_OperationNumOutputs(each); i++) {
      isLast = TF_OperationOutputNumConsumers({each, i}) == 0;
    }
    if (isLast) TF_AddControlInput(operation, each);
  }
}

void Recording::Overwrite(TF_Output value) {
  // A constant would be another one in the next run; of what was computed, TensorFlow may keep one copy for several uses.
  if (std::string(TF_OperationOpType(value.oper)) != "Placeholder") {
    throw FailedPrecondition("Overwriting what is no variable (a view of a weight, a constant, a result): give the "
                             "optimizer variables of the step's state");
  }
  if (!overwritten_.insert({value.oper, value.index}).second) {
    throw FailedPrecondition("Overwriting a variable twice: an optimizer takes each of its variables once");
  }
}

std::vector<Symbol> Recording::AddOperation(const Signature &signature, const std::vector<Attribute> &attributes,
                                            const std::vector<int64_t> &inputs, const std::vector<size_t> &sizes) {
  // All that can fail stands before TF_NewOperation: what it returns can only be finished.
  std::vector<TF_Output> outputs;
  for (int64_t id : inputs) outputs.push_back(At(id));
  const size_t overwrites = std::min(OverwrittenInputs(attributes), outputs.size());
  for (size_t i = 0; i < overwrites; i++) Overwrite(outputs[i]);
  for (size_t i = overwrites; i < outputs.size(); i++) {
    if (overwrites == 0 || !MayBeOverwritten(outputs[i])) continue;
    throw FailedPrecondition("Overwriting a variable that the same operation reads: give the optimizer gradients of their own");
  }
  TF_OperationDescription *operation =
      TF_NewOperation(recorded_.graph.get(), signature.name.c_str(), NextName(signature.name).c_str());
  if (overwrites > 0) RunAfterAll(operation);
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
  for (size_t i = 0; i < recorded_.inputs.size(); i++) {
    const TF_Output input = recorded_.inputs[i];
    if (overwritten_.count({input.oper, input.index}) > 0) recorded_.overwritten.push_back(static_cast<int64_t>(i));
  }
  return std::move(recorded_);
}

}  // namespace duchenne
