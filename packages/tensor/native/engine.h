// TensorFlow's eager context of one JavaScript environment, with everything that lives in it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "owned.h"
#include "recording.h"
#include "signature.h"
#include "tensor-table.h"

namespace duchenne {

struct Device {
  std::string name;
  std::string type;
  int64_t memoryBytes;
};

/** A recorded function that TensorFlow knows by its name. */
struct Function {
  std::string name;
  RecordedGraph recorded;
};

class Engine {
  // Stands before what lives in it, so that it is freed after.
  OwnedContext context_;
  std::vector<Device> devices_;

 public:
  /** Creates the context. @param config a serialized ConfigProto; empty: TensorFlow's defaults */
  void Open(std::string_view config);

  /** @throws Failure before `Open` */
  TFE_Context *context() const;

  const std::vector<Device> &devices() const { return devices_; }
  /** Where tensors are put: the first GPU, else the CPU. */
  const Device &device() const;

  Signatures signatures;
  TensorTable tensors;
  std::unique_ptr<Recording> recording;
  /** The first number of the next recording's values. */
  int64_t nextSymbol = kFirstSymbol;
  std::unordered_map<int64_t, Function> functions;
  int64_t nextFunction = 0;
};

}  // namespace duchenne
