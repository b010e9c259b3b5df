// TensorFlow's C objects as owned pointers.
#pragma once

#include <memory>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

namespace duchenne {

template <auto Delete>
struct Deleter {
  template <class T>
  void operator()(T *object) const {
    Delete(object);
  }
};

using OwnedHandle = std::unique_ptr<TFE_TensorHandle, Deleter<TFE_DeleteTensorHandle>>;
using OwnedTensor = std::unique_ptr<TF_Tensor, Deleter<TF_DeleteTensor>>;
using OwnedOp = std::unique_ptr<TFE_Op, Deleter<TFE_DeleteOp>>;
using OwnedContext = std::unique_ptr<TFE_Context, Deleter<TFE_DeleteContext>>;
using OwnedContextOptions = std::unique_ptr<TFE_ContextOptions, Deleter<TFE_DeleteContextOptions>>;
using OwnedDeviceList = std::unique_ptr<TF_DeviceList, Deleter<TF_DeleteDeviceList>>;
using OwnedGraph = std::unique_ptr<TF_Graph, Deleter<TF_DeleteGraph>>;
using OwnedFunction = std::unique_ptr<TF_Function, Deleter<TF_DeleteFunction>>;
using OwnedBuffer = std::unique_ptr<TF_Buffer, Deleter<TF_DeleteBuffer>>;

}  // namespace duchenne
