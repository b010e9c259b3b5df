// What an operation takes and gives, read from its definition in TensorFlow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "owned.h"

namespace duchenne {

/** An input of an operation: one tensor, or a list of them. */
struct InputArgument {
  std::string name;
  /** Attributes that the input determines; empty: none. */
  std::string typeAttribute;
  std::string numberAttribute;
  std::string typeListAttribute;

  bool isList() const { return !numberAttribute.empty() || !typeListAttribute.empty(); }
};

struct Signature {
  std::string name;
  std::vector<InputArgument> inputs;
  /** Kinds by name: "int", "float", "list(int)", "type", ... */
  std::map<std::string, std::string> attributes;

  /** Whether the attribute follows from the inputs, so that it need not be set. */
  bool IsDetermined(const std::string &attribute) const;

  /**
   * How many of `count` tensors each input takes.
   *
   * @param numbers the values of those number attributes that were given
   * @throws Failure when they do not add up
   */
  std::vector<size_t> Split(size_t count, const std::map<std::string, int64_t> &numbers) const;
};

/** Signatures by name, each read once. */
class Signatures {
 public:
  Signatures();
  /** @throws Failure not_found when there is no such operation */
  const Signature &Of(const std::string &name);

 private:
  OwnedGraph graph_;
  std::map<std::string, Signature> known_;
};

/** The names in a serialized list of operation definitions. */
std::vector<std::string> OperationNames(std::string_view opList);

}  // namespace duchenne
