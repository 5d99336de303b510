// SPDX-License-Identifier: Apache-2.0
//
// What tls_peer_server is told on its command line.
#ifndef CONNSCOPE_TESTS_TLS_SERVER_OPTIONS_H
#define CONNSCOPE_TESTS_TLS_SERVER_OPTIONS_H

enum play {
  PLAY_SERVE,   // a server like any other
  PLAY_PLAIN,   // one that does not speak TLS
  PLAY_SILENT,  // says no more, and waits for the client to go
  PLAY_FIN,
  PLAY_RESET,
  PLAY_STARTTLS,  // a server of mail, which begins in plain text
};

// How far the handshake goes before that.
enum stage {
  STAGE_BEFORE,  // the client's hello came
  STAGE_HELLO,   // the server's hello was sent, and nothing after it
  STAGE_FLIGHT,  // all of the server's flight was sent, and the client has answered
};

struct server_options {
  const char* certificate;  // FOLDER/NAME, of NAME.pem and NAME.key
  const char* client_ca;    // a file: clients must show a certificate of it
  const char* ciphers;      // of TLS 1.2 and before
  const char* suites;       // of TLS 1.3
  int min_version;          // as libssl numbers them; 0: any
  int max_version;
  enum play play;
  enum stage stage;
  int times;  // connections to take before it ends; 0: for ever
};

// Ends the program with a message when they make no sense.
struct server_options read_server_options(int count, char** words);

#endif
