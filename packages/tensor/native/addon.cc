// The addon: what it exports to JavaScript. The first names are those that @tensorflow/tfjs-node's backend expects.
#include <memory>

#include "exports.h"

namespace duchenne {

namespace {

template <napi_value (*Body)(const Call &)>
void Export(napi_env env, napi_value exports, const char *name) {
  napi_value function;
  Check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, Entry<Body>, nullptr, &function));
  SetProperty(env, exports, name, function);
}

void Fill(napi_env env, napi_value exports) {
  Export<CreateTensor>(env, exports, "createTensor");
  Export<DeleteTensor>(env, exports, "deleteTensor");
  Export<TensorDataSync>(env, exports, "tensorDataSync");
  Export<ExecuteOp>(env, exports, "executeOp");
  Export<IsUsingGpuDevice>(env, exports, "isUsingGpuDevice");
  Export<RefuseSavedModel>(env, exports, "loadSavedModel");
  Export<RefuseSavedModel>(env, exports, "deleteSavedModel");
  Export<RefuseSavedModel>(env, exports, "runSavedModel");
  Export<NumberOfSavedModels>(env, exports, "getNumOfSavedModels");
  Export<NumberOfTensors>(env, exports, "getNumOfTensors");
  SetProperty(env, exports, "TF_Version", JsText(env, TF_Version()));

  Export<Open>(env, exports, "open");
  Export<Preload>(env, exports, "preload");
  Export<Devices>(env, exports, "devices");
  Export<LoadLibrary>(env, exports, "loadLibrary");
  Export<TensorDevice>(env, exports, "tensorDevice");
  Export<SharingMemory>(env, exports, "sharingMemory");
  Export<MemoryStatistics>(env, exports, "memoryStatistics");
  Export<BeginRecording>(env, exports, "beginRecording");
  Export<RecordInput>(env, exports, "recordInput");
  Export<RecordConstant>(env, exports, "recordConstant");
  Export<EndRecording>(env, exports, "endRecording");
  Export<AbandonRecording>(env, exports, "abandonRecording");
  Export<RunFunction>(env, exports, "runFunction");
  Export<TraceFunction>(env, exports, "traceFunction");
  Export<DeleteFunction>(env, exports, "deleteFunction");

  const std::pair<const char *, int> constants[] = {
      {"TF_FLOAT", TF_FLOAT},           {"TF_INT32", TF_INT32},         {"TF_INT64", TF_INT64},
      {"TF_BOOL", TF_BOOL},             {"TF_COMPLEX64", TF_COMPLEX64}, {"TF_STRING", TF_STRING},
      {"TF_RESOURCE", TF_RESOURCE},     {"TF_UINT8", TF_UINT8},         {"TF_BFLOAT16", TF_BFLOAT16},
      {"TF_HALF", TF_HALF},             {"TF_DOUBLE", TF_DOUBLE},       {"TF_UINT64", TF_UINT64},
      {"TF_ATTR_STRING", TF_ATTR_STRING}, {"TF_ATTR_INT", TF_ATTR_INT}, {"TF_ATTR_FLOAT", TF_ATTR_FLOAT},
      {"TF_ATTR_BOOL", TF_ATTR_BOOL},   {"TF_ATTR_TYPE", TF_ATTR_TYPE}, {"TF_ATTR_SHAPE", TF_ATTR_SHAPE},
  };
  for (const auto &[name, value] : constants) SetProperty(env, exports, name, JsNumber(env, value));
}

napi_value Initialise(napi_env env, napi_value exports) {
  try {
    auto free = [](napi_env, void *engine, void *) { delete static_cast<Engine *>(engine); };
    auto engine = std::make_unique<Engine>();
    Check(env, napi_set_instance_data(env, engine.get(), free, nullptr));
    // Node owns it now, one for each environment: each worker thread has tensors and a context of its own.
    engine.release();
    Fill(env, exports);
    return exports;
  } catch (...) {
    return ThrowCurrent(env);
  }
}

}  // namespace

}  // namespace duchenne

NAPI_MODULE(duchenne_tensorflow, duchenne::Initialise)
