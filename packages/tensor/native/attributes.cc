#include "attributes.h"

#include "js.h"

namespace duchenne {

namespace {

std::string StringFrom(napi_env env, napi_value value, const char *what) {
  return IsTypedArray(env, value) ? BytesFrom(env, value, what) : TextFrom(env, value, what);
}

ShapeAttribute ShapeAttributeFrom(napi_env env, napi_value value, const char *what) {
  ShapeAttribute shape{IntegersFrom(env, value, what)};
  for (int64_t size : shape.sizes) {
    if (size < -1) throw InvalidArgument(std::string("Expected ") + what + " to have sizes of at least -1");
  }
  return shape;
}

template <class T, class Convert>
std::vector<T> Each(napi_env env, napi_value list, const char *what, Convert convert) {
  std::vector<T> converted;
  for (napi_value element : ListFrom(env, list, what)) converted.push_back(static_cast<T>(convert(env, element, what)));
  return converted;
}

Attribute Read(napi_env env, const std::string &name, const std::string &kind, napi_value value,
               const std::string &operation) {
  const std::string description = operation + "'s attribute \"" + name + "\"";
  const char *what = description.c_str();
  if (kind == "string") return {name, StringFrom(env, value, what)};
  if (kind == "int") return {name, IntegerFrom(env, value, what)};
  if (kind == "float") return {name, static_cast<float>(NumberFrom(env, value, what))};
  if (kind == "bool") return {name, FlagFrom(env, value, what)};
  if (kind == "type") return {name, ElementTypeFrom(env, value, what)};
  if (kind == "shape") return {name, ShapeAttributeFrom(env, value, what)};
  if (kind == "list(string)") return {name, Each<std::string>(env, value, what, StringFrom)};
  if (kind == "list(int)") return {name, Each<int64_t>(env, value, what, IntegerFrom)};
  if (kind == "list(float)") return {name, Each<float>(env, value, what, NumberFrom)};
  if (kind == "list(bool)") return {name, Each<unsigned char>(env, value, what, FlagFrom)};
  if (kind == "list(type)") return {name, Each<TF_DataType>(env, value, what, ElementTypeFrom)};
  throw Failure("unimplemented", description + " is of the kind " + kind + ", which cannot be set from JavaScript");
}

/** Strings as TensorFlow takes them: pointers and lengths. */
struct StringViews {
  explicit StringViews(const std::vector<std::string> &texts) {
    for (const std::string &text : texts) {
      data.push_back(text.data());
      lengths.push_back(text.size());
    }
  }
  std::vector<const void *> data;
  std::vector<size_t> lengths;
};

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

template <class List>
int LengthOf(const List &list) {
  return static_cast<int>(list.size());
}

}  // namespace

std::vector<Attribute> AttributesFrom(napi_env env, napi_value list, const Signature &signature,
                                      std::map<std::string, int64_t> *numbers) {
  std::vector<Attribute> attributes;
  for (napi_value each : ListFrom(env, list, "the attributes")) {
    const std::string name = TextFrom(env, PropertyOf(env, each, "name", "an attribute"), "an attribute's name");
    const auto kind = signature.attributes.find(name);
    if (kind == signature.attributes.end()) {
      throw InvalidArgument(signature.name + " has no attribute \"" + name + "\"");
    }
    Attribute attribute =
        Read(env, name, kind->second, PropertyOf(env, each, "value", "an attribute"), signature.name);
    if (const auto *number = std::get_if<int64_t>(&attribute.value)) (*numbers)[name] = *number;
    if (!signature.IsDetermined(name)) attributes.push_back(std::move(attribute));
  }
  return attributes;
}

void SetAttribute(TFE_Op *op, const Attribute &attribute) {
  const char *name = attribute.name.c_str();
  std::visit(
      Overloaded{
          [&](const std::string &text) { TFE_OpSetAttrString(op, name, text.data(), text.size()); },
          [&](int64_t number) { TFE_OpSetAttrInt(op, name, number); },
          [&](float number) { TFE_OpSetAttrFloat(op, name, number); },
          [&](bool flag) { TFE_OpSetAttrBool(op, name, flag ? 1 : 0); },
          [&](TF_DataType type) { TFE_OpSetAttrType(op, name, type); },
          [&](const ShapeAttribute &shape) {
            Status status;
            TFE_OpSetAttrShape(op, name, shape.sizes.data(), LengthOf(shape.sizes), status);
            status.Check(attribute.name);
          },
          [&](const std::vector<std::string> &texts) {
            const StringViews views(texts);
            TFE_OpSetAttrStringList(op, name, views.data.data(), views.lengths.data(), LengthOf(texts));
          },
          [&](const std::vector<int64_t> &list) { TFE_OpSetAttrIntList(op, name, list.data(), LengthOf(list)); },
          [&](const std::vector<float> &list) { TFE_OpSetAttrFloatList(op, name, list.data(), LengthOf(list)); },
          [&](const std::vector<unsigned char> &list) { TFE_OpSetAttrBoolList(op, name, list.data(), LengthOf(list)); },
          [&](const std::vector<TF_DataType> &list) { TFE_OpSetAttrTypeList(op, name, list.data(), LengthOf(list)); },
      },
      attribute.value);
}

void SetAttribute(TF_OperationDescription *operation, const Attribute &attribute) {
  const char *name = attribute.name.c_str();
  std::visit(
      Overloaded{
          [&](const std::string &text) { TF_SetAttrString(operation, name, text.data(), text.size()); },
          [&](int64_t number) { TF_SetAttrInt(operation, name, number); },
          [&](float number) { TF_SetAttrFloat(operation, name, number); },
          [&](bool flag) { TF_SetAttrBool(operation, name, flag ? 1 : 0); },
          [&](TF_DataType type) { TF_SetAttrType(operation, name, type); },
          [&](const ShapeAttribute &shape) {
            TF_SetAttrShape(operation, name, shape.sizes.data(), LengthOf(shape.sizes));
          },
          [&](const std::vector<std::string> &texts) {
            const StringViews views(texts);
            TF_SetAttrStringList(operation, name, views.data.data(), views.lengths.data(), LengthOf(texts));
          },
          [&](const std::vector<int64_t> &list) { TF_SetAttrIntList(operation, name, list.data(), LengthOf(list)); },
          [&](const std::vector<float> &list) { TF_SetAttrFloatList(operation, name, list.data(), LengthOf(list)); },
          [&](const std::vector<unsigned char> &list) {
            TF_SetAttrBoolList(operation, name, list.data(), LengthOf(list));
          },
          [&](const std::vector<TF_DataType> &list) {
            TF_SetAttrTypeList(operation, name, list.data(), LengthOf(list));
          },
      },
      attribute.value);
}

}  // namespace duchenne
