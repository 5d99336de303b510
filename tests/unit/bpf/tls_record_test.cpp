// SPDX-License-Identifier: Apache-2.0
//
// The parser of TLS records: each thing that it tells, at its borders, and the same of every way in which bytes may be
// cut.
#include "bpf/tls/tls_record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/tls_bytes.h"
#include "tests/support/tls_reader.h"

namespace connscope::testing {
namespace {

using Events = std::vector<std::string>;

Events events_of(const std::string& bytes, std::size_t step = 0) {
  TlsReader reader(true);
  step = step == 0 ? bytes.size() : step;
  for (std::size_t at = 0; at < bytes.size(); at += step) reader.read(bytes.substr(at, step));
  return reader.events();
}

/// What the parser tells of the bytes in one piece, which it must tell of them in any.
Events parse(const std::string& bytes) {
  Events whole = events_of(bytes);
  for (std::size_t step = 1; step < std::min<std::size_t>(bytes.size(), 70); ++step) {
    EXPECT_EQ(events_of(bytes, step), whole) << "in pieces of " << step;
  }
  return whole;
}

TEST(TlsRecord, ClientHelloWithAndWithoutName) {
  EXPECT_EQ(parse(tls::handshake(tls::client_hello())), (Events{"message 1"}));
  EXPECT_EQ(parse(tls::handshake(tls::client_hello({.server_name = "server.test"}))),
            (Events{"message 1 server.test"}));
  EXPECT_EQ(parse(tls::handshake(tls::client_hello({.has_extensions = false}))), (Events{"message 1"}));
  EXPECT_EQ(parse(tls::handshake(tls::client_hello({.session_id = ""}))), (Events{"message 1"}));
}

TEST(TlsRecord, NamesUpToWhatIsKept) {
  for (const std::size_t length : {1U, 7U, 8U, 9U, 63U, 64U, 65U, 255U}) {
    const std::string name(length, 'n');
    EXPECT_EQ(parse(tls::handshake(tls::client_hello({.server_name = name}))),
              (Events{"message 1 " + name.substr(0, 8 * TLS_NAME_WORDS)}))
        << length;
  }
}

TEST(TlsRecord, ClientHelloWhoseNameNobodyWantsIsPassedOver) {
  TlsReader reader(false);
  reader.read(tls::handshake(tls::client_hello({.server_name = "server.test"}) + tls::message(14, "")));
  EXPECT_EQ(reader.events(), (Events{"message 1", "message 14"}));
  EXPECT_EQ(reader.pieces(), 4U) << "the record's header, both messages' headers, and all the rest at once";
}

TEST(TlsRecord, LargeClientHelloOverSeveralRecords) {
  const std::string hello =
      tls::client_hello({.server_name = "server.test", .extensions = tls::extension(51, std::string(1300, 'k'))});
  ASSERT_GT(hello.size(), 1400U);
  EXPECT_EQ(parse(tls::handshake(hello)), (Events{"message 1 server.test"}));
  for (const std::size_t cut : {1U, 3U, 4U, 5U, 40U, 150U, 1400U}) {
    EXPECT_EQ(parse(tls::handshake(hello.substr(0, cut)) + tls::handshake(hello.substr(cut))),
              (Events{"message 1 server.test"}))
        << cut;
  }
}

TEST(TlsRecord, ServerHelloSaysVersionAndCipher) {
  EXPECT_EQ(parse(tls::handshake(tls::server_hello())), (Events{"message 2 0304 1301"}));
  EXPECT_EQ(parse(tls::handshake(tls::server_hello({.version = tls::kTls12, .cipher = 0xc02f}))),
            (Events{"message 2 0303 c02f"}));
  EXPECT_EQ(parse(tls::handshake(tls::server_hello({.version = 0x0301, .cipher = 0x002f, .has_extensions = false}))),
            (Events{"message 2 0301 002f"}));
  EXPECT_EQ(parse(tls::handshake(tls::server_hello({.is_retry = true}))), (Events{"message 2 0304 1301 retry"}));
  EXPECT_EQ(parse(tls::handshake(tls::server_hello({.extensions = tls::pre_shared_key()}))),
            (Events{"message 2 0304 1301 resumed"}));
}

TEST(TlsRecord, VersionBehindALargeKeyShare) {
  const std::string extensions = tls::extension(51, std::string(1120, 'k')) + tls::extension(43, tls::number(0x0304));
  EXPECT_EQ(
      parse(tls::handshake(tls::server_hello({.version = tls::kTls12, .cipher = 0x1302, .extensions = extensions}))),
      (Events{"message 2 0304 1302"}));
}

TEST(TlsRecord, SeveralMessagesInARecordAndOneOverSeveral) {
  EXPECT_EQ(parse(tls::server_flight_12()),
            (Events{"message 2 0303 c02f", "certificate 700", "message 11", "message 12", "message 14"}));
  const std::string certificate = tls::message(11, std::string(3000, 'c'));
  EXPECT_EQ(parse(tls::handshake(tls::server_hello() + certificate.substr(0, 1000)) +
                  tls::handshake(certificate.substr(1000)) + tls::handshake(tls::message(14, ""))),
            (Events{"message 2 0304 1301", "message 11", "message 14"}));
}

/// A Certificate message with these certificates.
std::string certificates(const std::vector<std::string>& all) {
  std::string list;
  for (const std::string& each : all) list += tls::sized(each, 3);
  return tls::message(11, tls::sized(list, 3));
}

TEST(TlsRecord, TheFirstCertificateIsTold) {
  const Events told{"certificate 500", "message 11", "message 14"};
  const std::string chain = certificates({std::string(500, 'a'), std::string(900, 'b')});
  EXPECT_EQ(parse(tls::handshake(chain + tls::message(14, ""))), told);
  EXPECT_EQ(parse(tls::handshake(chain.substr(0, 11)) + tls::handshake(chain.substr(11) + tls::message(14, ""))), told)
      << "the record ends in the certificate";
  const Events largest{"certificate 65535", "message 11"};
  const std::string large = certificates({std::string(70000, 'a')});
  std::string records;
  for (std::size_t at = 0; at < large.size(); at += 16000) records += tls::handshake(large.substr(at, 16000));
  EXPECT_EQ(events_of(records), largest);
}

TEST(TlsRecord, CertificatesThatAreNone) {
  const Events nothing{"message 11", "message 14"};
  const std::string done = tls::message(14, "");
  EXPECT_EQ(parse(tls::handshake(certificates({}) + done)), nothing) << "a client that has none";
  EXPECT_EQ(parse(tls::handshake(certificates({""}) + done)), nothing);
  EXPECT_EQ(parse(tls::handshake(tls::message(11, std::string(40, 'c')) + done)), nothing) << "longer than the message";
  const std::string chain = certificates({std::string(500, 'a')});
  EXPECT_EQ(parse(tls::handshake(chain.substr(0, 10)) + tls::handshake(chain.substr(10) + done)), nothing)
      << "it begins with the next record";
}

TEST(TlsRecord, HiddenRecordsByTypeAndLength) {
  EXPECT_EQ(parse(tls::change_cipher_spec() + tls::hidden(19) + tls::hidden(0) + tls::hidden(18432)),
            (Events{"change", "hidden 23 19", "hidden 23 0", "hidden 23 18432"}));
}

TEST(TlsRecord, MessagesOfASideThatEncryptsAreHidden) {
  TlsReader reader(false);
  reader.read(tls::handshake(tls::message(16, "key")));
  reader.parser().is_encrypted = 1;
  reader.read(tls::record(22, std::string(40, 'f')) + tls::record(21, std::string(26, 'a')));
  EXPECT_EQ(reader.events(), (Events{"message 16", "hidden 22 40", "hidden 21 26"}));
}

TEST(TlsRecord, Alerts) {
  EXPECT_EQ(parse(tls::alert(48) + tls::alert(0, 1)), (Events{"alert 2 48", "alert 1 0"}));
  EXPECT_EQ(parse(tls::record(21, "\x02")), (Events{"hidden 21 1"})) << "no alert has that length";
}

TEST(TlsRecord, WhatIsNoRecord) {
  for (const std::string& bytes : {std::string("HTTP/1.1 400 Bad Request\r\n"), std::string("220 mail.test ESMTP\r\n"),
                                   std::string("\x80\x2e\x01\x03\x01", 5), std::string("\x13\x03\x03\x00\x05", 5),
                                   std::string("\x19\x03\x03\x00\x05", 5), std::string("\x16\x02\x03\x00\x05", 5),
                                   std::string("\x16\x03\x03\x48\x01", 5)}) {
    EXPECT_EQ(events_of(bytes), (Events{"not tls"})) << bytes;
  }
  EXPECT_EQ(events_of(std::string("\x16\x03\x03\x48\x00", 5)), Events{}) << "as long as a record may be";
}

TEST(TlsRecord, LengthsThatLieEndWithTheMessage) {
  const std::string next = tls::handshake(tls::message(14, ""));
  for (const std::string& lie :
       {tls::number(tls::kTls12) + std::string(32, 'r') + '\xff', tls::number(tls::kTls12) + std::string(20, 'r'),
        tls::number(tls::kTls12) + std::string(32, 'r') + '\0' + tls::number(0xffff), std::string("\x03")}) {
    EXPECT_EQ(parse(tls::handshake(tls::message(1, lie)) + next), (Events{"message 1", "message 14"}));
  }
  const std::string short_list = tls::extension(0, tls::number(3) + '\0' + tls::number(0xffff));
  EXPECT_EQ(parse(tls::handshake(tls::client_hello({.extensions = short_list})) + next),
            (Events{"message 1", "message 14"}));
}

}  // namespace
}  // namespace connscope::testing
