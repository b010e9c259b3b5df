// Operations that are written down as a graph instead of being run.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "attributes.h"
#include "elements.h"
#include "owned.h"
#include "signature.h"
#include "tensor-table.h"

namespace duchenne {

/** A value of a recording: its number, and what is known before anything runs. */
struct Symbol {
  int64_t id;
  TF_DataType type;
  Shape shape;
};

/** A finished recording. */
struct RecordedGraph {
  OwnedGraph graph;
  std::vector<TF_Output> inputs;
  std::vector<TF_Output> outputs;
  /** Element types and shapes of the inputs. */
  std::vector<TF_DataType> inputTypes;
  std::vector<Shape> inputShapes;
  /** Which of the inputs the function overwrites. */
  std::vector<int64_t> overwritten;
  /** How often each operation occurs. */
  std::map<std::string, int> operations;
};

class Recording {
 public:
  /** @param firstSymbol numbers of earlier recordings are not given out again */
  explicit Recording(int64_t firstSymbol);

  /** An input of the function to be. */
  Symbol AddInput(TF_DataType type, const Shape &shape);

  /** A constant. Many equal elements become one and a fill. */
  Symbol AddConstant(const TF_Tensor *tensor);

  /**
   * Adds an operation. One that overwrites its first inputs says so by an attribute "overwrites", their number. They must be
   * inputs of the function, it runs after all that was recorded before it, and whoever may read the same memory later is
   * refused. So whatever fails before it leaves what it would have overwritten as it was.
   *
   * @param sizes how many of the inputs each argument takes
   * @throws Failure when the shape of an output is not known before it runs; failed_precondition, "WHAT: REMEDY", for what
   * cannot be recorded
   */
  std::vector<Symbol> AddOperation(const Signature &signature, const std::vector<Attribute> &attributes,
                                   const std::vector<int64_t> &inputs, const std::vector<size_t> &sizes);

  void Erase(int64_t id) { symbols_.erase(id); }
  int64_t next() const { return next_; }

  /** Ends it. @throws Failure when an output is none of its values */
  RecordedGraph Finish(const std::vector<int64_t> &outputs);

 private:
  std::string NextName(const std::string &operation);
  TF_Output At(int64_t id) const;
  Symbol Name(TF_Output output, const std::string &operation);
  bool MayBeOverwritten(TF_Output value) const;
  void Overwrite(TF_Output value);
  void RunAfterAll(TF_OperationDescription *operation) const;
  TF_Output Constant(const TF_Tensor *tensor);
  TF_Output Finished(TF_OperationDescription *operation, const std::string &name);

  RecordedGraph recorded_;
  std::unordered_map<int64_t, TF_Output> symbols_;
  /** By operation and output. */
  std::set<std::pair<TF_Operation *, int>> overwritten_;
  int64_t next_;
  int nodes_ = 0;
};

}  // namespace duchenne
