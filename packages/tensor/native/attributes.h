// An operation's attributes, from JavaScript to an eager call or a node of a graph.
#pragma once

#include <node_api.h>

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "elements.h"
#include "signature.h"

namespace duchenne {

/** A shape as an attribute; sizes of -1 are unknown. */
struct ShapeAttribute {
  Shape sizes;
};

struct Attribute {
  std::string name;
  std::variant<std::string, int64_t, float, bool, TF_DataType, ShapeAttribute, std::vector<std::string>,
               std::vector<int64_t>, std::vector<float>, std::vector<unsigned char>, std::vector<TF_DataType>>
      value;
};

/**
 * Reads [{name, value}]; of which kind a value is, the operation's definition says. What the inputs determine anyway (the
 * type "T" of most) is left out: so an operation that was written for float32 also takes bfloat16.
 *
 * @param numbers receives the values of number attributes
 * @throws Failure for unknown names and values of another kind
 */
std::vector<Attribute> AttributesFrom(napi_env env, napi_value list, const Signature &signature,
                                      std::map<std::string, int64_t> *numbers);

void SetAttribute(TFE_Op *op, const Attribute &attribute);
void SetAttribute(TF_OperationDescription *operation, const Attribute &attribute);

}  // namespace duchenne
