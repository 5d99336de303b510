// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tls_peers/server_options.h"

#include <err.h>
#include <getopt.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

enum { CERTIFICATE = 1, CLIENT_CA, CIPHERS, SUITES, MIN, MAX, PLAY, STAGE, TIMES };

static const struct option kOptions[] = {
    {"certificate", required_argument, NULL, CERTIFICATE},
    {"client-ca", required_argument, NULL, CLIENT_CA},
    {"ciphers", required_argument, NULL, CIPHERS},
    {"suites", required_argument, NULL, SUITES},
    {"min", required_argument, NULL, MIN},
    {"max", required_argument, NULL, MAX},
    {"play", required_argument, NULL, PLAY},
    {"stage", required_argument, NULL, STAGE},
    {"times", required_argument, NULL, TIMES},
    {0},
};

static const char* const kPlays[] = {"serve", "plain", "silent", "fin", "reset", "starttls", NULL};
static const char* const kStages[] = {"before", "hello", "flight", NULL};

static int place_of(const char* word, const char* const* words) {
  for (int i = 0; words[i]; i++) {
    if (strcmp(word, words[i]) == 0) return i;
  }
  errx(2, "unknown word '%s'", word);
}

static int version_of(const char* word) {
  static const char* const kVersions[] = {"1.2", "1.3", NULL};
  return TLS1_2_VERSION + place_of(word, kVersions);
}

struct server_options read_server_options(int count, char** words) {
  struct server_options options = {.times = 1};
  for (int option; (option = getopt_long(count, words, "", kOptions, NULL)) != -1;) {
    switch (option) {
      case CERTIFICATE:
        options.certificate = optarg;
        break;
      case CLIENT_CA:
        options.client_ca = optarg;
        break;
      case CIPHERS:
        options.ciphers = optarg;
        break;
      case SUITES:
        options.suites = optarg;
        break;
      case MIN:
        options.min_version = version_of(optarg);
        break;
      case MAX:
        options.max_version = version_of(optarg);
        break;
      case PLAY:
        options.play = (enum play)place_of(optarg, kPlays);
        break;
      case STAGE:
        options.stage = (enum stage)place_of(optarg, kStages);
        break;
      case TIMES:
        options.times = atoi(optarg);
        break;
      default:
        exit(2);
    }
  }
  if (!options.certificate || optind != count) errx(2, "needs --certificate FOLDER/NAME, and takes only options");
  return options;
}
