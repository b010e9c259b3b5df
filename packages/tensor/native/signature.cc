#include "signature.h"

#include "failure.h"
#include "wire.h"

namespace duchenne {

namespace {

// Field numbers of tensorflow/core/framework/op_def.proto.
InputArgument ParseArgument(std::string_view bytes) {
  InputArgument argument;
  WireReader reader(bytes);
  for (Field field; reader.Next(&field);) {
    if (field.number == 1) argument.name = field.bytes;
    if (field.number == 4) argument.typeAttribute = field.bytes;
    if (field.number == 5) argument.numberAttribute = field.bytes;
    if (field.number == 6) argument.typeListAttribute = field.bytes;
  }
  return argument;
}

Signature ParseSignature(std::string_view bytes) {
  Signature signature;
  WireReader reader(bytes);
  for (Field field; reader.Next(&field);) {
    if (field.number == 1) signature.name = field.bytes;
    if (field.number == 2) signature.inputs.push_back(ParseArgument(field.bytes));
    if (field.number == 4) {
      std::string name;
      std::string kind;
      WireReader attribute(field.bytes);
      for (Field part; attribute.Next(&part);) {
        if (part.number == 1) name = part.bytes;
        if (part.number == 2) kind = part.bytes;
      }
      signature.attributes.emplace(name, kind);
    }
  }
  return signature;
}

}  // namespace

bool Signature::IsDetermined(const std::string &attribute) const {
  for (const InputArgument &input : inputs) {
    if (attribute == input.typeAttribute || attribute == input.numberAttribute ||
        attribute == input.typeListAttribute) {
      return true;
    }
  }
  return false;
}

std::vector<size_t> Signature::Split(size_t count, const std::map<std::string, int64_t> &numbers) const {
  size_t lists = 0;
  for (const InputArgument &input : inputs) lists += input.isList() ? 1 : 0;
  const size_t singles = inputs.size() - lists;
  std::vector<size_t> sizes;
  size_t total = 0;
  for (const InputArgument &input : inputs) {
    size_t size = 1;
    if (input.isList()) {
      const auto given = numbers.find(input.numberAttribute);
      if (given != numbers.end() && given->second >= 0) {
        size = static_cast<size_t>(given->second);
      } else if (lists == 1 && count >= singles) {
        size = count - singles;
      } else {
        throw InvalidArgument(name + ": expected the attribute \"" + input.numberAttribute +
                              "\", which says how many tensors \"" + input.name + "\" is");
      }
    }
    sizes.push_back(size);
    total += size;
  }
  if (total != count) {
    throw InvalidArgument(name + ": expected " + std::to_string(total) + " inputs, got " + std::to_string(count));
  }
  return sizes;
}

Signatures::Signatures() : graph_(TF_NewGraph()) {}

const Signature &Signatures::Of(const std::string &name) {
  const auto found = known_.find(name);
  if (found != known_.end()) return found->second;
  OwnedBuffer buffer(TF_NewBuffer());
  Status status;
  TF_GraphGetOpDef(graph_.get(), name.c_str(), buffer.get(), status);
  if (TF_GetCode(status) != TF_OK) throw Failure("not_found", "TensorFlow has no operation \"" + name + "\"");
  const std::string_view bytes(static_cast<const char *>(buffer->data), buffer->length);
  return known_.emplace(name, ParseSignature(bytes)).first->second;
}

std::vector<std::string> OperationNames(std::string_view opList) {
  std::vector<std::string> names;
  WireReader reader(opList);
  for (Field field; reader.Next(&field);) {
    if (field.number == 1) names.push_back(ParseSignature(field.bytes).name);
  }
  return names;
}

}  // namespace duchenne
