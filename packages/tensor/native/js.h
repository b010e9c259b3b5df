// JavaScript values in and out of C++; what is not as expected throws a Failure that names it.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <string>
#include <vector>

#include "failure.h"

namespace duchenne {

/** Thrown when JavaScript code that we called has thrown: its error is on its way already. */
struct PendingException {};

/** Throws unless a call of Node's API went well. */
void Check(napi_env env, napi_status status);

std::string TextFrom(napi_env env, napi_value value, const char *what);
double NumberFrom(napi_env env, napi_value value, const char *what);
/** A whole number that a double holds exactly, or a bigint of 64 bits. */
int64_t IntegerFrom(napi_env env, napi_value value, const char *what);
bool FlagFrom(napi_env env, napi_value value, const char *what);
std::vector<napi_value> ListFrom(napi_env env, napi_value value, const char *what);
std::vector<int64_t> IntegersFrom(napi_env env, napi_value value, const char *what);
/** The bytes of a Uint8Array, copied. */
std::string BytesFrom(napi_env env, napi_value value, const char *what);
napi_value PropertyOf(napi_env env, napi_value object, const char *name, const char *what);
bool IsType(napi_env env, napi_value value, napi_valuetype type);
bool IsArray(napi_env env, napi_value value);
bool IsTypedArray(napi_env env, napi_value value);

napi_value JsText(napi_env env, const std::string &text);
napi_value JsNumber(napi_env env, double number);
napi_value JsFlag(napi_env env, bool flag);
napi_value JsUndefined(napi_env env);
napi_value JsObject(napi_env env);
napi_value JsList(napi_env env, const std::vector<napi_value> &elements);
napi_value JsIntegers(napi_env env, const std::vector<int64_t> &integers);
napi_value JsTexts(napi_env env, const std::vector<std::string> &texts);
/** A typed array over a new buffer. @param data receives where its bytes are to be written */
napi_value JsTypedArray(napi_env env, napi_typedarray_type type, size_t elements, size_t bytes, void **data);
void SetProperty(napi_env env, napi_value object, const char *name, napi_value value);

}  // namespace duchenne
