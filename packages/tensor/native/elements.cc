#include "elements.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "js.h"
#include "tensorflow/c/tf_tstring.h"

namespace duchenne {

namespace {

/** What JavaScript knows of an element type. */
struct ElementType {
  TF_DataType type;
  const char *name;
  /** The typed array that holds its values on the way in. */
  napi_typedarray_type array;
  /** Elements of that array for one of the tensor. */
  size_t arrayElements;
};

constexpr ElementType kTypes[] = {
    {TF_FLOAT, "float32", napi_float32_array, 1},    {TF_INT32, "int32", napi_int32_array, 1},
    {TF_BOOL, "bool", napi_uint8_array, 1},          {TF_UINT8, "uint8", napi_uint8_array, 1},
    {TF_INT64, "int64", napi_bigint64_array, 1},     {TF_UINT64, "uint64", napi_biguint64_array, 1},
    {TF_COMPLEX64, "complex64", napi_float32_array, 2}, {TF_BFLOAT16, "bfloat16", napi_uint16_array, 1},
    {TF_HALF, "float16", napi_uint16_array, 1},      {TF_DOUBLE, "float64", napi_float64_array, 1},
    {TF_STRING, "string", napi_uint8_array, 0},
};

/** TensorFlow ends the process at a higher one. */
constexpr size_t kHighestRank = 254;

const ElementType *Find(TF_DataType type) {
  for (const ElementType &each : kTypes) {
    if (each.type == type) return &each;
  }
  return nullptr;
}

const ElementType &Known(TF_DataType type) {
  const ElementType *found = Find(type);
  if (found == nullptr) throw InvalidArgument("Tensors of " + ElementTypeName(type) + " have no values in JavaScript");
  return *found;
}

float FloatFromBfloat16(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

float FloatFromHalf(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 31;
  uint32_t fraction = bits & 1023;
  uint32_t wide;
  if (exponent == 31) {
    wide = sign | 0x7f800000 | (fraction << 13);
  } else if (exponent == 0 && fraction == 0) {
    wide = sign;
  } else {
    if (exponent == 0) {  // Subnormal: shifted until its leading bit stands where a normal number's does.
      exponent = 1;
      while ((fraction & 1024) == 0) {
        fraction <<= 1;
        exponent--;
      }
      fraction &= 1023;
    }
    wide = sign | ((exponent + 112) << 23) | (fraction << 13);
  }
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

void FreeNumbers(void *data, size_t, void *) { std::free(data); }

void FreeStrings(void *data, size_t bytes, void *) {
  auto *strings = static_cast<TF_TString *>(data);
  for (size_t i = 0; i < bytes / sizeof(TF_TString); i++) TF_StringDealloc(strings + i);
  std::free(data);
}

/** Aligned as TensorFlow wants it, so that no kernel copies. */
void *Allocate(size_t bytes) {
  constexpr size_t kAlignment = 64;
  const size_t rounded = (bytes / kAlignment + 1) * kAlignment;
  void *data = rounded < bytes ? nullptr : std::aligned_alloc(kAlignment, rounded);
  if (data == nullptr) {
    throw Failure("resource_exhausted", "A tensor of " + std::to_string(bytes) + " bytes does not fit into memory");
  }
  return data;
}

OwnedTensor Wrap(TF_DataType type, const Shape &shape, void *data, size_t bytes,
                 void (*free)(void *, size_t, void *)) {
  TF_Tensor *tensor = TF_NewTensor(type, shape.data(), static_cast<int>(shape.size()), data, bytes, free, nullptr);
  if (tensor == nullptr) throw InvalidArgument("TensorFlow made no tensor of shape " + ShapeText(shape));
  return OwnedTensor(tensor);
}

OwnedTensor TensorFromStrings(napi_env env, const Shape &shape, napi_value values) {
  const std::vector<napi_value> elements = ListFrom(env, values, "the values of a string tensor");
  if (static_cast<int64_t>(elements.size()) != ElementCount(shape)) {
    throw InvalidArgument("Expected " + std::to_string(ElementCount(shape)) + " strings for the shape " +
                          ShapeText(shape) + ", got " + std::to_string(elements.size()));
  }
  std::vector<std::string> texts;
  for (napi_value element : elements) texts.push_back(BytesFrom(env, element, "a string's bytes"));
  const size_t bytes = texts.size() * sizeof(TF_TString);
  auto *strings = static_cast<TF_TString *>(Allocate(bytes));
  for (size_t i = 0; i < texts.size(); i++) {
    TF_StringInit(strings + i);
    TF_StringCopy(strings + i, texts[i].data(), texts[i].size());
  }
  return Wrap(TF_STRING, shape, strings, bytes, FreeStrings);
}

napi_value StringsFromTensor(napi_env env, const TF_Tensor *tensor) {
  const auto *strings = static_cast<const TF_TString *>(TF_TensorData(tensor));
  std::vector<napi_value> elements;
  for (int64_t i = 0; i < TF_TensorElementCount(tensor); i++) {
    const size_t size = TF_StringGetSize(strings + i);
    void *data = nullptr;
    elements.push_back(JsTypedArray(env, napi_uint8_array, size, size, &data));
    if (size > 0) std::memcpy(data, TF_StringGetDataPointer(strings + i), size);
  }
  return JsList(env, elements);
}

napi_value WidenedFromTensor(napi_env env, const TF_Tensor *tensor, float (*widen)(uint16_t)) {
  const auto *bits = static_cast<const uint16_t *>(TF_TensorData(tensor));
  const auto count = static_cast<size_t>(TF_TensorElementCount(tensor));
  void *data = nullptr;
  napi_value array = JsTypedArray(env, napi_float32_array, count, count * sizeof(float), &data);
  for (size_t i = 0; i < count; i++) static_cast<float *>(data)[i] = widen(bits[i]);
  return array;
}

}  // namespace

std::string ShapeText(const Shape &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); i++) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

std::string ElementTypeName(TF_DataType type) {
  const ElementType *found = Find(type);
  return found != nullptr ? found->name : "type " + std::to_string(static_cast<int>(type));
}

TF_DataType ElementTypeFrom(napi_env env, napi_value value, const char *what) {
  if (IsType(env, value, napi_string)) {
    const std::string name = TextFrom(env, value, what);
    for (const ElementType &each : kTypes) {
      if (name == each.name) return each.type;
    }
    throw InvalidArgument("There is no element type \"" + name + "\"");
  }
  const int64_t number = IntegerFrom(env, value, what);
  // Resources and variants exist, although JavaScript sees no values of them.
  for (TF_DataType known : {TF_RESOURCE, TF_VARIANT}) {
    if (number == known) return known;
  }
  for (const ElementType &each : kTypes) {
    if (number == each.type) return each.type;
  }
  throw InvalidArgument("There is no element type " + std::to_string(number));
}

Shape ShapeFrom(napi_env env, napi_value value, const char *what) {
  Shape shape = IntegersFrom(env, value, what);
  if (shape.size() > kHighestRank) {
    throw InvalidArgument("Expected a shape of at most " + std::to_string(kHighestRank) + " sizes, got " +
                          std::to_string(shape.size()));
  }
  int64_t count = 1;
  for (int64_t size : shape) {
    if (size < 0) throw InvalidArgument("Expected sizes of at least 0, got the shape " + ShapeText(shape));
    // Sixteen bytes are the widest element. Sizes beside a 0 count too: TensorFlow multiplies them.
    if (size != 0 && count > std::numeric_limits<int64_t>::max() / 16 / size) {
      throw InvalidArgument("The shape " + ShapeText(shape) + " has more elements than can be counted");
    }
    count *= std::max<int64_t>(size, 1);
  }
  return shape;
}

int64_t ElementCount(const Shape &shape) {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  return count;
}

OwnedTensor NewTensor(TF_DataType type, const Shape &shape, size_t bytes) {
  return Wrap(type, shape, Allocate(bytes), bytes, FreeNumbers);
}

OwnedTensor TensorFromValues(napi_env env, const Shape &shape, TF_DataType type, napi_value values) {
  if (type == TF_STRING) return TensorFromStrings(env, shape, values);
  const ElementType &known = Known(type);
  if (!IsTypedArray(env, values)) {
    throw InvalidArgument(std::string("Expected a typed array for a tensor of ") + known.name);
  }
  napi_typedarray_type arrayType;
  size_t length = 0;
  void *source = nullptr;
  Check(env, napi_get_typedarray_info(env, values, &arrayType, &length, &source, nullptr, nullptr));
  size_t perElement = known.arrayElements;
  const bool halves = type == TF_INT64 && arrayType == napi_int32_array;
  if (halves) perElement = 2;
  if (arrayType != known.array && !halves) {
    throw InvalidArgument(std::string("The typed array does not fit a tensor of ") + known.name);
  }
  const auto expected = static_cast<size_t>(ElementCount(shape)) * perElement;
  if (length != expected) {
    throw InvalidArgument("Expected " + std::to_string(expected) + " values for the shape " + ShapeText(shape) +
                          " of " + known.name + ", got " + std::to_string(length));
  }
  const size_t bytes = static_cast<size_t>(ElementCount(shape)) * TF_DataTypeSize(type);
  OwnedTensor tensor = NewTensor(type, shape, bytes);
  if (bytes > 0) std::memcpy(TF_TensorData(tensor.get()), source, bytes);
  return tensor;
}

napi_value ValuesFromTensor(napi_env env, const TF_Tensor *tensor) {
  const TF_DataType type = TF_TensorType(tensor);
  if (type == TF_STRING) return StringsFromTensor(env, tensor);
  if (type == TF_BFLOAT16) return WidenedFromTensor(env, tensor, FloatFromBfloat16);
  if (type == TF_HALF) return WidenedFromTensor(env, tensor, FloatFromHalf);
  const ElementType &known = Known(type);
  const size_t bytes = TF_TensorByteSize(tensor);
  const size_t length = static_cast<size_t>(TF_TensorElementCount(tensor)) * known.arrayElements;
  void *data = nullptr;
  napi_value array = JsTypedArray(env, known.array, length, bytes, &data);
  if (bytes > 0) std::memcpy(data, TF_TensorData(tensor), bytes);
  return array;
}

Shape ShapeOf(const TF_Tensor *tensor) {
  Shape shape;
  for (int i = 0; i < TF_NumDims(tensor); i++) shape.push_back(TF_Dim(tensor, i));
  return shape;
}

}  // namespace duchenne
