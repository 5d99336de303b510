// SPDX-License-Identifier: Apache-2.0
#include "exporters/curl_on_demand.h"

#include <curl/curl.h>
#include <dlfcn.h>

#include <cstdarg>
#include <type_traits>

// What the headers put before the functions are macros that check types.
#undef curl_easy_getinfo
#undef curl_easy_setopt

namespace {

/// By the name that every build of it has since 2006. Never closed: the libraries that it brings do not survive that.
void* library() {
  static void* const opened = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  return opened;
}

/// What a function says that is not there.
template <class Answer>
Answer absent() {
  if constexpr (std::is_same_v<Answer, CURLcode>) {
    return CURLE_FAILED_INIT;
  } else if constexpr (std::is_same_v<Answer, const char*>) {
    return "libcurl is not there";
  } else {
    return Answer();
  }
}

/// Calls the library's function of that name, which is of the type of ours.
template <class Answer, class... Parameters, class... Arguments>
Answer call(Answer (*)(Parameters...), const char* name, Arguments... arguments) {
  if (library() == nullptr) return absent<Answer>();
  const auto function = reinterpret_cast<Answer (*)(Parameters...)>(::dlsym(library(), name));
  return function == nullptr ? absent<Answer>() : function(arguments...);
}

/// The same of one that takes a third argument of several types: all are pointers or as long as one, and are passed in
/// the same place.
template <class Option>
CURLcode call_with_any(CURLcode (*)(CURL*, Option, ...), const char* name, CURL* curl, Option option, void* argument) {
  static_assert(sizeof(long) == sizeof(void*) && sizeof(curl_off_t) == sizeof(void*));
  if (library() == nullptr) return absent<CURLcode>();
  const auto function = reinterpret_cast<CURLcode (*)(CURL*, Option, ...)>(::dlsym(library(), name));
  return function == nullptr ? absent<CURLcode>() : function(curl, option, argument);
}

}  // namespace

CURLcode curl_global_init(long flags) { return call(curl_global_init, "curl_global_init", flags); }
CURL* curl_easy_init() { return call(curl_easy_init, "curl_easy_init"); }
void curl_easy_cleanup(CURL* curl) { call(curl_easy_cleanup, "curl_easy_cleanup", curl); }
void curl_easy_reset(CURL* curl) { call(curl_easy_reset, "curl_easy_reset", curl); }
CURLcode curl_easy_perform(CURL* curl) { return call(curl_easy_perform, "curl_easy_perform", curl); }
const char* curl_easy_strerror(CURLcode code) { return call(curl_easy_strerror, "curl_easy_strerror", code); }
curl_slist* curl_slist_append(curl_slist* list, const char* text) {
  return call(curl_slist_append, "curl_slist_append", list, text);
}
void curl_slist_free_all(curl_slist* list) { call(curl_slist_free_all, "curl_slist_free_all", list); }
CURLcode curl_easy_send(CURL* curl, const void* bytes, size_t size, size_t* sent) {
  return call(curl_easy_send, "curl_easy_send", curl, bytes, size, sent);
}
CURLcode curl_easy_recv(CURL* curl, void* bytes, size_t size, size_t* received) {
  return call(curl_easy_recv, "curl_easy_recv", curl, bytes, size, received);
}
// The last parameter with a name is an enumeration, as the headers want it; C++ leaves open what becomes of one there,
// and every compiler passes it as C does, in which libcurl is written so too.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wvarargs"
CURLcode curl_easy_setopt(CURL* curl, CURLoption option, ...) {
  va_list arguments;
  va_start(arguments, option);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return call_with_any(curl_easy_setopt, "curl_easy_setopt", curl, option, argument);
}
CURLcode curl_easy_getinfo(CURL* curl, CURLINFO info, ...) {
  va_list arguments;
  va_start(arguments, info);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return call_with_any(curl_easy_getinfo, "curl_easy_getinfo", curl, info, argument);
}
#pragma GCC diagnostic pop

namespace connscope::exporters {

Status open_curl() {
  if (library() != nullptr) return {};
  return Error("libcurl.so.4, which this exporter needs, cannot be opened: is it installed?");
}

}  // namespace connscope::exporters
