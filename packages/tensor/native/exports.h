// What JavaScript may call. Each throws JavaScript errors whose `code` is a canonical code.
#pragma once

#include "call.h"

namespace duchenne {

// tensors.cc
/** (shape, type, values) -> id */
napi_value CreateTensor(const Call &call);
/** (id) */
napi_value DeleteTensor(const Call &call);
/** (id) -> a typed array, or a list of Uint8Arrays */
napi_value TensorDataSync(const Call &call);
/** (id) -> the name of the device that holds it */
napi_value TensorDevice(const Call &call);
/** () -> how many tensors JavaScript holds */
napi_value NumberOfTensors(const Call &call);
/** (ids) -> those whose memory another tensor that JavaScript holds uses too; of the CPU's */
napi_value SharingMemory(const Call &call);
/** () -> {tensors, bytes} */
napi_value MemoryStatistics(const Call &call);

// execute.cc
/** (operation, attributes, ids, outputs) -> [{id, shape, dtype}]; while a recording is on, a node is added to it */
napi_value ExecuteOp(const Call &call);

// record.cc
/** () */
napi_value BeginRecording(const Call &call);
/** (shape, type) -> {id, shape, dtype} */
napi_value RecordInput(const Call &call);
/** (shape, type, values) -> {id, shape, dtype} */
napi_value RecordConstant(const Call &call);
/** (name, ids of outputs, whether XLA compiles it) -> {id, operations: [[name, count]], overwritten: inputs} */
napi_value EndRecording(const Call &call);
/** () */
napi_value AbandonRecording(const Call &call);

// functions.cc
/** (function, ids, device; "": TensorFlow chooses) -> [{id, shape, dtype}] */
napi_value RunFunction(const Call &call);
/** (function, ids) -> a serialized RunMetadata with the time of every node */
napi_value TraceFunction(const Call &call);
/** (function) */
napi_value DeleteFunction(const Call &call);

// environment.cc
/** (config) */
napi_value Open(const Call &call);
/** (path) loads a library that TensorFlow will look for by its short name; no error if it cannot */
napi_value Preload(const Call &call);
/** () -> [{name, type, memoryBytes}] */
napi_value Devices(const Call &call);
napi_value IsUsingGpuDevice(const Call &call);
/** (path) -> names of the operations in it */
napi_value LoadLibrary(const Call &call);
/** Saved models are no part of this engine. */
napi_value RefuseSavedModel(const Call &call);
napi_value NumberOfSavedModels(const Call &call);

/** {id, shape, dtype} of a new tensor. */
napi_value Described(const Call &call, OwnedHandle handle);
napi_value Described(const Call &call, const Symbol &symbol);

}  // namespace duchenne
