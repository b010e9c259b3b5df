// Element types and values: between JavaScript's typed arrays and TensorFlow's tensors.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <string>
#include <vector>

#include "owned.h"

namespace duchenne {

using Shape = std::vector<int64_t>;

/** "[2, 3]" */
std::string ShapeText(const Shape &shape);

/** The name of an element type as in NumPy, "float32"; "type 21" for those that no JavaScript value has. */
std::string ElementTypeName(TF_DataType type);

/** The element type of a name or of TensorFlow's number. @throws Failure for others */
TF_DataType ElementTypeFrom(napi_env env, napi_value value, const char *what);

/** A shape whose sizes are known and whose elements can be counted. @throws Failure */
Shape ShapeFrom(napi_env env, napi_value value, const char *what);
int64_t ElementCount(const Shape &shape);

/**
 * A tensor with a copy of JavaScript's values: the typed array that fits the type (float32: Float32Array, int32:
 * Int32Array, bool and uint8: Uint8Array, int64: BigInt64Array or an Int32Array of twice the length, complex64: a
 * Float32Array of twice the length, bfloat16 and float16: their bits as Uint16Array), or Uint8Arrays for strings.
 */
OwnedTensor TensorFromValues(napi_env env, const Shape &shape, TF_DataType type, napi_value values);

/** A tensor of uninitialised numbers. @throws Failure resource_exhausted */
OwnedTensor NewTensor(TF_DataType type, const Shape &shape, size_t bytes);

/** A copy of a tensor's values; bfloat16 and float16 become a Float32Array. */
napi_value ValuesFromTensor(napi_env env, const TF_Tensor *tensor);

Shape ShapeOf(const TF_Tensor *tensor);

}  // namespace duchenne
