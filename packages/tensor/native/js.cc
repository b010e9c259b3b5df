#include "js.h"

#include <cmath>

namespace duchenne {

namespace {

Failure Expected(const char *what, const char *kind) {
  return InvalidArgument(std::string("Expected ") + what + " to be " + kind);
}

/** JavaScript's arrays may say that they have 2^32 elements without holding any. */
constexpr uint32_t kLongestList = 1000000;

}  // namespace

void Check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) throw PendingException{};
  const napi_extended_error_info *info = nullptr;
  napi_get_last_error_info(env, &info);
  const bool told = info != nullptr && info->error_message != nullptr;
  throw Failure("internal", std::string("Node's API: ") + (told ? info->error_message : "unknown error"));
}

bool IsType(napi_env env, napi_value value, napi_valuetype type) {
  napi_valuetype actual;
  Check(env, napi_typeof(env, value, &actual));
  return actual == type;
}

bool IsArray(napi_env env, napi_value value) {
  bool is = false;
  Check(env, napi_is_array(env, value, &is));
  return is;
}

bool IsTypedArray(napi_env env, napi_value value) {
  bool is = false;
  Check(env, napi_is_typedarray(env, value, &is));
  return is;
}

std::string TextFrom(napi_env env, napi_value value, const char *what) {
  if (!IsType(env, value, napi_string)) throw Expected(what, "a string");
  size_t length = 0;
  Check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length));
  std::string text(length, '\0');
  Check(env, napi_get_value_string_utf8(env, value, text.data(), length + 1, &length));
  return text;
}

double NumberFrom(napi_env env, napi_value value, const char *what) {
  if (!IsType(env, value, napi_number)) throw Expected(what, "a number");
  double number = 0;
  Check(env, napi_get_value_double(env, value, &number));
  return number;
}

int64_t IntegerFrom(napi_env env, napi_value value, const char *what) {
  if (IsType(env, value, napi_bigint)) {
    int64_t integer = 0;
    bool lossless = false;
    Check(env, napi_get_value_bigint_int64(env, value, &integer, &lossless));
    if (!lossless) throw Expected(what, "a number of 64 bits");
    return integer;
  }
  const double number = NumberFrom(env, value, what);
  constexpr double kLargest = 9007199254740991.0;
  if (!(std::fabs(number) <= kLargest) || number != std::floor(number)) throw Expected(what, "a whole number");
  return static_cast<int64_t>(number);
}

bool FlagFrom(napi_env env, napi_value value, const char *what) {
  if (!IsType(env, value, napi_boolean)) throw Expected(what, "true or false");
  bool flag = false;
  Check(env, napi_get_value_bool(env, value, &flag));
  return flag;
}

std::vector<napi_value> ListFrom(napi_env env, napi_value value, const char *what) {
  if (!IsArray(env, value)) throw Expected(what, "an array");
  uint32_t length = 0;
  Check(env, napi_get_array_length(env, value, &length));
  if (length > kLongestList) throw Expected(what, "an array of at most a million elements");
  std::vector<napi_value> elements(length);
  for (uint32_t i = 0; i < length; i++) Check(env, napi_get_element(env, value, i, &elements[i]));
  return elements;
}

std::vector<int64_t> IntegersFrom(napi_env env, napi_value value, const char *what) {
  std::vector<int64_t> integers;
  for (napi_value element : ListFrom(env, value, what)) integers.push_back(IntegerFrom(env, element, what));
  return integers;
}

std::string BytesFrom(napi_env env, napi_value value, const char *what) {
  if (!IsTypedArray(env, value)) throw Expected(what, "a Uint8Array");
  napi_typedarray_type type;
  size_t length = 0;
  void *data = nullptr;
  Check(env, napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr));
  if (type != napi_uint8_array) throw Expected(what, "a Uint8Array");
  return length == 0 ? std::string() : std::string(static_cast<const char *>(data), length);
}

napi_value PropertyOf(napi_env env, napi_value object, const char *name, const char *what) {
  if (!IsType(env, object, napi_object)) throw Expected(what, "an object");
  napi_value value;
  Check(env, napi_get_named_property(env, object, name, &value));
  return value;
}

napi_value JsText(napi_env env, const std::string &text) {
  napi_value value;
  Check(env, napi_create_string_utf8(env, text.data(), text.size(), &value));
  return value;
}

napi_value JsNumber(napi_env env, double number) {
  napi_value value;
  Check(env, napi_create_double(env, number, &value));
  return value;
}

napi_value JsFlag(napi_env env, bool flag) {
  napi_value value;
  Check(env, napi_get_boolean(env, flag, &value));
  return value;
}

napi_value JsUndefined(napi_env env) {
  napi_value value;
  Check(env, napi_get_undefined(env, &value));
  return value;
}

napi_value JsObject(napi_env env) {
  napi_value value;
  Check(env, napi_create_object(env, &value));
  return value;
}

napi_value JsList(napi_env env, const std::vector<napi_value> &elements) {
  napi_value list;
  Check(env, napi_create_array_with_length(env, elements.size(), &list));
  for (size_t i = 0; i < elements.size(); i++) {
    Check(env, napi_set_element(env, list, static_cast<uint32_t>(i), elements[i]));
  }
  return list;
}

napi_value JsIntegers(napi_env env, const std::vector<int64_t> &integers) {
  std::vector<napi_value> elements;
  for (int64_t integer : integers) elements.push_back(JsNumber(env, static_cast<double>(integer)));
  return JsList(env, elements);
}

napi_value JsTexts(napi_env env, const std::vector<std::string> &texts) {
  std::vector<napi_value> elements;
  for (const std::string &text : texts) elements.push_back(JsText(env, text));
  return JsList(env, elements);
}

napi_value JsTypedArray(napi_env env, napi_typedarray_type type, size_t elements, size_t bytes, void **data) {
  napi_value buffer;
  napi_value array;
  Check(env, napi_create_arraybuffer(env, bytes, data, &buffer));
  Check(env, napi_create_typedarray(env, type, elements, buffer, 0, &array));
  return array;
}

void SetProperty(napi_env env, napi_value object, const char *name, napi_value value) {
  Check(env, napi_set_named_property(env, object, name, value));
}

}  // namespace duchenne
