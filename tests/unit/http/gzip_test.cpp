// SPDX-License-Identifier: Apache-2.0
#include "agent/http/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace connscope::http {
namespace {

std::string unpack(std::string packed, std::size_t size) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string plain(size + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  EXPECT_EQ(inflateEnd(&stream), Z_OK);
  return plain;
}

TEST(Gzip, RoundTrips) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "conn_tcp_connects_total{process=\"p" + std::to_string(i * 7919) + "\"} 1\n";
  for (const std::string& plain : {std::string(), std::string("x"), std::string("\0\xff", 2), text}) {
    const auto packed = gzip(plain);
    ASSERT_TRUE(packed) << packed.error().message();
    EXPECT_EQ(unpack(*packed, plain.size()), plain);
  }
  EXPECT_LT(gzip(text)->size(), text.size() / 4);
}

}  // namespace
}  // namespace connscope::http
