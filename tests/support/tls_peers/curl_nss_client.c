// SPDX-License-Identifier: Apache-2.0
//
// curl_nss_client PORT VERSION FOLDER TIMES: a client on the libcurl that is built with NSS, with the authority and the
// revocations of FOLDER. The headers that go with that library would take the place of those of another libcurl, so the
// few names that are needed, whose numbers are part of its interface, stand here.
#include <dlfcn.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SSL_VERSION = 32, URL = 10002, CA_INFO = 10065, CRL_FILE = 10169, RESOLVE = 10203 };

struct library {
  void* (*init)(void);
  int (*set)(void* handle, int option, ...);
  int (*perform)(void* handle);
  const char* (*explain)(int code);
  void* (*append)(void* list, const char* word);
};

// As POSIX has it: a function's address comes as that of an object.
static void* function(void* library, const char* name) {
  void* found = dlsym(library, name);
  if (!found) errx(2, "%s", dlerror());
  return found;
}

static struct library load(void) {
  void* file = dlopen("libcurl-nss.so.4", RTLD_NOW);
  if (!file) errx(2, "%s", dlerror());
  struct library curl;
  *(void**)&curl.init = function(file, "curl_easy_init");
  *(void**)&curl.set = function(file, "curl_easy_setopt");
  *(void**)&curl.perform = function(file, "curl_easy_perform");
  *(void**)&curl.explain = function(file, "curl_easy_strerror");
  *(void**)&curl.append = function(file, "curl_slist_append");
  return curl;
}

// That version and no other.
static long version_of(const char* word) {
  const long only = strcmp(word, "1.3") == 0 ? 7 : 6;
  return only | only << 16;
}

int main(int count, char** words) {
  if (count != 5) errx(2, "usage: curl_nss_client PORT VERSION FOLDER TIMES");
  char url[64], place[64], authority[4096], revocations[4096];
  snprintf(url, sizeof(url), "https://localhost:%s/", words[1]);
  snprintf(place, sizeof(place), "localhost:%s:127.0.0.1", words[1]);
  snprintf(authority, sizeof(authority), "%s/ca.pem", words[3]);
  snprintf(revocations, sizeof(revocations), "%s/crl.pem", words[3]);
  const struct library curl = load();
  void* handle = curl.init();
  curl.set(handle, URL, url);
  curl.set(handle, RESOLVE, curl.append(NULL, place));
  curl.set(handle, CA_INFO, authority);
  curl.set(handle, CRL_FILE, revocations);
  curl.set(handle, SSL_VERSION, version_of(words[2]));
  for (int left = atoi(words[4]); left > 0; left--) {
    const int code = curl.perform(handle);
    if (code != 0) errx(1, "%d: %s", code, curl.explain(code));
  }
  return 0;
}
