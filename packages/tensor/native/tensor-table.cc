#include "tensor-table.h"

#include "failure.h"

namespace duchenne {

namespace {

Failure Unknown(int64_t id) {
  if (id >= kFirstSymbol) {
    return FailedPrecondition("The tensor belongs to a recording: it has no value of its own");
  }
  return Failure("not_found", "There is no tensor " + std::to_string(id) + ": it was disposed or never existed");
}

}  // namespace

int64_t TensorTable::Insert(OwnedHandle handle) {
  const int64_t bytes =
      ElementCount(ShapeOf(handle.get())) *
      static_cast<int64_t>(TF_DataTypeSize(TFE_TensorHandleDataType(handle.get())));
  bytes_ += bytes;
  entries_.emplace(next_, Entry{std::move(handle), bytes});
  return next_++;
}

TFE_TensorHandle *TensorTable::At(int64_t id) const {
  const auto found = entries_.find(id);
  if (found == entries_.end()) throw Unknown(id);
  return found->second.handle.get();
}

void TensorTable::Erase(int64_t id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) throw Unknown(id);
  bytes_ -= found->second.bytes;
  entries_.erase(found);
}

Shape ShapeOf(TFE_TensorHandle *handle) {
  Status status;
  const int rank = TFE_TensorHandleNumDims(handle, status);
  status.Check("A tensor's rank");
  Shape shape;
  for (int i = 0; i < rank; i++) {
    shape.push_back(TFE_TensorHandleDim(handle, i, status));
    status.Check("A tensor's shape");
  }
  return shape;
}

OwnedTensor Resolve(TFE_TensorHandle *handle) {
  Status status;
  OwnedTensor tensor(TFE_TensorHandleResolve(handle, status));
  status.Check("Reading a tensor");
  return tensor;
}

}  // namespace duchenne
